"""Sliced Wasserstein distance to the whole catalogue, at a cost that does not depend on its size.

Along one direction W_p^p is the p-th power of the difference of the quantile functions,
integrated over probability.  The data's quantile functions along a pool of directions are
averaged once over the n cells of probability that n samples occupy; a step then only sorts its
samples.  p = 1 weighs outliers, which every catalogue has and no model predicts, by their number;
p = 2 by their squared distance.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

CHUNK_VALUES = 20_000_000  # [values] projected and sorted at a time: 160 MB in float64


class SlicedWasserstein(nn.Module):
    """Mean over random directions of W1 (p = 1) or W2^2 (p = 2) in one dimension.

    W1 is taken between cell means, which neglects the width of the data within a cell: below
    it by at most the mean width of a cell, and least at the same population.

    Args:
        data: features of the catalogue.
        n_samples: size of the samples that will be compared with it.
        p: 1 or 2.
        n_pool: directions whose data quantiles are kept.
        n_step: directions drawn from the pool in each call.
        generator: CPU stream of the directions.
    """

    directions: Tensor
    quantiles: Tensor
    spread: Tensor

    def __init__(
        self, data: Float[Tensor, "row feature"], n_samples: int,
        *, p: int, n_pool: int, n_step: int, generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.p = p
        directions = unit_vectors(n_pool, data.shape[1], generator).to(data.device)
        quantiles, spread = pool_quantiles(data.double(), directions.double(), n_samples)
        self.n_step = min(n_step, n_pool)
        self.register_buffer("directions", directions.to(data))
        self.register_buffer("quantiles", quantiles.to(data))
        self.register_buffer("spread", spread.to(data))

    def forward(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the mean of W_p^p over ``n_step`` directions of the pool.

        Args:
            x: features of the samples; as many as the quantiles were made for.
            generator: CPU stream that chooses the directions.
            progress: fraction of the run; not used.
        """
        if len(x) != self.quantiles.shape[1]:
            raise ValueError(f"x: got {len(x)} samples, expected {self.quantiles.shape[1]}")
        chosen = draw_from_pool(len(self.directions), self.n_step, generator).to(x.device)
        ordered = (self.directions[chosen] @ x.T).sort(dim=1).values
        difference = ordered - self.quantiles[chosen]
        if self.p == 1:
            return difference.abs().mean()
        squared = difference.square().mean(1)
        return (squared + self.spread[chosen]).mean()


def unit_vectors(
    n: int, n_features: int, generator: torch.Generator
) -> Float[Tensor, "pool feature"]:
    """Draw directions, uniform on the sphere."""
    normal = torch.randn(n, n_features, generator=generator)
    return normal / normal.norm(dim=1, keepdim=True)


def draw_from_pool(n_pool: int, n: int, generator: torch.Generator) -> Int[Tensor, "step"]:
    """Draw n different members of a pool, on the CPU."""
    return torch.randperm(n_pool, generator=generator)[:n]


def pool_quantiles(
    data: Float[Tensor, "row feature"],
    directions: Float[Tensor, "pool feature"],
    n_samples: int,
) -> tuple[Float[Tensor, "pool sample"], Float[Tensor, "pool"]]:
    """Return cell means of the data's quantile function along each direction, and the rest.

    The rest is the mean variance of the quantile function within the cells: W2^2 of n samples
    to all the data is the mean squared difference to the cell means plus this constant.
    """
    parts = [
        cell_means(chunk @ data.T, n_samples)
        for chunk in directions.split(max(1, CHUNK_VALUES // len(data)))
    ]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def cell_means(
    values: Float[Tensor, "pool row"], n_cells: int
) -> tuple[Float[Tensor, "pool cell"], Float[Tensor, "pool"]]:
    """Average empirical quantile functions exactly over n equal cells of probability.

    The integral of an empirical quantile function is linear between its m steps, so that it is
    interpolated in the cumulative sum of the sorted values.
    """
    centre = values.mean(1, keepdim=True)
    ordered = (values - centre).sort(dim=1).values
    n_rows = ordered.shape[1]
    total = torch.nn.functional.pad(ordered.cumsum(1), (1, 0))
    edge = torch.arange(n_cells + 1, dtype=values.dtype, device=values.device) * (n_rows / n_cells)
    left = edge.long().clamp(max=n_rows - 1)
    integral = torch.lerp(total[:, left], total[:, left + 1], edge - left)
    means = integral.diff(dim=1) * (n_cells / n_rows)
    spread = (ordered.square().mean(1) - means.square().mean(1)).clamp(min=0)
    return means + centre, spread
