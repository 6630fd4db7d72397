"""Squared sliced Wasserstein distance without the bias of small samples.

The k-th of n sorted samples scatters about its mean, and the mean square of its distance to the
data's quantile function counts that scatter as distance.  A population that is too narrow scatters
less, so the plain estimate has its minimum there.  Here a step's samples are two independent halves
a and b of m each, and along one direction

    mean_k (a_(k) - r_k) (b_(k) - r_k),    r_k = E[k-th of m draws from the data],

whose expectation is mean_k (E[a_(k)] - r_k)^2: zero at the data's own population for any m, and
positive elsewhere.  A single value may be negative.
"""

import functools

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import betainc
from torch import Tensor, nn

from popsed_core.inference.distances.rows import Rows, as_rows
from popsed_core.inference.distances.sliced import draw_from_pool, pool_quantiles, unit_vectors

N_CELLS = 8192  # of the quantile function, from which expected order statistics are made
ORDERS = 512  # order statistics whose weights are held at a time


class UnbiasedSliced(nn.Module):
    """Mean over random directions of an unbiased W2^2 in one dimension.

    Args:
        data: features of the catalogue, or where to read them.
        n_samples: size of the samples that will be compared with it; the last of an odd number
            is not used.
        n_pool: directions whose expected order statistics are kept.
        n_step: directions drawn from the pool in each call.
        generator: CPU stream of the directions.
    """

    directions: Tensor
    expected: Tensor

    def __init__(
        self, data: Rows | Float[Tensor, "row feature"], n_samples: int,
        *, n_pool: int, n_step: int, generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        rows = as_rows(data)
        directions = unit_vectors(n_pool, rows.n_features, generator)
        expected = expected_order(rows, directions, n_samples // 2)
        self.n_step = min(n_step, n_pool)
        self.register_buffer("directions", directions.to(rows.device, rows.given))
        self.register_buffer("expected", expected.to(rows.device, rows.given))

    def forward(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the mean of the unbiased W2^2 over ``n_step`` directions of the pool.

        Args:
            x: features of independent samples; as many as the expectations were made for.
            generator: CPU stream that chooses the directions.
            progress: fraction of the run; not used.
        """
        m = self.expected.shape[1]
        if len(x) // 2 != m:
            raise ValueError(f"x: got {len(x)} samples, expected {2 * m}")
        chosen = draw_from_pool(len(self.directions), self.n_step, generator).to(x.device)
        halves = (self.directions[chosen] @ x[: 2 * m].T).unflatten(1, (2, m))
        first, second = (halves.sort(dim=2).values - self.expected[chosen, None]).unbind(1)
        return (first * second).mean()


def expected_order(
    rows: Rows, directions: Float[Tensor, "pool feature"], m: int
) -> Float[Tensor, "pool order"]:
    """Return the expected k-th smallest of m draws from the data, along each direction.

    E[x_(k)] = int Q(p) Beta(p; k, m - k + 1) dp over the quantile function Q.
    """
    means, _ = pool_quantiles(rows, directions, N_CELLS)
    parts = [
        means @ torch.from_numpy(order_weights(first, m, N_CELLS)).to(means.device).T
        for first in range(1, m + 1, ORDERS)
    ]
    return torch.cat(parts, dim=1)


@functools.lru_cache(maxsize=2)  # members of one job need the same
def order_weights(first: int, m: int, n_cells: int) -> Float[np.ndarray, "order cell"]:
    """Return the probability that the k-th smallest of m uniform draws falls into each cell.

    Args:
        first: the smallest k of those returned, ``ORDERS`` at most.
        m: draws.
        n_cells: of equal probability.
    """
    k = np.arange(first, min(first + ORDERS, m + 1))[:, None]
    return np.diff(betainc(k, m - k + 1, np.linspace(0, 1, n_cells + 1)), axis=1)
