"""One member of the ensemble: its flow, its random streams, its data.

What is its own of data, calibration and prior is said by ``randomisation.py``.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.base import to_json
from popsed_core.inference.distances.features import build_features
from popsed_core.inference.distances.misfit import Misfit, build_misfits
from popsed_core.inference.distances.rows import FEW
from popsed_core.inference.distances.seen import Seen
from popsed_core.inference.flow import PopulationFlow
from popsed_core.inference.holdout import split_holdout
from popsed_core.inference.lost_photons import LostPhotons
from popsed_core.inference.randomisation import randomisation
from popsed_core.inference.task import FitTask
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.parameters import NAMES
from popsed_core.photometry.forward import ForwardModel
from popsed_core.running.runtime import generator
from popsed_core.surveys.catalogue import Catalogue


class Member:
    """Everything that belongs to a single member.

    Attributes:
        failure: why its training diverged; empty while it has not.
        history: metrics of every epoch, by name.
        objective: where the training ended: ``value`` and the ``floor`` expected at the truth;
            empty where no expectation is known.
    """

    def __init__(
        self, task: FitTask, catalogue: Catalogue, forward: ForwardModel, device: torch.device
    ) -> None:
        """Start its flow at the identity, and prepare its misfits.

        Args:
            task: names its streams; ``task.device`` is not used.
            catalogue: the observed galaxies.
            forward: the survey's forward model, on the same device.
            device: where it trains.

        Raises:
            InputError: the settings and the catalogue do not fit together.
        """
        self.task, self.config, self.device = task, task.fit, device
        self.flow = PopulationFlow.build(len(NAMES), self.config.flow, self.stream("flow"))
        self.flow.to(device)
        self.randomisation = randomisation(task)
        self.anchor = self.randomisation.zero_points(len(catalogue.bands)).to(device)
        self.zero_points = nn.Parameter(self.anchor.clone())
        self.lost_photons = self._lost_photons(forward)
        self.weights = [*self.flow.parameters()]
        if self.config.zero_point_error > 0:
            self.weights.append(self.zero_points)
        if self.lost_photons is not None:
            self.weights.extend(self.lost_photons.parameters())
        self.optimiser = torch.optim.Adam(self.weights, lr=self.config.learning_rate.start)
        self.misfit, self.validation = self._build_misfits(catalogue, forward)
        self.draws, self.validation_draws = self.stream("train"), self.stream("validate")
        self.history: dict[str, list[float]] = {}
        self.objective: dict[str, float] = {}
        self.failure = ""

    def stream(self, purpose: str) -> torch.Generator:
        """Return its random stream for a purpose."""
        return generator(self.task.seed, "fit", self.task.survey, self.task.member, purpose)

    def _lost_photons(self, forward: ForwardModel) -> LostPhotons | None:
        """Return f_lost as a fitted quantity; None if there is no nebular light."""
        if self.config.f_lost is None or not forward.has_nebular:
            return None
        return self.randomisation.lost_photons().to(self.device)

    @property
    def f_lost(self) -> Float[Tensor, ""] | None:
        """The share of ionising photons lost; None where none is fitted."""
        return None if self.lost_photons is None else self.lost_photons()

    def _build_misfits(self, catalogue: Catalogue, forward: ForwardModel) -> tuple[Misfit, Misfit]:
        mag = catalogue.mag
        kept, held = split_holdout(len(mag), self.config.holdout, self.stream("holdout"))
        # the order is random: the first are as good a sample as any
        sample = mag[kept[:FEW].numpy()].astype(np.float32)
        features = build_features(sample, catalogue.bands, self.config.features)
        seen = Seen(mag, self.randomisation.rows(kept), held, features.to(self.device))
        return build_misfits(seen, forward, self.config, self.stream)

    def calibration_cost(self) -> Float[Tensor, ""]:
        """Return -log p of zero points and lost photons under their priors [nat].

        Up to a constant; the priors' centres are the anchors.
        """
        cost = self.zero_points.new_zeros(())
        if self.config.zero_point_error > 0:
            moved = self.zero_points - self.anchor
            cost = cost + 0.5 * (moved / self.config.zero_point_error).square().sum()
        return cost if self.lost_photons is None else cost + self.lost_photons.cost()

    def as_plain(self, source: str) -> TrainedMember:
        """Return the trained member as plain types, the same bytes for the same seed on CPU."""
        return {
            "survey": self.task.survey,
            "member": self.task.member,
            "seed": self.task.seed,
            "config": to_json(self.task.fit),
            "spectra": to_json(self.task.spectra),
            "parameters": to_json(self.task.parameters),
            "source": source,
            "flow": {name: value.cpu() for name, value in self.flow.state_dict().items()},
            "zero_points": self.zero_points.detach().cpu(),
            "f_lost": None if self.lost_photons is None else self.lost_photons().item(),
            "objective": self.objective,
            "history": self.history,
            "failure": self.failure,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return everything that its next epoch depends on."""
        return {
            "flow": self.flow.state_dict(),
            "zero_points": self.zero_points.detach(),
            "lost_photons": self._lost_state(),
            "optimiser": self.optimiser.state_dict(),
            "draws": self.draws.get_state(),
            "validation_draws": self.validation_draws.get_state(),
            "history": self.history,
            "failure": self.failure,
        }

    def _lost_state(self) -> dict[str, Tensor]:
        return {} if self.lost_photons is None else self.lost_photons.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        if self.lost_photons is not None:
            self.lost_photons.load_state_dict(state["lost_photons"])
        self.flow.load_state_dict(state["flow"])
        with torch.no_grad():
            self.zero_points.copy_(state["zero_points"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draws.set_state(state["draws"])
        self.validation_draws.set_state(state["validation_draws"])
        self.history, self.failure = state["history"], state["failure"]
