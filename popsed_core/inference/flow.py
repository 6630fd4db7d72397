"""The population as a neural spline coupling flow (Durkan et al. 2019); the doorway to nflows.

u = T(x) with x standard normal: the generative direction is the transform's forward pass, so a
draw and its log density cost one evaluation: log q(u) = log N(x) - log|det du/dx|.
Blocks of [rational-quadratic coupling, LU linear] start as the identity, so that q starts
uniform over the box through the Gaussian CDF, but for each member's small random shift.
"""

import functools
import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from nflows.nn.nets import ResidualNet
from nflows.transforms import (
    CompositeTransform,
    LULinear,
    PiecewiseRationalQuadraticCouplingTransform,
)
from nflows.utils import create_alternating_binary_mask
from torch import Tensor, nn
from torch.func import functional_call, vmap

from popsed_core.config.fit import FlowConfig
from popsed_core.inference.spline import MIN_DERIVATIVE, spline
from popsed_core.running.runtime import to_device

UNIT_SLOPE = math.log(math.expm1(1 - MIN_DERIVATIVE))  # [-] logit of slope 1: softplus inverse


class SplineCoupling(PiecewiseRationalQuadraticCouplingTransform):
    """nflows' spline coupling layer, its spline evaluated without masked indexing."""

    def _piecewise_cdf(
        self, inputs: Tensor, transform_params: Tensor, inverse: bool = False
    ) -> tuple[Tensor, Tensor]:
        n_sizes = 2 * self.num_bins
        sizes, slopes = transform_params.split((n_sizes, self.num_bins - 1), dim=-1)
        sizes = sizes.unflatten(-1, (2, self.num_bins)) / math.sqrt(
            self.transform_net.hidden_features
        )
        return spline(inputs, sizes, slopes, bound=self.tail_bound, is_inverse=inverse)


class Linear(LULinear):
    """nflows' LU linear layer, inverted with the triangular solver that torch still supports."""

    def inverse_no_cache(
        self, inputs: Float[Tensor, "sample feature"]
    ) -> tuple[Float[Tensor, "sample feature"], Float[Tensor, "sample"]]:
        """Solve L U x = inputs - bias; return x and the log determinant of the inverse."""
        lower, upper = self._create_lower_upper()
        rows = (inputs - self.bias).T
        rows = torch.linalg.solve_triangular(lower, rows, upper=False, unitriangular=True)
        rows = torch.linalg.solve_triangular(upper, rows, upper=True)
        return rows.T, -self.logabsdet().expand(inputs.shape[0])


class PopulationFlow(nn.Module):
    """A density over unconstrained u from which drawing is differentiable."""

    def __init__(self, n_features: int, config: FlowConfig) -> None:
        super().__init__()
        if n_features < 2:
            raise ValueError(f"n_features: got {n_features}, a coupling flow expects at least 2")
        self.n_features = n_features
        layers = [
            layer
            for block in range(config.n_blocks)
            for layer in (_coupling(n_features, block, config), Linear(n_features))
        ]
        self.transform = CompositeTransform(layers)

    @classmethod
    def build(
        cls, n_features: int, config: FlowConfig, generator: torch.Generator
    ) -> "PopulationFlow":
        """Make a flow whose initial weights and shift come from ``generator`` alone.

        torch's global stream is left as it was found.

        Args:
            n_features: dimensions of u.
            config: sizes, and the width of the random shift of the start.
            generator: CPU stream.
        """
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            flow = cls(n_features, config)
        shift = config.start_jitter * torch.randn(n_features, generator=generator)
        with torch.no_grad():
            flow.transform._transforms[-1].bias.copy_(shift)
        return flow

    def sample(
        self, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "sample feature"], Float[Tensor, "sample"]]:
        """Draw n values of u and their log density, differentiable in the weights.

        Args:
            n: number of draws.
            generator: CPU stream of the base draws: the same numbers on any device.
        """
        return self.push(self.draw_base(n, generator))

    def draw_base(self, n: int, generator: torch.Generator) -> Float[Tensor, "sample feature"]:
        """Draw standard normal x, which :meth:`push` maps to u; many may be mapped in parts."""
        weight = next(self.parameters())
        base = torch.randn(n, self.n_features, generator=generator)
        return to_device(base, weight.device).to(weight.dtype)

    def push(
        self, base: Float[Tensor, "sample feature"]
    ) -> tuple[Float[Tensor, "sample feature"], Float[Tensor, "sample"]]:
        """Map base draws x to u and return log q(u) with it."""
        u, log_volume = self.transform(base)
        return u, log_normal(base) - log_volume

    def log_prob(self, u: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample"]:
        """Return log q(u) by inverting the flow; for diagnostics, slower than sampling."""
        base, log_volume = self.transform.inverse(u)
        return log_normal(base) + log_volume


def push_together(
    flows: Sequence[PopulationFlow], base: Sequence[Float[Tensor, "sample feature"]]
) -> tuple[Float[Tensor, "row feature"], Float[Tensor, "row"]]:
    """Map base draws of several flows of one shape at once, one flow's after the other's.

    Args:
        flows: the flows.
        base: as many draws for each.

    Returns:
        u and log q(u), as :meth:`PopulationFlow.push`; gradients go to each flow's own weights.
    """
    if len(flows) == 1:
        return flows[0].push(base[0])
    transform = flows[0].transform
    weights = [dict(flow.transform.named_parameters()) for flow in flows]
    stacked = {name: torch.stack([each[name] for each in weights]) for name in weights[0]}

    def push_one(own: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        return functional_call(transform, own, (x,))

    x = torch.stack(tuple(base))
    u, log_volume = vmap(push_one)(stacked, x)
    return u.flatten(0, 1), log_normal(x.flatten(0, 1)) - log_volume.flatten()


def log_normal(x: Float[Tensor, "sample feature"]) -> Float[Tensor, "sample"]:
    """Return the log density of the standard normal."""
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(1)


def _coupling(n_features: int, block: int, config: FlowConfig) -> SplineCoupling:
    layer = SplineCoupling(
        mask=create_alternating_binary_mask(n_features, even=block % 2 == 0),
        transform_net_create_fn=functools.partial(
            ResidualNet, hidden_features=config.n_hidden, num_blocks=config.n_layers
        ),
        num_bins=config.n_bins,
        tails="linear",
        tail_bound=config.tail_bound,
    )
    _start_as_identity(layer)
    return layer


def _start_as_identity(layer: SplineCoupling) -> None:
    final = layer.transform_net.final_layer
    logits = torch.zeros(layer.num_transform_features, layer._transform_dim_multiplier())
    logits[:, 2 * layer.num_bins :] = UNIT_SLOPE
    nn.init.zeros_(final.weight)
    with torch.no_grad():
        final.bias.copy_(logits.flatten())
