"""Real FSPS for tests: its wheels in a separate folder, and a toy SPS_HOME for each layout.

Nothing is installed into the environment of the tests: a wheel is unpacked into
``.popsed-cache/``, from where only the children that run FSPS import it.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fsps_home import write_home

ROOT = Path(__file__).resolve().parent.parent
CHILD = ROOT / "tests" / "fsps_child.py"
LAYOUTS = {"0.5.0": 4, "0.4.8": 3}  # python-fsps: layout of the FSPS data


class FSPSWorld(NamedTuple):
    """One version of python-fsps with data that fit it."""

    version: str
    home: Path
    packages: Path

    @contextmanager
    def installed(self):
        """Children started inside find this python-fsps; SPS_HOME is its toy."""
        before = dict(os.environ)
        os.environ.update(PYTHONPATH=str(self.packages), SPS_HOME=str(self.home))
        try:
            yield self
        finally:
            os.environ.clear()
            os.environ.update(before)

    def ask(self, task, folder, **arrays):
        """Run a task of ``fsps_child.py`` with plain python-fsps, without code of the package."""
        question, answer = folder / f"{task}.npz", folder / f"{task}_answer.npz"
        np.savez(question, **arrays)
        with self.installed():
            command = [sys.executable, CHILD, task, question, answer]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert answer.exists(), done.stdout + done.stderr
        with np.load(answer) as found:
            return dict(found)


def make_world(version, folder):
    """Unpack the wheel, if it is not there yet, and write the toy data; skip if there is none."""
    return FSPSWorld(version, write_home(folder / "sps", LAYOUTS[version]), packages(version))


def packages(version):
    """The folder with the wheel of one version; skips the test where it cannot be had."""
    tag = f"{sys.version_info.major}{sys.version_info.minor}"
    folder = ROOT / ".popsed-cache" / f"fsps-{version}-py{tag}"
    if not folder.is_dir():
        partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
        options = ("--quiet", "--no-deps", "--only-binary=:all:", "--target", partial)
        command = [sys.executable, "-m", "pip", "install", *options, f"fsps=={version}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            pytest.skip(f"the wheel of python-fsps {version} cannot be had: {reason}")
        try:
            partial.rename(folder)
        except OSError:  # another test process was faster
            shutil.rmtree(partial)
            assert folder.is_dir()
    return folder


def linked_home(world, folder, *left_out):
    """A copy of the toy data, made of links, without some files."""
    home = folder / "home"
    for path in world.home.rglob("*"):
        name = path.relative_to(world.home)
        if path.is_dir():
            (home / name).mkdir(parents=True, exist_ok=True)
        elif str(name) not in left_out:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).symlink_to(path.resolve())
    return home


def without_half_of_the_ages(world, folder):
    """A copy of the toy data on which FSPS stops while it reads."""
    name = "ISOCHRONES/MIST/" + next(p.name for p in world.home.rglob("isoc_*"))
    home = linked_home(world, folder, name)
    whole = (world.home / name).read_text().split("# toy\n")
    (home / name).write_text("# toy\n".join(whole[:50]))
    return home


@pytest.fixture(scope="session", params=LAYOUTS)
def fsps_world(request, tmp_path_factory):
    """Each supported python-fsps in turn."""
    return make_world(request.param, tmp_path_factory.mktemp(f"fsps-{request.param}"))
