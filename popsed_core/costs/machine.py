"""The machine and versions with which a cost was measured, and the files that record them."""

import json
import platform
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import torch

from popsed_core.errors import InputError
from popsed_core.files.inputs import require_file
from popsed_core.files.version import __version__


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


def read_costs(path: Path, command: str, *keys: str) -> dict[str, Any]:
    """Read the output of a benchmark.

    Args:
        path: the file (JSON).
        command: that makes such a file.
        keys: that it must hold, besides the machine; ``a.b`` is b within a.

    Raises:
        InputError: the file is missing or holds something else.
    """
    require_file(path)
    try:
        costs: dict[str, Any] = json.loads(path.read_text())
        for key in ("machine", *keys):
            reduce(getitem, key.split("."), costs)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: lacks the costs; make it with `{command}`") from error
    return costs


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def described(found: Mapping[str, Any]) -> str:
    """Return a one-line description."""
    return f"{found['device']}, {found['n_threads']} thread(s), torch {found['torch']}"
