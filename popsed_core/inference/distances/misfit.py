"""The misfit that a member minimises, between the galaxies of its flow and the catalogue.

A misfit takes true fluxes, at the member's zero points, and returns one number.  ``DrawnMisfit``
draws the survey's noise and uses a distance between samples; ``ExpectedMisfit`` (its own module)
averages over the noise exactly.  ``build_misfits`` chooses by the configuration.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.distances import ExpectedConfig
from popsed_core.config.fit import FitConfig
from popsed_core.config.schedules import NoiseAnnealing
from popsed_core.inference import schedules
from popsed_core.inference.distances.build import (
    PopulationDistance,
    build_distance,
    build_validation,
)
from popsed_core.inference.distances.expected_misfit import build_expected
from popsed_core.inference.distances.features import Features
from popsed_core.inference.distances.rows import Rows
from popsed_core.inference.distances.seen import Seen
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import MIN_MAGGIES

FULL_NOISE = NoiseAnnealing(amplitude=0.0)


@runtime_checkable
class Misfit(Protocol):
    """The interface of all misfits.

    Attributes:
        n_draws: galaxies that a call expects.
        features: the space in which galaxies are compared.
    """

    n_draws: int
    features: nn.Module

    def __call__(
        self, maggies: Float[Tensor, "galaxy band"], draws: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the misfit of galaxies of these true fluxes.

        Args:
            maggies: true fluxes at the member's zero points.
            draws: CPU stream of the random numbers of the comparison.
            progress: fraction of the run.
        """


class DrawnMisfit(nn.Module):
    """The distance between features of noisy draws and of the catalogue."""

    def __init__(
        self,
        forward: ForwardModel,
        features: Features,
        distance: PopulationDistance,
        *,
        n_draws: int,
        annealing: NoiseAnnealing,
    ) -> None:
        """Combine the parts.

        Args:
            forward: adds the noise.
            features: the map from magnitudes to features.
            distance: between samples of features and the catalogue's.
            n_draws: galaxies of a call.
            annealing: how the noise grows during the run.
        """
        super().__init__()
        self.observe = forward.observe
        self.features, self.distance = features, distance
        self.n_draws, self.annealing = n_draws, annealing

    def forward(
        self, maggies: Float[Tensor, "galaxy band"], draws: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the distance; arguments as for :class:`Misfit`."""
        reduction = schedules.noise_reduction(progress, self.annealing)
        noisy, _ = self.observe(maggies, draws, reduction)
        mag = -2.5 * torch.log10(noisy.clamp(min=MIN_MAGGIES))
        return self.distance(self.features(mag), draws, progress)


def build_misfits(
    seen: Seen,
    forward: ForwardModel,
    fit: FitConfig,
    stream: Callable[[str], torch.Generator],
) -> tuple[Misfit, Misfit]:
    """Make the misfits to the galaxies to train on and to those held out.

    Args:
        seen: the member's data.
        forward: the survey's forward model, on the member's device.
        fit: training settings.
        stream: the member's stream of a purpose.

    Raises:
        InputError: fewer than two samples or rows, or a backend that does not work here.
    """
    if isinstance(fit.distance, ExpectedConfig):
        return build_expected(seen, forward, fit, stream("pool"))
    device = seen.features.shift.device
    rows = [
        Rows(seen.mag, chosen, seen.features.of_data, device) for chosen in (seen.kept, seen.held)
    ]
    n = fit.n_samples
    pairs = (
        (build_distance(fit.distance, rows[0], n, stream("pool")), fit.noise_annealing),
        (build_validation(fit.distance, rows[1], n, stream("held pool")), FULL_NOISE),
    )
    train, validation = (
        DrawnMisfit(forward, seen.features, distance.to(device), n_draws=n, annealing=annealing)
        for distance, annealing in pairs
    )
    return train, validation
