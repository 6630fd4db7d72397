"""Distances between samples and the catalogue; the only module that imports geomloss.

Each is an object with one call, ``distance(x, generator, progress)``: Sinkhorn (here), sliced
Wasserstein, its unbiased square and characteristic function (their own modules), and weighted
sums.
``build_distance`` chooses by the configuration.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from geomloss import SamplesLoss
from jaxtyping import Float, Int
from torch import Tensor, nn

from popsed_core.config.distances import (
    CharacteristicConfig,
    CombinedConfig,
    Distance,
    DistanceTerm,
    PlainDistance,
    SinkhornConfig,
    SlicedConfig,
    UnbiasedSlicedConfig,
)
from popsed_core.errors import InputError
from popsed_core.inference import schedules
from popsed_core.inference.distances.characteristic import CharacteristicFunction
from popsed_core.inference.distances.rows import FEW, Rows, as_rows
from popsed_core.inference.distances.sliced import SlicedWasserstein, draw_from_pool
from popsed_core.inference.distances.unbiased_sliced import UnbiasedSliced
from popsed_core.running.keops import keops_fault

VALIDATION_POOL = 4  # [calls] the validation distance averages as much as this many steps


@runtime_checkable
class PopulationDistance(Protocol):
    """The interface of all distances."""

    def __call__(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the distance of the samples to the catalogue."""


class Sinkhorn(nn.Module):
    """Debiased Sinkhorn divergence to rows drawn from the catalogue (Feydy et al. 2019).

    With p = 2 the cost is |x - y|^2 / 2, with p = 1 it is |x - y|; the entropic temperature is
    blur^p.

    Args:
        data: features of the catalogue, or where to read them.
        config: p, blur schedule, scaling, backend, rows per call.

    Raises:
        InputError: the backend needs KeOps, which does not work on this machine.
    """

    def __init__(self, data: Rows | Float[Tensor, "row feature"], config: SinkhornConfig) -> None:
        super().__init__()
        if config.backend != "tensorized" and (fault := keops_fault()):
            raise InputError(
                f"fit.distance.backend: {config.backend} needs KeOps, which does not work here: "
                f"{fault}; use `backend: tensorized`, or see `popsed doctor`"
            )
        self.config, self.rows = config, as_rows(data)

    def forward(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the divergence at the blur of ``progress``.

        Args:
            x: features of the samples.
            generator: CPU stream that chooses the rows of the catalogue.
            progress: fraction of the run.
        """
        index = draw_rows(len(self.rows), self.config.n_data, generator)
        loss = SamplesLoss(
            "sinkhorn",
            p=self.config.p,
            blur=schedules.blur(progress, self.config.blur),
            scaling=self.config.scaling,
            backend=self.config.backend,
        )
        return loss(x, self.rows.take(index).to(x.device))


def draw_rows(n_rows: int, n: int, generator: torch.Generator) -> Int[Tensor, "some"]:
    """Draw n distinct rows; from very many, with replacement, which hardly ever repeats one."""
    if n_rows > FEW:
        return torch.randint(n_rows, (n,), generator=generator)
    return draw_from_pool(n_rows, n, generator)


class Combined(nn.Module):
    """A weighted sum of distances.

    They complement each other: transport sees the full range and tails, characteristic functions
    see structure as fine as the noise, below the sample noise of transport.

    Args:
        parts: the distances.
        weights: one for each, > 0.
    """

    def __init__(self, parts: Sequence[PopulationDistance], weights: Sequence[float]) -> None:
        super().__init__()
        self.parts, self.weights = nn.ModuleList(parts), tuple(weights)

    def forward(
        self, x: Float[Tensor, "sample feature"], generator: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the sum; the parts draw from the generator one after the other.

        Args:
            x: features of the samples.
            generator: CPU stream.
            progress: fraction of the run.
        """
        pairs = zip(self.weights, self.parts, strict=True)
        return torch.stack([weight * part(x, generator, progress) for weight, part in pairs]).sum()


def build_distance(
    config: Distance,
    data: Rows | Float[Tensor, "row feature"],
    n_samples: int,
    generator: torch.Generator,
) -> PopulationDistance:
    """Make the distance of a configuration.

    Args:
        config: kind and settings.
        data: features of the catalogue, or where to read them; the distance lives on their device.
        n_samples: synthetic galaxies in each call.
        generator: CPU stream of the pool of directions or frequencies.

    Raises:
        InputError: fewer than two samples or rows, or a backend that does not work here.
    """
    if min(n_samples, len(data)) < 2:
        raise InputError(
            f"fit: got {n_samples} samples and {len(data)} galaxies, expected at least 2 of each; "
            "check n_samples, holdout and the survey's cuts"
        )
    if isinstance(config, CombinedConfig):
        parts = [build_distance(term.distance, data, n_samples, generator) for term in config.terms]
        return Combined(parts, [term.weight for term in config.terms])
    if isinstance(config, SinkhornConfig):
        return Sinkhorn(data, config)
    pool = {"n_pool": config.n_pool, "n_step": config.n_step, "generator": generator}
    if isinstance(config, SlicedConfig):
        return SlicedWasserstein(data, n_samples, p=config.p, **pool)
    if isinstance(config, UnbiasedSlicedConfig):
        return UnbiasedSliced(data, n_samples, **pool)
    return CharacteristicFunction(data, (config.low, config.high), **pool)


def build_validation(
    config: Distance,
    held_out: Rows | Float[Tensor, "row feature"],
    n_samples: int,
    generator: torch.Generator,
) -> PopulationDistance:
    """Make the distance to held-out rows, with less noise from the choice of directions.

    The pool is small and used in full in every call, so that two calls differ only by their
    samples; an unbiased distance, which may be negative, is replaced by the plain one.
    Arguments and errors as :func:`build_distance`.
    """
    return build_distance(_for_validation(config), held_out, n_samples, generator)


def _for_validation(config: Distance) -> Distance:
    if isinstance(config, CombinedConfig):
        terms = [DistanceTerm(term.weight, _plain(term.distance)) for term in config.terms]
        return replace(config, terms=tuple(terms))
    return _plain(config)


def _plain(config: PlainDistance) -> PlainDistance:
    if isinstance(config, UnbiasedSlicedConfig):
        config = SlicedConfig(p=2, n_pool=config.n_pool, n_step=config.n_step)
    if isinstance(config, SlicedConfig | CharacteristicConfig):
        n_pool = min(config.n_pool, VALIDATION_POOL * config.n_step)
        config = replace(config, n_pool=n_pool, n_step=n_pool)
    return config
