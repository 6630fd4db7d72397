"""The measurements on a GPU: where there is none they say so at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_gpu_s_bars_say_at_once_that_there_is_none():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "benchmarks" / "gpu.sh"], env={**os.environ, "PATH": path, "POPSED_REHEARSAL": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "benchmarks/gpu.sh: torch finds no GPU" in done.stderr
