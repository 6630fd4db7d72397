"""One GPU for each training process of a machine, without a scheduler.

Snakemake counts the GPUs that its jobs request, but does not assign them: by default
all jobs take the first.  Here each process takes the first that no other process of the same user
holds, by a file lock that the system releases when the process ends, however it ends.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

SCHEDULED = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")  # these assign GPUs themselves
WAIT = 1.0  # [s] between two checks for a free GPU


@contextmanager
def one_gpu(device: str, folder: Path | None = None) -> Iterator[None]:
    """Hold a GPU that no other process holds; wait if all are taken.

    Does nothing on a CPU, and where a scheduler has given this job its GPU.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``, as given to a fit.
        folder: of the locks; by default one per user and machine.
    """
    names = [] if device == "cpu" or _is_scheduled() else _gpus()
    if not names:
        yield
        return
    folder = folder or Path(tempfile.gettempdir()) / f"popsed-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    index, lock = _take(names, folder)
    try:
        torch.cuda.set_device(index)
        yield
    finally:
        lock.release()


def _is_scheduled() -> bool:
    return any(name in os.environ for name in SCHEDULED)


def _gpus() -> list[str]:
    """Return an identifier of each GPU, independent of their order in this process."""
    return [
        str(torch.cuda.get_device_properties(index).uuid)
        for index in range(torch.cuda.device_count())
    ]


def _take(names: list[str], folder: Path) -> tuple[int, FileLock]:
    is_told = False
    while True:
        for index, name in enumerate(names):
            lock = FileLock(folder / f"{name}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            log.info("using GPU %d of %d", index, len(names))
            return index, lock
        if not is_told:
            log.info("waiting for a GPU: other processes hold all %d", len(names))
            is_told = True
        time.sleep(WAIT)
