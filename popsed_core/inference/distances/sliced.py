"""Sliced Wasserstein distance to the whole catalogue, at a cost that does not depend on its size.

Along one direction W_p^p is the p-th power of the difference of the quantile functions,
integrated over probability.  The data's quantile functions along a pool of directions are
averaged once over the n cells of probability that n samples occupy; a step then only sorts its
samples.  p = 1 weighs outliers, which every catalogue has and no model predicts, by their number;
p = 2 by their squared distance.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from popsed_core.inference.distances.rows import Rows, as_rows

CHUNK_VALUES = 4_000_000  # [values] projected at a time, if of at least LEAST_DIRECTIONS
LEAST_DIRECTIONS = 8  # of one pass over the catalogue


class SlicedWasserstein(nn.Module):
    """Mean over random directions of W1 (p = 1) or W2^2 (p = 2) in one dimension.

    W1 is taken between cell means, which neglects the width of the data within a cell: below
    it by at most the mean width of a cell, and least at the same population.

    Args:
        data: features of the catalogue, or where to read them.
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
        self, data: Rows | Float[Tensor, "row feature"], n_samples: int,
        *, p: int, n_pool: int, n_step: int, generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        self.p = p
        rows = as_rows(data)
        directions = unit_vectors(n_pool, rows.n_features, generator)
        quantiles, spread = pool_quantiles(rows, directions, n_samples)
        self.n_step = min(n_step, n_pool)
        self.register_buffer("directions", directions.to(rows.device, rows.given))
        self.register_buffer("quantiles", quantiles.to(rows.device, rows.given))
        self.register_buffer("spread", spread.to(rows.device, rows.given))

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
    """Draw n distinct members of a pool, on the CPU."""
    return torch.randperm(n_pool, generator=generator)[:n]


def pool_quantiles(
    rows: Rows, directions: Float[Tensor, "pool feature"], n_cells: int
) -> tuple[Float[Tensor, "pool cell"], Float[Tensor, "pool"]]:
    """Return cell means of the data's quantile function along each direction, and the rest.

    The rest is the mean variance of the quantile function within the cells: W2^2 of n samples
    to all the data is the mean squared difference to the cell means plus this constant.

    Args:
        rows: the data.
        directions: unit vectors.
        n_cells: equal cells of probability.
    """
    # allocated before the large buffers: a result kept among them would pin their memory
    means = torch.empty(len(directions), n_cells, dtype=torch.float64, device=rows.device)
    rest = torch.empty(len(directions), dtype=torch.float64, device=rows.device)
    for index, line in enumerate(projections(rows, directions)):
        means[index], rest[index] = cell_means(line, n_cells)
    return means, rest


def projections(
    rows: Rows, directions: Float[Tensor, "pool feature"]
) -> Iterator[Float[Tensor, "row"]]:
    """Yield the sorted data along one direction after the other, reusing the same memory.

    As many directions as fit into ``CHUNK_VALUES``, but at least ``LEAST_DIRECTIONS``, are filled
    in one pass over the data.
    """
    size = min(max(LEAST_DIRECTIONS, CHUNK_VALUES // len(rows)), len(directions))
    buffer = torch.empty(size, len(rows), dtype=rows.dtype, device=rows.device)
    for chunk in directions.to(rows.device, rows.dtype).split(size):
        values, start = buffer[: len(chunk)], 0
        for block in rows.blocks():
            torch.matmul(chunk, block.T, out=values[:, start : start + len(block)])
            start += len(block)
        yield from sort_lines(values)


def sort_lines(values: Float[Tensor, "line row"]) -> Iterator[Float[Tensor, "row"]]:
    """Sort each line in place and yield it; on a CPU with numpy, whose sort is vectorised."""
    if values.is_cuda:
        yield from (line.sort().values for line in values)
        return
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        yield from pool.map(_sort_line, values)


def _sort_line(line: Float[Tensor, "row"]) -> Float[Tensor, "row"]:
    np.ndarray.sort(line.numpy())
    return line


def cell_means(
    ordered: Float[Tensor, "row"], n_cells: int
) -> tuple[Float[Tensor, "cell"], Float[Tensor, ""]]:
    """Average an empirical quantile function exactly over n equal cells of probability.

    The integral of an empirical quantile function is linear between its m steps, so that it is
    interpolated in the cumulative sum of the sorted values, in float64.

    Returns:
        The means, and the mean variance within the cells.
    """
    centre = ordered.mean(dtype=torch.float64)
    ordered = ordered.to(torch.float64, copy=True).sub_(centre)
    n_rows = len(ordered)
    total = ordered.new_zeros(n_rows + 1)
    torch.cumsum(ordered, 0, out=total[1:])
    edge = torch.arange(n_cells + 1, dtype=total.dtype, device=total.device) * (n_rows / n_cells)
    left = edge.long().clamp(max=n_rows - 1)
    integral = torch.lerp(total[left], total[left + 1], edge - left)
    means = integral.diff() * (n_cells / n_rows)
    spread = (ordered.dot(ordered) / n_rows - means.square().mean()).clamp(min=0)
    return means + centre, spread
