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

from popsed_core.inference.sliced import CHUNK_VALUES, draw_from_pool, unit_vectors


class CharacteristicFunction(nn.Module):
    """Mean squared difference of characteristic functions over random frequencies.

    Args:
        data: features of the catalogue.
        modulus: smallest and largest |frequency|, log-uniform between [1/feature].
        n_pool: frequencies at which the data's function is kept.
        n_step: frequencies drawn from the pool in each call.
        generator: CPU stream of the frequencies.
    """

    frequencies: Tensor
    data_cos: Tensor
    data_sin: Tensor

    def __init__(
        self, data: Float[Tensor, "row feature"], modulus: tuple[float, float],
        *, n_pool: int, n_step: int, generator: torch.Generator,
    ) -> None:  # fmt: skip
        super().__init__()
        frequencies = draw_frequencies(n_pool, data.shape[1], modulus, generator).to(data)
        data_cos, data_sin = characteristic_function(data.double(), frequencies.double())
        self.n_step = min(n_step, n_pool)
        self.register_buffer("frequencies", frequencies)
        self.register_buffer("data_cos", data_cos.to(data))
        self.register_buffer("data_sin", data_sin.to(data))

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
    data: Float[Tensor, "row feature"], frequencies: Float[Tensor, "pool feature"]
) -> tuple[Float[Tensor, "pool"], Float[Tensor, "pool"]]:
    """Return the real and imaginary parts of the empirical characteristic function."""
    total = data.new_zeros(2, len(frequencies))
    for chunk in data.split(max(1, CHUNK_VALUES // len(frequencies))):
        phase = chunk @ frequencies.T
        total += torch.stack((phase.cos().sum(0), phase.sin().sum(0)))
    cos, sin = total / len(data)
    return cos, sin
