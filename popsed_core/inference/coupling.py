"""The layers of a neural spline flow and their chain (Durkan et al. 2019, sections 3 and 5).

Called, a layer returns y = f(x) and log|det dy/dx|; ``inverse`` returns x and log|det dx/dy|.  All
start as the identity.  Names of parameters and the order in which initial values are drawn are
those of nflows 0.14, so that members trained with it are read, and numbers stay as they were.
"""

import math
from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from popsed_core.inference.spline import MIN_DERIVATIVE, Values, spline

MIN_DIAGONAL = 1e-3  # [-] smallest diagonal element of U, as in nflows
SMALL = 1e-3  # [-] largest initial weight at the end of a residual block, as in nflows

LogVolume = Float[Tensor, "sample"]
Matrix = Float[Tensor, "feature feature"]


class Chain(nn.Module):
    """Layers one after the other."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self._transforms = nn.ModuleList(layers)

    @property
    def layers(self) -> nn.ModuleList:
        """The layers, from the base draws on."""
        return self._transforms

    def forward(self, x: Values) -> tuple[Values, LogVolume]:
        """Apply all layers; their log determinants add up."""
        total = x.new_zeros(len(x))
        for layer in self.layers:
            x, log_volume = layer(x)
            total = total + log_volume
        return x, total

    def inverse(self, y: Values) -> tuple[Values, LogVolume]:
        """Undo all layers, the last one first."""
        total = y.new_zeros(len(y))
        for layer in reversed(self.layers):
            y, log_volume = layer.inverse(y)
            total = total + log_volume
        return y, total


class LULinear(nn.Module):
    """y = L U x + bias, L with a unit diagonal, U with a positive one."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        n_entries = n_features * (n_features - 1) // 2
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.lower_entries = nn.Parameter(torch.zeros(n_entries))  # below the diagonal, by rows
        self.upper_entries = nn.Parameter(torch.zeros(n_entries))  # above it, by rows
        self.unconstrained_upper_diag = nn.Parameter(
            torch.full((n_features,), softplus_inverse(1 - MIN_DIAGONAL))
        )

    def forward(self, x: Values) -> tuple[Values, LogVolume]:
        """Return y and log det U."""
        lower, upper = self._factors()
        y = functional.linear(functional.linear(x, upper), lower, self.bias)
        return y, self._log_volume() * x.new_ones(len(x))

    def inverse(self, y: Values) -> tuple[Values, LogVolume]:
        """Solve L U x = y - bias; return x and -log det U."""
        lower, upper = self._factors()
        columns = (y - self.bias).T
        columns = torch.linalg.solve_triangular(lower, columns, upper=False, unitriangular=True)
        columns = torch.linalg.solve_triangular(upper, columns, upper=True)
        return columns.T, -self._log_volume() * y.new_ones(len(y))

    def _factors(self) -> tuple[Matrix, Matrix]:
        n, device = len(self.bias), self.bias.device
        below = torch.tril_indices(n, n, -1, device=device)
        above = torch.triu_indices(n, n, 1, device=device)
        lower = _triangular(torch.ones_like(self.bias), below, self.lower_entries)
        return lower, _triangular(self._diagonal(), above, self.upper_entries)

    def _diagonal(self) -> Float[Tensor, "feature"]:
        return functional.softplus(self.unconstrained_upper_diag) + MIN_DIAGONAL

    def _log_volume(self) -> Float[Tensor, ""]:
        return self._diagonal().log().sum()


def _triangular(
    diagonal: Float[Tensor, "feature"],
    place: Int[Tensor, "2 entry"],
    entries: Float[Tensor, "entry"],
) -> Matrix:
    on = torch.arange(len(diagonal), device=diagonal.device)
    empty = diagonal.new_zeros(2 * diagonal.shape)
    return empty.index_put((on, on), diagonal).index_put(place.unbind(), entries)


class SplineCoupling(nn.Module):
    """Half of the features pass; each of the others gets a spline that depends on those.

    Args:
        is_transformed: whether each feature gets a spline.
        n_bins: bins of each spline.
        bound: half width of the interval of the splines, outside which they are the identity.
        n_hidden: features of the conditioner, a residual network.
        n_layers: residual blocks of the conditioner.
    """

    def __init__(
        self, is_transformed: Bool[Tensor, "feature"], *, n_bins: int, bound: float,
        n_hidden: int, n_layers: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.n_bins, self.bound, self.scale = n_bins, bound, math.sqrt(n_hidden)
        self.register_buffer("identity_features", (~is_transformed).nonzero().flatten())
        self.register_buffer("transform_features", is_transformed.nonzero().flatten())
        n_in, n_out = len(self.identity_features), len(self.transform_features)
        self.transform_net = ResidualNet(n_in, n_out * (3 * n_bins - 1), n_hidden, n_layers)
        self._start_as_identity()

    def forward(self, x: Values) -> tuple[Values, LogVolume]:
        """Return y and the sum of the splines' log slopes."""
        return self._map(x, is_inverse=False)

    def inverse(self, y: Values) -> tuple[Values, LogVolume]:
        """Return x; the features that pass are the same on both sides, and so are the splines."""
        return self._map(y, is_inverse=True)

    def _map(self, rows: Values, *, is_inverse: bool) -> tuple[Values, LogVolume]:
        kept, moved = rows[:, self.identity_features], rows[:, self.transform_features]
        outputs = self.transform_net(kept)
        each = outputs.unflatten(-1, (-1, 3 * self.n_bins - 1))
        sizes, slopes = each.split((2 * self.n_bins, self.n_bins - 1), dim=-1)
        sizes = sizes.unflatten(-1, (2, self.n_bins)) / self.scale
        moved, log_slope = spline(moved, sizes, slopes, bound=self.bound, is_inverse=is_inverse)
        mapped = torch.empty_like(rows).index_copy(1, self.identity_features, kept)
        return mapped.index_copy(1, self.transform_features, moved), log_slope.sum(1)

    @torch.no_grad()
    def _start_as_identity(self) -> None:
        """Let the conditioner return bins of equal size and slopes of one."""
        final = self.transform_net.final_layer
        logits = torch.zeros(len(self.transform_features), 3 * self.n_bins - 1)
        logits[:, 2 * self.n_bins :] = softplus_inverse(1 - MIN_DERIVATIVE)
        final.weight.zero_()
        final.bias.copy_(logits.flatten())


class ResidualNet(nn.Module):
    """Residual blocks between two linear layers (He et al. 2016)."""

    def __init__(self, n_in: int, n_out: int, n_hidden: int, n_blocks: int) -> None:
        super().__init__()
        self.initial_layer = nn.Linear(n_in, n_hidden)
        self.blocks = nn.ModuleList(ResidualBlock(n_hidden) for _ in range(n_blocks))
        self.final_layer = nn.Linear(n_hidden, n_out)

    def forward(self, x: Float[Tensor, "sample in"]) -> Float[Tensor, "sample out"]:
        """Return the outputs of the last layer, which are not bounded."""
        hidden = self.initial_layer(x)
        for block in self.blocks:
            hidden = block(hidden)
        return self.final_layer(hidden)


class ResidualBlock(nn.Module):
    """x + W2 relu(W1 relu(x) + b1) + b2, where W2 and b2 start near zero."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.linear_layers = nn.ModuleList(nn.Linear(n_features, n_features) for _ in range(2))
        for weight in self.linear_layers[1].parameters():
            nn.init.uniform_(weight, -SMALL, SMALL)

    def forward(self, x: Float[Tensor, "sample hidden"]) -> Float[Tensor, "sample hidden"]:
        """Return x and what the two layers add to it."""
        first, second = self.linear_layers
        return x + second(functional.relu(first(functional.relu(x))))


def softplus_inverse(value: float) -> float:
    """Return x such that ln(1 + e^x) is ``value`` > 0."""
    return math.log(math.expm1(value))
