"""Disks that are small or read-only."""

import os
import shutil
import subprocess

import pytest

SMALL = "200k"


def mounted(folder, *options):
    """Mount a small disk on a folder, or skip."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small disk needs root")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join((f"size={SMALL}", *options)), "tmpfs", folder]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a small disk")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB."""
    folder = mounted(tmp_path / "small")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def read_only_disk(tmp_path):
    """A read-only disk with one file on it."""
    folder = mounted(tmp_path / "read_only")
    (folder / "old.h5").write_bytes(b"old")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)
