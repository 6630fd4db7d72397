"""Squared difference of characteristic functions, at random frequencies.

phi(w) = E[exp(i w.x)].  Two populations are the same if their phi agree everywhere; unlike
transport, the estimate from n samples is unbiased once the diagonal terms are removed (a
U-statistic), so that its minimum is at the truth for any n.  The data's phi is computed once
over the whole catalogue.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.inference.distances.rows import Rows, as_rows
from popsed_core.inference.distances.sliced import draw_from_pool, unit_vectors

CHUNK_VALUES = 1 << 22  # [values] of sines and cosines held at a time


class CharacteristicFunction(nn.Module):
    """Mean squared difference of characteristic functions over random frequencies.

    Args:
        data: features of the catalogue, or where to read them.
        modulus: smallest and largest |frequency|, log-uniform between [1/feature].
        n_pool: frequencies at which the data's function is kept.
        n_step: frequencies drawn from the pool in each call.
        generator: CPU stream of the frequencies.
    """

    frequencies: Tensor
    data_cos: Tensor
    data_sin: Tensor

    def __init__(
        self, data: Rows | Float[Tensor, "row feature"], modulus: tuple[float, float],
        *, n_pool: int, n_step: int, generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        rows = as_rows(data)
        frequencies = draw_frequencies(n_pool, rows.n_features, modulus, generator).to(rows.given)
        data_cos, data_sin = characteristic_function(rows, frequencies)
        self.n_step = min(n_step, n_pool)
        self.register_buffer("frequencies", frequencies.to(rows.device))
        self.register_buffer("data_cos", data_cos.to(rows.given))
        self.register_buffer("data_sin", data_sin.to(rows.given))

    def forward(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the mean of |phi_x - phi_data|^2 over ``n_step`` frequencies, unbiased in n.

        It may be slightly negative near the optimum.  The data's own diagonal is a constant
        and stays in.

        Args:
            x: features of the samples, at least two.
            generator: CPU stream that chooses the frequencies.
            progress: fraction of the run; not used.
        """
        chosen = draw_from_pool(len(self.frequencies), self.n_step, generator).to(x.device)
        phase = x @ self.frequencies[chosen].T
        cos, sin = phase.cos().mean(0), phase.sin().mean(0)
        difference = (cos - self.data_cos[chosen]).square() + (sin - self.data_sin[chosen]).square()
        diagonal = (1 - cos.square() - sin.square()) / (len(x) - 1)
        return (difference - diagonal).mean()


def draw_frequencies(
    n: int, n_features: int, modulus: tuple[float, float], generator: torch.Generator
) -> Float[Tensor, "pool feature"]:
    """Draw frequencies: directions uniform on the sphere, moduli log-uniform in a range."""
    low, high = (math.log(value) for value in modulus)
    directions = unit_vectors(n, n_features, generator)
    return directions * (low + (high - low) * torch.rand(n, 1, generator=generator)).exp()


def characteristic_function(
    rows: Rows, frequencies: Float[Tensor, "pool feature"]
) -> tuple[Float[Tensor, "pool"], Float[Tensor, "pool"]]:
    """Return the real and imaginary parts of the empirical characteristic function."""
    frequencies = frequencies.to(rows.device, rows.dtype)
    total = torch.zeros(2, len(frequencies), dtype=torch.float64, device=rows.device)
    for block in rows.blocks():
        for chunk in block.split(max(1, CHUNK_VALUES // len(frequencies))):
            phase = chunk @ frequencies.T
            total[0] += phase.cos().sum(0)
            total[1] += phase.sin_().sum(0)
    cos, sin = total / len(rows)
    return cos, sin
