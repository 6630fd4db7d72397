"""The training loop of every job: epochs with progress, ETA and atomic checkpoints.

A job offers ``n_epochs``, ``epoch(i) -> metrics``, ``state_dict()`` and ``load_state_dict()``.
If a checkpoint of the same configuration exists the loop resumes from it, or from the one before
if it is damaged; a checkpoint of another configuration is refused.  Interrupted and resumed
equals uninterrupted, bit for bit on CPU, because the job's random streams are part of its state.
"""

import logging
import time
import zipfile
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from popsed_core.errors import InputError
from popsed_core.files.atomic import atomic_path
from popsed_core.files.inputs import require_file

log = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 20.0  # [s] at most this much work is lost in a kill


@runtime_checkable
class Job(Protocol):
    """The interface of a job."""

    n_epochs: int

    def epoch(self, index: int) -> dict[str, float]:
        """Do one epoch and return the numbers to log."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next epoch depends on, as plain types and tensors."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""


def save_plain(value: Any, path: str | Path) -> None:
    """Write plain types and tensors to ``path`` with torch, atomically."""
    # to a stream: given a name, torch would write that into the file
    with atomic_path(path) as partial, partial.open("wb") as stream:
        torch.save(value, stream)


def load_plain(path: str | Path) -> Any:
    """Read what :func:`save_plain` wrote; no pickled code is ever run.

    Raises:
        InputError: the file is missing, truncated or holds anything but plain types and tensors.
    """
    require_file(path)
    try:
        with zipfile.ZipFile(path) as members:
            if damaged := members.testzip():
                raise zipfile.BadZipFile(f"{damaged} does not match its checksum")
        return torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        raise InputError(f"{path}: unreadable checkpoint ({error}); delete it and rerun") from error


def run(job: Job, checkpoint: str | Path | None = None, config_hash: str = "") -> None:
    """Run ``job`` to its last epoch, resuming from ``checkpoint`` if it exists.

    Args:
        job: what to run.
        checkpoint: file to resume from and save to; None to run without.
        config_hash: identifies the configuration; a checkpoint with a different hash is refused.

    Raises:
        InputError: the checkpoint belongs to another configuration.
    """
    first = _resume(job, checkpoint, config_hash)
    start = saved = time.monotonic()
    for index in range(first, job.n_epochs):
        metrics = job.epoch(index)
        now = time.monotonic()
        _report(index, first, job.n_epochs, now - start, metrics)
        is_last = index + 1 == job.n_epochs
        if checkpoint is not None and (is_last or now - saved > CHECKPOINT_SECONDS):
            state = {"epoch": index + 1, "config_hash": config_hash, "job": job.state_dict()}
            _save(state, Path(checkpoint))
            saved = now


def delete_checkpoints(checkpoint: str | Path) -> None:
    """Delete the checkpoints of a finished job: they would block the next configuration."""
    for path in (Path(checkpoint), _previous(Path(checkpoint))):
        path.unlink(missing_ok=True)


def _previous(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.previous")


def _save(state: dict[str, Any], checkpoint: Path) -> None:
    """Write a checkpoint and keep the one before, so that one of them is always complete."""
    with atomic_path(checkpoint) as partial:
        with partial.open("wb") as stream:
            torch.save(state, stream)
        if checkpoint.exists():
            checkpoint.replace(_previous(checkpoint))


def _newest(checkpoint: Path) -> tuple[Path, Any] | None:
    """Return the newest intact checkpoint; None if there is none."""
    found = [path for path in (checkpoint, _previous(checkpoint)) if path.exists()]
    for path in found:
        try:
            return path, load_plain(path)
        except InputError as error:
            if path == found[-1]:
                raise
            log.warning("%s; resuming from the one before", str(error).split("; delete")[0])
    return None


def _resume(job: Job, checkpoint: str | Path | None, config_hash: str) -> int:
    newest = None if checkpoint is None else _newest(Path(checkpoint))
    if newest is None:
        return 0
    path, state = newest
    found = state.get("config_hash") if isinstance(state, dict) else None
    if found != config_hash:
        raise InputError(
            f"{path}: belongs to another configuration "
            f"({found}, now {config_hash}); delete it or restore the configuration"
        )
    job.load_state_dict(state["job"])
    log.info("resumed from %s at epoch %d/%d", path, state["epoch"], job.n_epochs)
    return int(state["epoch"])


def _report(
    index: int, first: int, n_epochs: int, elapsed: float, metrics: dict[str, float]
) -> None:
    done = index + 1 - first
    eta = elapsed / done * (n_epochs - index - 1)
    numbers = " ".join(f"{name} {value:.4g}" for name, value in metrics.items())
    log.info(
        "epoch %d/%d  %s  ETA %d:%02d", index + 1, n_epochs, numbers, *divmod(int(eta), 60),
        extra={"epoch": index + 1, "n_epochs": n_epochs},
    )  # fmt: skip
