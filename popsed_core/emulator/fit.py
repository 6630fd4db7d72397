"""Train the network of one wavelength segment.

weighted loss = mean over galaxies of the root-mean-square error of log L_nu over the pixels: the
components enter by their variance, and the root keeps a few hard galaxies from dominating.
unweighted loss = mean square error of all components equally, as in Li et al. 2023, appendix A.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.base import to_json
from popsed_core.emulator.data import LN10, ChunkSpectra, FreshSpectra, SegmentTask, Source
from popsed_core.emulator.network import SegmentNetwork
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.errors import InputError
from popsed_core.files.artefacts import sha256
from popsed_core.running import loop
from popsed_core.running.learning_rate import one_cycle
from popsed_core.running.runtime import pick_device
from popsed_core.stellar.ssp.grid import SSPGrid

N_REUSE = 4  # steps that see each spectrum of a pool
SMALLEST_ERROR = 1e-10  # [dex^2] rounds the corner of the root at zero
ADAM = {"betas": (0.9, 0.99)}


class ChunkFiles(NamedTuple):
    """A training set on disk: its index, and the principal components of the segment."""

    index: Path
    basis: Path

    def sha256s(self) -> str:
        """Return the checksums of both."""
        return sha256(self.index) + sha256(self.basis)


class SegmentFit:
    """The training job of one segment, for :func:`popsed_core.running.loop.run`."""

    def __init__(self, task: SegmentTask, source: Source) -> None:
        """Take the basis and the validation set from the source."""
        config = task.emulator
        self.task, self.config, self.n_epochs = task, config, config.n_epochs
        self.device = pick_device(task.device)
        self.source = source
        self._build_network()
        self.validation = source.validation(self.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), **ADAM)
        self.draws = task.stream("train")
        self.history: dict[str, list[float]] = {}
        self.best, self.best_state = float("inf"), self._weights()

    def _build_network(self) -> None:
        config = self.config
        n_components = config.n_components[self.task.segment]
        (mean, components, sigma), inputs = self.source.basis(n_components)
        self.network = SegmentNetwork(
            inputs.shape[1], n_components, len(mean), config.n_hidden, config.n_layers
        )
        self.network.initialise(self.task.stream("network"))
        tables = {
            "input_mean": inputs.mean(0), "input_scale": inputs.std(0).clamp(min=1e-6),
            "mean": mean, "components": components, "sigma": sigma,
        }  # fmt: skip
        for name, table in tables.items():
            getattr(self.network, name).copy_(table)
        self.network.to(self.device)

    def epoch(self, index: int) -> dict[str, float]:
        """Take spectra from the source, step over them a few times, and validate.

        After ``patience`` epochs without a better validation loss the remaining epochs do nothing.

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
        inputs, scores = [], []
        for block in self.source.blocks(n, self.draws, self.device):
            inputs.append(block.features)
            scores.append(self.network.targets(block.log_lnu))
        return torch.cat(inputs), torch.cat(scores)

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
    task: SegmentTask,
    grid: SSPGrid,
    ssp_sha256: str,
    checkpoint: Path | None = None,
    files: ChunkFiles | None = None,
) -> EmulatorSegment:
    """Train one segment, resuming from ``checkpoint`` if it exists.

    Args:
        task: settings.
        grid: the SSP table.
        ssp_sha256: of its file; an emulator of another table is refused later.
        checkpoint: to resume from and save to.
        files: the training set, where ``task.emulator.source`` is ``chunks``.

    Returns:
        The segment as plain types, the same bytes for the same seed on CPU.

    Raises:
        InputError: bad input, or a checkpoint of another configuration.
        FloatingPointError: the training diverged.
    """
    job = SegmentFit(task, make_source(task, grid, ssp_sha256, files))
    origin = files.sha256s() if files is not None else ""
    identity = to_json(replace(task, device="")) + ssp_sha256 + origin
    loop.run(job, checkpoint, hashlib.sha256(identity.encode()).hexdigest()[:16])
    network = dict(job.best_state)
    network["mean"] = network["mean"] + job.source.log_unit
    return {
        "segment": task.segment,
        "seed": task.seed,
        "edges": torch.as_tensor(job.source.edges),
        "network": network,
        "emulator": to_json(task.emulator),
        "training_set": to_json(task.training),
        "spectra": to_json(task.spectra),
        "parameters": to_json(task.parameters),
        "ssp_sha256": ssp_sha256,
        "chunks_sha256": sha256(files.index) if files is not None else "",
        "source": grid.source,
        "history": job.history,
    }


def make_source(
    task: SegmentTask, grid: SSPGrid, ssp_sha256: str, files: ChunkFiles | None = None
) -> Source:
    """Return the training data of a segment.

    Raises:
        InputError: there is no such segment, it has too few pixels, or the training set is not
            given or does not fit.
    """
    n_segments = task.emulator.n_segments
    if not 0 <= task.segment < n_segments:
        raise InputError(f"segment: got {task.segment}, but emulator.edges make {n_segments}")
    if task.emulator.source == "fresh":
        return FreshSpectra(task, grid)
    if files is None:
        raise InputError(
            "emulator.source: chunks needs a training set and a basis of this segment; give both, "
            "or set the source to fresh"
        )
    return ChunkSpectra(task, grid, ssp_sha256, files.index, files.basis)
