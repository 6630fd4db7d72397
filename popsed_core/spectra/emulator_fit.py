"""Train the network of one wavelength segment on fresh spectra from the prior.

weighted loss = mean over galaxies of the root-mean-square error of log L_nu over the pixels: the
components enter by their variance, and the root keeps the few hardest galaxies from ruling it.
unweighted loss = mean square error of all components alike, as in Li et al. 2023, appendix A.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core import loop
from popsed_core.config import (
    EmulatorConfig,
    ParameterConfig,
    SpectraConfig,
    TrainingSetConfig,
    to_json,
)
from popsed_core.errors import InputError
from popsed_core.learning_rate import one_cycle
from popsed_core.runtime import generator, pick_device
from popsed_core.spectra.emulator_data import (
    BLOCK,
    LN10,
    SpectrumSource,
    principal_components,
    segment_edges,
)
from popsed_core.spectra.emulator_network import SegmentNetwork
from popsed_core.spectra.ssp import SSPGrid

N_BASIS = 20_000  # spectra that the principal components are taken of
N_VALIDATION = 5000  # spectra never trained on
N_REUSE = 4  # steps that see each fresh spectrum
SMALLEST_ERROR = 1e-10  # [dex^2] rounds the corner of the root at zero
ADAM = {"betas": (0.9, 0.99)}


@dataclass(frozen=True)
class SegmentTask:
    """What identifies the training of one segment, but for the SSP table.

    Attributes:
        segment: its index, from 0.
        seed: the run's seed.
        emulator, training, spectra: sections of the configuration.
        parameters: boxes of the training prior.
        device: ``auto``, ``cpu`` or ``cuda``; part of no identity.
    """

    segment: int
    seed: int
    emulator: EmulatorConfig
    training: TrainingSetConfig
    spectra: SpectraConfig
    parameters: dict[str, ParameterConfig]
    device: str = "cpu"


class SegmentFit:
    """The training job of one segment, for :func:`popsed_core.loop.run`."""

    def __init__(self, task: SegmentTask, grid: SSPGrid) -> None:
        """Draw the basis and the validation set; opens no file.

        Raises:
            InputError: there is no such segment, or it has too few pixels.
        """
        config = task.emulator
        if not 0 <= task.segment < config.n_segments:
            raise InputError(
                f"segment: got {task.segment}, but emulator.edges make {config.n_segments}"
            )
        self.task, self.config, self.n_epochs = task, config, config.n_epochs
        self.device = pick_device(task.device)
        self.edges = segment_edges(grid, task.training, config)[task.segment]
        self.source = SpectrumSource(grid, task.spectra, task.parameters, config, self.edges)
        self.source.to(self.device)
        self._build_network()
        inputs, log_lnu = self._draw(N_VALIDATION, self._stream("validate"))
        self.validation = inputs, log_lnu
        self.optimiser = torch.optim.Adam(self.network.parameters(), **ADAM)
        self.draws = self._stream("train")
        self.history: dict[str, list[float]] = {}
        self.best, self.best_state = float("inf"), self._weights()

    def _stream(self, purpose: str) -> torch.Generator:
        return generator(self.task.seed, "emulator", self.task.segment, purpose)

    def _draw(self, n: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
        parts = [self.source.draw(BLOCK, stream, self.device) for _ in range(-(-n // BLOCK))]
        inputs, log_lnu = zip(*parts, strict=True)
        return torch.cat(inputs)[:n], torch.cat(log_lnu)[:n]

    def _build_network(self) -> None:
        config = self.config
        inputs, log_lnu = self._draw(N_BASIS, self._stream("basis"))
        n_components = config.n_components[self.task.segment]
        mean, components, sigma = principal_components(log_lnu, n_components)
        self.network = SegmentNetwork(
            inputs.shape[1], n_components, log_lnu.shape[1], config.n_hidden, config.n_layers
        )
        self.network.initialise(self._stream("network"))
        tables = {
            "input_mean": inputs.mean(0), "input_scale": inputs.std(0).clamp(min=1e-6),
            "mean": mean, "components": components, "sigma": sigma,
        }  # fmt: skip
        for name, table in tables.items():
            getattr(self.network, name).copy_(table)
        self.network.to(self.device)

    def epoch(self, index: int) -> dict[str, float]:
        """Draw fresh spectra, step over them a few times, and validate.

        After ``patience`` epochs without a better validation nothing is done any more.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        if index - self._best_epoch() > self.config.patience:
            return {"validation": self.best}
        n = max(self.config.batch_size * self.config.n_steps // N_REUSE, self.config.batch_size)
        inputs, scores = self._pool(n)
        losses = [self._step(index, step, inputs, scores) for step in range(self.config.n_steps)]
        metrics = {"loss": sum(losses) / len(losses), "validation": self.validate()}
        for name, value in metrics.items():
            self.history.setdefault(name, []).append(value)
        if metrics["validation"] < self.best:
            self.best, self.best_state = metrics["validation"], self._weights()
        return metrics

    @torch.no_grad()
    def _pool(self, n: int) -> tuple[Tensor, Tensor]:
        parts = [self.source.draw(BLOCK, self.draws, self.device) for _ in range(-(-n // BLOCK))]
        scores = [self.network.targets(log_lnu) for _, log_lnu in parts]
        return torch.cat([inputs for inputs, _ in parts]), torch.cat(scores)

    def _step(self, epoch: int, step: int, inputs: Tensor, scores: Tensor) -> float:
        config = self.config
        progress = (epoch + step / config.n_steps) / config.n_epochs
        self.optimiser.param_groups[0]["lr"] = one_cycle(progress, config.learning_rate)
        rows = torch.randint(len(inputs), (config.batch_size,), generator=self.draws)
        rows = rows.to(self.device)
        loss = self.loss(self.network.scores(inputs[rows]) - scores[rows])
        if not torch.isfinite(loss):
            raise FloatingPointError(
                f"emulator segment {self.task.segment} diverged in epoch {epoch + 1}, step "
                f"{step + 1}: loss {loss.item()}; lower emulator.learning_rate.peak"
            )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.item()

    def loss(self, error: Float[Tensor, "galaxy component"]) -> Float[Tensor, ""]:
        """Return the loss of errors in units of each component's scatter."""
        if self.config.loss == "unweighted":
            return error.square().mean()
        variance = self.network.sigma.square() / len(self.network.mean)
        return (error.square() @ variance + SMALLEST_ERROR).sqrt().mean()

    @torch.no_grad()
    def validate(self) -> float:
        """Return the 68 % fractional error of L_nu over all pixels of spectra never trained on."""
        inputs, log_lnu = self.validation
        error = (self.network(inputs) - log_lnu).abs().flatten()
        return LN10 * error.kthvalue(int(0.68 * len(error))).values.item()

    def _best_epoch(self) -> int:
        values = self.history.get("validation", [])
        return values.index(min(values)) if values else 0

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.cpu().clone() for name, value in self.network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on."""
        return {
            "network": self._weights(),
            "optimiser": self.optimiser.state_dict(),
            "draws": self.draws.get_state(),
            "history": self.history,
            "best": self.best,
            "best_state": self.best_state,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.draws.set_state(state["draws"])
        self.history = state["history"]
        self.best, self.best_state = state["best"], state["best_state"]


def fit_segment(
    task: SegmentTask, grid: SSPGrid, ssp_sha256: str, checkpoint: Path | None = None
) -> dict[str, Any]:
    """Train one segment, resuming from ``checkpoint`` if it exists.

    Args:
        task: settings.
        grid: the SSP table.
        ssp_sha256: of its file; an emulator of another table is refused later.
        checkpoint: to resume from and save to.

    Returns:
        The segment as plain types, the same bytes for the same seed on CPU.

    Raises:
        InputError: bad input, or a checkpoint of another configuration.
        FloatingPointError: the training diverged.
    """
    job = SegmentFit(task, grid)
    identity = to_json(replace(task, device="")) + ssp_sha256
    loop.run(job, checkpoint, hashlib.sha256(identity.encode()).hexdigest()[:16])
    network = dict(job.best_state)
    network["mean"] = network["mean"] + job.source.spectra.log_unit
    return {
        "segment": task.segment,
        "seed": task.seed,
        "edges": torch.as_tensor(job.edges),
        "network": network,
        "emulator": to_json(task.emulator),
        "training_set": to_json(task.training),
        "spectra": to_json(task.spectra),
        "parameters": to_json(task.parameters),
        "ssp_sha256": ssp_sha256,
        "source": grid.source,
        "history": job.history,
    }
