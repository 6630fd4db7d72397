"""What `make test` leaves out, it names; `make test-all` leaves out nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiers

ROOT = Path(__file__).resolve().parent.parent
SUITE = """
import pytest

@pytest.mark.far
@pytest.mark.parametrize("number", [1, 2])
def test_far(number):
    pass

@pytest.mark.near
def test_near():
    pass

@pytest.mark.hint
def test_first():
    pass
"""
INI = "[pytest]\nmarkers =\n  far: tier: a long way\n  near: tier: next door\n  hint: no tier\n"


def outcome(folder, *words):
    """Run pytest with the tiers on a small suite of its own, and return what it prints."""
    (folder / "test_x.py").write_text(SUITE)
    (folder / "pytest.ini").write_text(INI)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tiers", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_tier_that_is_left_out_is_named_and_counted(tmp_path, processes):
    text = outcome(tmp_path, "--quick", "-n", processes)
    assert "make test-all" in text
    assert re.findall(r"^(\w+): (\d) tests: (.*)$", text, re.M) == [
        ("far", "2", "a long way"), ("near", "1", "next door"),
    ]  # fmt: skip
    assert "1 passed" in text


def test_without_the_option_nothing_is_left_out(tmp_path):
    text = outcome(tmp_path)
    assert "4 passed" in text
    assert "make test-all" not in text


def test_make_test_runs_the_first_tier_and_ci_every_one(pytestconfig):
    makefile = (ROOT / "Makefile").read_text()
    commands = dict(re.findall(r"^(test|test-all):.*\n((?:\t.*\n)+)", makefile, re.M))
    assert "$(PYTEST) " in commands["test"]
    assert "--quick" in commands["test"]
    assert "$(PYTEST) " in commands["test-all"]
    assert "--quick" not in commands["test-all"]
    assert "make test-all" in (ROOT / ".ci/run").read_text()
    assert {"cluster", "fuzz", "faults"} <= set(tiers.tiers(pytestconfig))
