"""FSPS in a separate process, because its Fortran code can end a process silently.

A Fortran STOP (a missing file is enough) ends Python with exit status 0 and no exception.  The
child therefore writes its result under a temporary name and renames it as its last step: no result
under the final name means that the child did not finish, whatever its exit status.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import popsed_core
from popsed_core.errors import InputError

DOORWAY = "popsed_core.stellar.ssp.fsps"  # the module that a child runs
RESULT = "result.npz"
LOG = "log.txt"
N_LAST_WORDS = 4  # lines
MISSING_PACKAGE = "No module named 'fsps'"
INSTALL = 'python-fsps is not installed: pip install "popsed-core[fsps]"'
REMEDY = "`popsed doctor` names the files that FSPS needs and does not find"

Arrays = Mapping[str, np.ndarray]


class FSPSChild:
    """A running child and the folder in which it works."""

    def __init__(self, task: str, request: Mapping[str, Any], sps_home: Path, folder: Path) -> None:
        """Start a child.

        Args:
            task: a key of ``ssp_fsps.TASKS``.
            request: its arguments, as JSON can write them.
            sps_home: the FSPS data.
            folder: where the child writes; must exist.
        """
        self.task, self.sps_home, self.folder = task, sps_home, folder
        package = str(Path(popsed_core.__file__).resolve().parent.parent)
        paths = [package, os.environ.get("PYTHONPATH", "")]
        env = os.environ | {
            "SPS_HOME": str(sps_home),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        }
        command = [sys.executable, "-m", DOORWAY, task, json.dumps(request), str(folder)]
        with (folder / LOG).open("wb") as log:
            self.process = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )

    def result(self) -> Arrays:
        """Wait for the child and return what it made.

        Raises:
            InputError: the child did not finish; names SPS_HOME, its last words and the remedy.
        """
        status = self.process.wait()
        path = self.folder / RESULT
        if not path.exists():
            raise InputError(self._complaint(status))
        with np.load(path) as arrays:
            return dict(arrays)

    def stop(self) -> None:
        """End the child if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _complaint(self, status: int) -> str:
        log = (self.folder / LOG).read_text(errors="replace")
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        if any(MISSING_PACKAGE in line for line in lines[-1:]):
            return INSTALL
        said = " | ".join(lines[-N_LAST_WORDS:]) or "nothing"
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else "stopped"
        return (
            f"SPS_HOME={self.sps_home}: FSPS {how} before its {self.task} was complete (exit "
            f"status {status}); it said: {said}; {REMEDY}"
        )


def run_child(task: str, request: Mapping[str, Any], sps_home: Path) -> Arrays:
    """Run one task in a child and return what it made.

    Raises:
        InputError: the child did not finish.
    """
    with tempfile.TemporaryDirectory(prefix="popsed-fsps-") as folder:
        child = FSPSChild(task, request, sps_home, Path(folder))
        try:
            return child.result()
        finally:
            child.stop()


def leave_result(folder: Path, arrays: Arrays) -> None:
    """Write the child's result; the rename marks it as complete."""
    partial = folder / f".partial.{RESULT}"
    np.savez(partial, **arrays)
    partial.replace(folder / RESULT)
