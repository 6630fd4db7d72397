"""Random streams, threads, devices and memory.

Every random number comes from a named stream: ``generator(seed, "fit", survey, member)`` hashes
its keys into a ``numpy.random.SeedSequence``, so that streams are independent, reproducible and
do not depend on the order of calls.  Streams are on the CPU: the draws are the same numbers
on any device.
"""

import ctypes
import resource
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.errors import InputError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc malloc.h
KEPT_BYTES = 1 << 27  # [B] buffers up to this are kept
HEAP_BYTES = 1 << 30  # [B] of freed memory are kept in all


def entropy(seed: int, *keys: str | int) -> list[int]:
    """Return the integers that name a stream: the seed and the crc32 of each key."""
    return [seed, *(zlib.crc32(str(key).encode()) for key in keys)]


def generator(seed: int, *keys: str | int) -> torch.Generator:
    """Return the CPU torch stream named by ``keys``."""
    state = np.random.SeedSequence(entropy(seed, *keys)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) & 0x7FFF_FFFF_FFFF_FFFF)


def numpy_generator(seed: int, *keys: str | int) -> np.random.Generator:
    """Return the numpy stream named by ``keys``."""
    return np.random.default_rng(np.random.SeedSequence(entropy(seed, *keys)))


class Streams:
    """Several CPU streams, each of which draws an equal part of the rows."""

    def __init__(self, streams: Sequence[torch.Generator]) -> None:
        self.streams = tuple(streams)


Draws = torch.Generator | Streams


def normal_like(values: Float[Tensor, "row column"], draws: Draws) -> Float[Tensor, "row column"]:
    """Draw standard normal numbers of the shape, type and device of ``values``."""
    return _draw(torch.randn, values, draws)


def uniform_like(values: Float[Tensor, "row column"], draws: Draws) -> Float[Tensor, "row column"]:
    """Draw numbers uniform in [0, 1) of the shape, type and device of ``values``."""
    return _draw(torch.rand, values, draws)


def _draw(make: Callable[..., Tensor], values: Tensor, draws: Draws) -> Tensor:
    streams = draws.streams if isinstance(draws, Streams) else (draws,)
    n_rows, *rest = values.shape
    parts = [make(n_rows // len(streams), *rest, generator=stream) for stream in streams]
    return to_device(torch.cat(parts), values.device).to(values.dtype)


def to_device(values: Tensor, device: torch.device) -> Tensor:
    """Copy from the CPU to a device; to a GPU without waiting for it."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def set_threads(n_threads: int) -> None:
    """Use ``n_threads`` CPU threads in torch; flush denormals, which slow exp() by 2-4."""
    torch.set_num_threads(n_threads)
    torch.set_flush_denormal(True)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let glibc reuse large buffers instead of returning them to the system.

    A training step allocates the same buffers each time; returning them to the system costs 30 %
    of the step in page faults.  Other C libraries have no such switch: nothing happens there.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
    mallopt(M_TRIM_THRESHOLD, HEAP_BYTES)


def release_freed_memory() -> None:
    """Return freed memory to the system: once, after large preparations.

    As above, other C libraries have no such call: nothing happens there.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return


def pick_device(name: str) -> torch.device:
    """Return the device called ``name``; ``auto`` is a GPU if there is one.

    Raises:
        InputError: there is no GPU that torch can use.
    """
    has_gpu = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if has_gpu else "cpu")
    if name.startswith("cuda") and not has_gpu:
        raise InputError(
            f"runtime.device: got {name}, but torch {torch.__version__} finds no GPU; "
            "`popsed doctor` says why; use auto to run on the CPU"
        )
    return torch.device(name)


def peak_memory_mb() -> float:
    """Return the largest resident memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
