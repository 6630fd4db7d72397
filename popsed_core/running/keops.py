"""Does KeOps work on this machine?  Tested once, in a child process.

KeOps compiles its kernels when they are first used; without a compiler, or with one it does
not support, that kills the process or hangs, which does no harm in a child.
"""

import functools
import importlib.util
import subprocess
import sys

SECONDS = 180  # [s] a first compilation takes about a minute
TEST = """
import torch
from geomloss import SamplesLoss
x = torch.randn(50, 3, requires_grad=True)
SamplesLoss("sinkhorn", p=2, blur=0.5, backend="online")(x, torch.randn(60, 3)).backward()
assert torch.isfinite(x.grad).all()
"""
N_LETTERS = 160  # of the child's last line


def is_installed() -> bool:
    """Return whether KeOps is installed."""
    return importlib.util.find_spec("pykeops") is not None


@functools.cache
def keops_fault() -> str:
    """Return why KeOps does not work here; empty if it does."""
    if not is_installed():
        return "not installed"
    try:
        done = subprocess.run(
            [sys.executable, "-c", TEST], capture_output=True, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"cannot compile: no answer in {SECONDS} s"
    if done.returncode == 0:
        return ""
    words = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return f"cannot compile: {(words or [f'ended with status {done.returncode}'])[-1][:N_LETTERS]}"
