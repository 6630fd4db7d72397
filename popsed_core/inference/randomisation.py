"""How the members of an ensemble differ, besides by their start: ``fit.members``.

Members that only start from other weights all make the same mistakes, and agree.  Those that are
randomised see a bootstrap of the catalogue each, and are drawn to calibration and priors that are
draws from what is known of them: optima of randomised objectives are draws from the posterior,
exactly so where the model is linear (Bardsley et al. 2014; Pearce et al. 2020, anchored ensembles).
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from popsed_core.config.parameters import ParameterConfig
from popsed_core.inference.holdout import bootstrap
from popsed_core.inference.lost_photons import LostPhotons
from popsed_core.inference.priors.prior_draws import draw_parameters
from popsed_core.inference.task import FitTask
from popsed_core.running.runtime import generator


class Restart:
    """The catalogue, the central calibration and the central prior (the paper).

    Attributes:
        data_scatter: variance of its data about the catalogue, over that of the catalogue itself.
    """

    data_scatter = 0.0

    def __init__(self, task: FitTask) -> None:
        self.task = task

    def zero_points(self, n_bands: int) -> Float[Tensor, "band"]:
        """Return the zero points that the member is drawn to, and starts at [mag]."""
        return torch.zeros(n_bands)

    def lost_photons(self) -> LostPhotons:
        """Return the share of lost photons, at its anchor; ``fit.f_lost`` is its prior."""
        return LostPhotons(self.task.fit.f_lost, None)

    def parameters(self) -> dict[str, ParameterConfig]:
        """Return the parameters with the member's prior."""
        return self.task.parameters

    def rows(self, kept: Int[Tensor, "row"]) -> Int[Tensor, "row"]:
        """Return the rows of the catalogue that the member sees, of those to train on."""
        return kept


class Randomised(Restart):
    """A bootstrap of the catalogue, and draws that are opposite within a pair of members."""

    data_scatter = 1.0

    def zero_points(self, n_bands: int) -> Float[Tensor, "band"]:
        """Return a draw from the prior of the zero points [mag]."""
        stream, sign = self._shared("zero points")
        return sign * self.task.fit.zero_point_error * torch.randn(n_bands, generator=stream)

    def lost_photons(self) -> LostPhotons:
        """Return the share of lost photons, at a draw from its prior."""
        return LostPhotons(self.task.fit.f_lost, *self._shared("lost photons"))

    def parameters(self) -> dict[str, ParameterConfig]:
        """Return the parameters with a draw of what is uncertain in their prior."""
        return draw_parameters(self.task.parameters, *self._shared("prior"))

    def rows(self, kept: Int[Tensor, "row"]) -> Int[Tensor, "row"]:
        """Return a bootstrap of the rows."""
        return bootstrap(kept, self._stream(self.task.member, "bootstrap"))

    def _shared(self, purpose: str) -> tuple[torch.Generator, float]:
        """Return the stream that it shares with its pair, and the sign of its draws."""
        first, sign = self.task.pair
        return self._stream(first, purpose), sign

    def _stream(self, member: int, purpose: str) -> torch.Generator:
        return generator(self.task.seed, "fit", self.task.survey, member, purpose)


RANDOMISATIONS = {"randomised": Randomised, "restarts": Restart}


def randomisation(task: FitTask) -> Restart:
    """Return the randomisation that ``fit.members`` of a task names."""
    return RANDOMISATIONS[task.fit.members](task)
