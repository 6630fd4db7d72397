"""On which machine, and with which versions, a cost was measured."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from popsed_core import __version__


def machine(device: str, n_threads: int) -> dict[str, Any]:
    """Return name of the device, clock, threads and versions.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``, as given to a fit.
        n_threads: CPU threads.
    """
    is_gpu = device != "cpu" and torch.cuda.is_available()
    return {
        "device": torch.cuda.get_device_name() if is_gpu else processor(),
        "is_gpu": is_gpu,
        "clock": "elapsed" if is_gpu else "processor time",
        "n_threads": n_threads,
        "torch": torch.__version__,
        "popsed": __version__,
    }


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def described(found: Mapping[str, Any]) -> str:
    """Return one line for people."""
    return f"{found['device']}, {found['n_threads']} thread(s), torch {found['torch']}"
