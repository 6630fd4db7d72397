"""The lock file covers what pyproject.toml asks for, and conda's file says the same."""

import sys
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ENVS = Path(__file__).resolve().parent.parent / "envs"
sys.path.insert(0, str(ENVS))

from make_lock import canonical, roots  # noqa: E402


def pins():
    lines = (ENVS / "requirements.lock").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_lock_satisfies_every_dependency():
    split = (pin.split("==") for pin in pins())
    locked = {canonical(name): version for name, version in split}
    for requirement in map(Requirement, roots()):
        assert requirement.specifier.contains(locked[canonical(requirement.name)]), requirement


def test_conda_installs_the_locked_versions():
    *_, packages = yaml.safe_load((ENVS / "popsed.yaml").read_text())["dependencies"]
    assert packages["pip"] == pins()
