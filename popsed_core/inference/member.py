"""One member of the ensemble: its flow, its random streams, the data as it sees them.

Members that only start anew all make the same mistakes, and agree.  So each member, by default,
sees a bootstrap of the catalogue and is drawn to zero points that are a draw from their prior,
instead of to zero: optima of randomised objectives are draws from the posterior, exactly so where
the model is linear (Bardsley et al. 2014; Pearce et al. 2020, anchored ensembles).
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config import to_json
from popsed_core.inference.distance import build_distance, build_validation
from popsed_core.inference.features import build_features
from popsed_core.inference.flow import PopulationFlow
from popsed_core.inference.holdout import bootstrap, split_holdout
from popsed_core.inference.rows import FEW, Rows
from popsed_core.inference.task import FitTask
from popsed_core.parameters import NAMES
from popsed_core.photometry.catalogue import Catalogue
from popsed_core.runtime import generator


class Member:
    """All that belongs to one member alone.

    Attributes:
        failure: why its training diverged; empty while it has not.
        history: metrics of every epoch, by name.
    """

    def __init__(self, task: FitTask, catalogue: Catalogue, device: torch.device) -> None:
        """Start its flow at the identity, and prepare its distances.

        Args:
            task: names its streams; ``task.device`` is not used.
            catalogue: the observed galaxies.
            device: where it trains.

        Raises:
            InputError: the settings and the catalogue do not fit together.
        """
        self.task, self.config, self.device = task, task.fit, device
        self.flow = PopulationFlow.build(len(NAMES), self.config.flow, self._stream("flow"))
        self.flow.to(device)
        self.anchor = self._anchor(len(catalogue.bands)).to(device)
        self.zero_points = nn.Parameter(self.anchor.clone())
        self.weights = [*self.flow.parameters()]
        if self.config.zero_point_error > 0:
            self.weights.append(self.zero_points)
        self.optimiser = torch.optim.Adam(self.weights, lr=self.config.learning_rate.start)
        self._build_distances(catalogue)
        self.draws, self.validation_draws = self._stream("train"), self._stream("validate")
        self.history: dict[str, list[float]] = {}
        self.failure = ""

    def _stream(self, purpose: str) -> torch.Generator:
        return generator(self.task.seed, "fit", self.task.survey, self.task.member, purpose)

    def _anchor(self, n_bands: int) -> Float[Tensor, "band"]:
        """Return the zero points that this member is drawn to, and starts at [mag]."""
        if self.config.members != "randomised":
            return torch.zeros(n_bands)
        draw = torch.randn(n_bands, generator=self._stream("zero points"))
        return self.config.zero_point_error * draw

    def _build_distances(self, catalogue: Catalogue) -> None:
        mag = catalogue.mag
        kept, held = split_holdout(len(mag), self.config.holdout, self._stream("holdout"))
        # the order is random: the first are as good a sample as any
        sample = mag[kept[:FEW].numpy()].astype(np.float32)
        self.features = build_features(sample, catalogue.bands, self.config.features)
        self.features.to(self.device)
        if self.config.members == "randomised":
            kept = bootstrap(kept, self._stream("bootstrap"))
        n, kind = self.config.n_samples, self.config.distance
        seen = self.features.of_data
        train, judge = (Rows(mag, chosen, seen, self.device) for chosen in (kept, held))
        self.distance = build_distance(kind, train, n, self._stream("pool")).to(self.device)
        self.validation = build_validation(kind, judge, n, self._stream("held pool"))
        self.validation.to(self.device)

    def calibration_cost(self) -> Float[Tensor, ""]:
        """Return -log p of the zero points under their Gaussian prior, up to a constant [nat]."""
        if self.config.zero_point_error == 0:
            return self.zero_points.new_zeros(())
        moved = self.zero_points - self.anchor
        return 0.5 * (moved / self.config.zero_point_error).square().sum()

    def as_plain(self, source: str) -> dict[str, Any]:
        """Return what is kept of it: plain types, the same bytes for the same seed on CPU."""
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
            "history": self.history,
            "failure": self.failure,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return everything that its next epoch depends on."""
        return {
            "flow": self.flow.state_dict(),
            "zero_points": self.zero_points.detach(),
            "optimiser": self.optimiser.state_dict(),
            "draws": self.draws.get_state(),
            "validation_draws": self.validation_draws.get_state(),
            "history": self.history,
            "failure": self.failure,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.flow.load_state_dict(state["flow"])
        with torch.no_grad():
            self.zero_points.copy_(state["zero_points"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draws.set_state(state["draws"])
        self.validation_draws.set_state(state["validation_draws"])
        self.history, self.failure = state["history"], state["failure"]
