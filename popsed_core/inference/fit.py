"""Fit one member: move a flow until the photometry it predicts is distributed as observed.

    loss = distance(features(predicted), features(observed)) + beta KL(q || prior)

and, with beta, the prior of the zero points, which absorb what calibration and spectra disagree
in; after Li et al. 2023, section 2.5, with the population prior in the objective (beta = 0 is the
paper).  Every epoch ends with the distance to held-out galaxies.

Members that only start anew all make the same mistakes, and agree.  So each member, by default,
sees a bootstrap of the catalogue and is drawn to zero points that are a draw from their prior,
instead of to zero: optima of randomised objectives are draws from the posterior, exactly so where
the model is linear (Bardsley et al. 2014; Pearce et al. 2020, anchored ensembles).
"""

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core import loop
from popsed_core.config import FitConfig, ParameterConfig, SpectraConfig, to_json
from popsed_core.inference import schedules
from popsed_core.inference.distance import build_distance, build_validation
from popsed_core.inference.features import build_features
from popsed_core.inference.flow import PopulationFlow
from popsed_core.inference.forward import ForwardModel
from popsed_core.inference.holdout import bootstrap, split_holdout
from popsed_core.inference.prior import PopulationPrior
from popsed_core.inference.space import ParameterSpace
from popsed_core.learning_rate import one_cycle
from popsed_core.parameters import NAMES
from popsed_core.photometry.catalogue import Catalogue
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.selection import Selection
from popsed_core.photometry.synthetic import build_photometry
from popsed_core.runtime import generator, peak_memory_mb, pick_device
from popsed_core.spectra.emulator import Segment, fingerprint_of
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.theta import Theta

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitTask:
    """What identifies a fit, but for its input files.

    Attributes:
        survey: name of the survey; with member and seed it names the random streams.
        member: index within the ensemble.
        seed: the run's seed.
        fit: training settings.
        spectra: stellar-population model.
        parameters: box, coordinate and prior of each parameter.
        device: ``auto``, ``cpu`` or ``cuda``; part of no identity.
    """

    survey: str
    member: int
    seed: int
    fit: FitConfig
    spectra: SpectraConfig
    parameters: dict[str, ParameterConfig]
    device: str = "cpu"


@dataclass(frozen=True)
class Survey:
    """The input files of a fit; the emulator where ``spectra.engine`` asks for it."""

    grid: SSPGrid
    catalogue: Catalogue
    noise: NoiseTable
    emulator: Sequence[Segment] | None = None


def build_forward(
    task: FitTask, survey: Survey, device: torch.device, dtype: torch.dtype = torch.float32
) -> ForwardModel:
    """Build the forward model of a survey over the redshift range of the parameters.

    Raises:
        InputError: a filter is unknown or not covered by the spectra, or there is no emulator.
    """
    redshift = task.parameters["redshift"]
    photometry = build_photometry(
        survey.grid, survey.catalogue.filters, task.spectra, (redshift.low, redshift.high),
        survey.emulator,
    )  # fmt: skip
    model = ForwardModel(photometry, NoiseModel(survey.noise), task.fit.model_error)
    return model.to(device=device, dtype=dtype)


class FlowFit:
    """The training job of one member, for :func:`popsed_core.loop.run`."""

    def __init__(self, task: FitTask, survey: Survey) -> None:
        """Build all parts; opens no file.

        Raises:
            InputError: the configuration and the data do not fit together.
        """
        self.task, self.config = task, task.fit
        self.n_epochs = task.fit.n_epochs
        self.device = pick_device(task.device)
        self.space = ParameterSpace(task.parameters)
        self.prior = PopulationPrior(task.parameters, task.spectra.cosmology)
        self.forward = build_forward(task, survey, self.device)
        self.flow = PopulationFlow.build(len(NAMES), self.config.flow, self._stream("flow"))
        self.flow.to(self.device)
        self.weights = [*self.flow.parameters()]
        self.anchor = self._anchor()
        if self.config.zero_point_error > 0:
            self.weights.append(self.forward.zero_points)
        self.optimiser = torch.optim.Adam(self.weights, lr=self.config.learning_rate.start)
        self._build_distances(survey.catalogue)
        self.draws, self.validation_draws = self._stream("train"), self._stream("validate")
        self.history: dict[str, list[float]] = {}

    def _stream(self, purpose: str) -> torch.Generator:
        return generator(self.task.seed, "fit", self.task.survey, self.task.member, purpose)

    def _anchor(self) -> Float[Tensor, "band"]:
        """Return the zero points that this member is drawn to, and start there [mag]."""
        zero_points = self.forward.zero_points
        anchor = torch.zeros_like(zero_points)
        if self.config.members == "randomised":
            draw = torch.randn(len(zero_points), generator=self._stream("zero points"))
            anchor = self.config.zero_point_error * draw.to(zero_points)
        with torch.no_grad():
            zero_points.copy_(anchor)
        return anchor

    def _build_distances(self, catalogue: Catalogue) -> None:
        mag = torch.as_tensor(catalogue.mag, dtype=torch.float32)
        kept, held = split_holdout(mag, self.config.holdout, self._stream("holdout"))
        self.features = build_features(kept, catalogue.bands, self.config.features)
        if self.config.members == "randomised":
            kept = bootstrap(kept, self._stream("bootstrap"))
        limits = self.config.selection
        self.selection = None if limits is None else Selection(catalogue, limits).to(self.device)
        n, kind = self.config.n_samples, self.config.distance
        self.distance = build_distance(kind, self.features(kept), n, self._stream("pool"))
        self.validation = build_validation(kind, self.features(held), n, self._stream("held pool"))
        for module in (self.prior, self.features, self.distance, self.validation):
            module.to(self.device)

    def epoch(self, index: int) -> dict[str, float]:
        """Do one epoch of optimiser steps and a validation.

        Raises:
            FloatingPointError: the loss is not finite; names epoch, step and the first bad rows.
        """
        steps = [self.step(index, step) for step in range(self.config.n_steps)]
        means = torch.tensor(steps).mean(0).tolist()
        metrics = dict(zip(("distance", "prior_kl", "gradient"), means, strict=True))
        metrics["validation"] = self.validate()
        metrics["learning_rate"] = self.optimiser.param_groups[0]["lr"]
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        return metrics

    def step(self, epoch: int, step: int) -> tuple[float, float, float]:
        """Do one optimiser step; return distance, KL(q || prior) [nat] and size of the gradient.

        Raises:
            FloatingPointError: loss or gradient are not finite; names the first bad rows.
        """
        config = self.config
        progress = (epoch + step / config.n_steps) / config.n_epochs
        self.optimiser.param_groups[0]["lr"] = one_cycle(progress, config.learning_rate)
        distance, divergence, theta, predicted = self.losses(progress)
        beta = schedules.prior_weight(progress, config.prior_weight)
        loss = distance + beta * (divergence + self.calibration_cost())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(self.weights, config.max_gradient)
        if not (torch.isfinite(loss) and torch.isfinite(size)):
            raise FloatingPointError(_blame(epoch, step, loss, (*theta, predicted)))
        self.optimiser.step()
        return distance.item(), divergence.item(), size.item()

    def losses(
        self, progress: float
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Theta, Float[Tensor, "galaxy band"]]:
        """Return the distance to the data, KL(q || prior), and the draws they were taken on.

        The prior is of observed galaxies where ``selection`` is configured: p(theta) S(predicted),
        up to a constant.
        The draws are their parameters and the magnitudes predicted for them [mag].
        """
        reduction = schedules.noise_reduction(progress, self.config.noise_annealing)
        u, log_density = self.flow.sample(self.config.n_samples, self.draws)
        theta = self.space.to_theta(u)
        predicted = self.forward(theta, self.draws, reduction)
        distance = self.distance(self.features(predicted), self.draws, progress)
        divergence = self.prior.divergence(theta, u, log_density, self.space)
        if self.selection is not None:
            divergence = divergence - self.selection(predicted).mean()
        return distance, divergence, theta, predicted

    def calibration_cost(self) -> Float[Tensor, ""]:
        """Return -log p of the zero points under their Gaussian prior, up to a constant [nat]."""
        if self.config.zero_point_error == 0:
            return self.forward.zero_points.new_zeros(())
        moved = self.forward.zero_points - self.anchor
        return 0.5 * (moved / self.config.zero_point_error).square().sum()

    @torch.no_grad()
    def validate(self) -> float:
        """Return the distance of fresh draws, at full noise, to the held-out galaxies."""
        u, _ = self.flow.sample(self.config.n_samples, self.validation_draws)
        predicted = self.forward(self.space.to_theta(u), self.validation_draws)
        return self.validation(self.features(predicted), self.validation_draws, 1.0).item()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on."""
        return {
            "flow": self.flow.state_dict(),
            "zero_points": self.forward.zero_points.detach(),
            "optimiser": self.optimiser.state_dict(),
            "draws": self.draws.get_state(),
            "validation_draws": self.validation_draws.get_state(),
            "history": self.history,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.flow.load_state_dict(state["flow"])
        with torch.no_grad():
            self.forward.zero_points.copy_(state["zero_points"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draws.set_state(state["draws"])
        self.validation_draws.set_state(state["validation_draws"])
        self.history = state["history"]


def fit_member(
    task: FitTask, survey: Survey, checkpoint: Path | None = None
) -> tuple[dict[str, Any], dict[str, float]]:
    """Train one member, resuming from ``checkpoint`` if it exists.

    Returns:
        The member (plain types, the same bytes for the same seed on CPU; ``failure`` says why if
        its training diverged) and what this run cost: ``seconds`` of its own, ``peak_memory_mb``.

    Raises:
        InputError: bad input, or a checkpoint of another configuration.
    """
    start, failure = time.monotonic(), ""
    job = FlowFit(task, survey)
    try:
        loop.run(job, checkpoint, fingerprint(task, survey))
    except FloatingPointError as error:
        failure = str(error)
        log.warning("%s; the ensemble does without this member", failure)
    member = {
        "survey": task.survey,
        "member": task.member,
        "seed": task.seed,
        "config": to_json(task.fit),
        "spectra": to_json(task.spectra),
        "parameters": to_json(task.parameters),
        "source": survey.catalogue.source,
        "flow": {name: value.cpu() for name, value in job.flow.state_dict().items()},
        "zero_points": job.forward.zero_points.detach().cpu(),
        "history": job.history,
        "failure": failure,
    }
    cost = {"seconds": time.monotonic() - start, "peak_memory_mb": peak_memory_mb()}
    return member, cost


def fingerprint(task: FitTask, survey: Survey) -> str:
    """Return a hash of all that a checkpoint depends on: settings and data, not the device."""
    digest = hashlib.sha256(to_json(replace(task, device="")).encode())
    for artefact in (survey.grid, survey.catalogue, survey.noise):
        for name, value in asdict(artefact).items():
            content = value.tobytes() if hasattr(value, "tobytes") else repr(value).encode()
            digest.update(name.encode() + content)
    digest.update(fingerprint_of(survey.emulator or ()).encode())
    return digest.hexdigest()[:16]


def _blame(epoch: int, step: int, loss: Tensor, draws: Sequence[Tensor]) -> str:
    bad = ~torch.isfinite(torch.column_stack(tuple(draws))).all(1)
    rows = bad.nonzero()[:5, 0].tolist() or "none (gradient only)"
    return (
        f"fit diverged in epoch {epoch + 1}, step {step + 1}: loss {loss.item()}, first bad rows "
        f"{rows}; lower fit.learning_rate.peak"
    )
