"""Write requirements.lock and popsed.yaml: the installed versions of all that is needed.

``make lock`` after trying new versions: walks from pyproject.toml's dependencies and its extras
`workflow` and `dev` through the metadata of the installed packages.
"""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ENVS = Path(__file__).resolve().parent
EXTRAS = ("workflow", "dev")
LOCK_HEAD = """\
# Exact versions of everything that is needed (made by `make lock`; CPython 3.11, Linux x86_64).
# `make env` installs them, and then the package itself.  A CPU build of torch satisfies its pin
# as well; a GPU build brings its own CUDA packages along.
"""
CONDA_HEAD = """\
# The same versions for conda (made by `make lock`):
#   conda env create -f envs/popsed.yaml && conda activate popsed && pip install --no-deps -e .
name: popsed
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def roots() -> list[str]:
    """Return the requirements of pyproject.toml and of its extras."""
    project = tomllib.loads((ENVS.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(item for name in EXTRAS for item in extras[name])]


def needed(requirements: list[str]) -> dict[str, str]:
    """Return name and version of all that the requirements need, themselves included."""
    found: dict[str, str] = {}
    todo = [(Requirement(text), "") for text in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement, extra = todo.pop()
        is_wanted = requirement.marker is None or requirement.marker.evaluate({"extra": extra})
        key = (canonical(requirement.name), frozenset(requirement.extras))
        if not is_wanted or key in seen:
            continue
        seen.add(key)
        package = distribution(requirement.name)
        found[key[0]] = f"{package.metadata['Name']}=={package.version.split('+')[0]}"
        for text in package.requires or []:
            todo += [(Requirement(text), name) for name in ("", *requirement.extras)]
    return dict(sorted(found.items()))


def canonical(name: str) -> str:
    """Return a package name as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Write both files."""
    pins = list(needed(roots()).values())
    (ENVS / "requirements.lock").write_text(LOCK_HEAD + "".join(f"{pin}\n" for pin in pins))
    (ENVS / "popsed.yaml").write_text(CONDA_HEAD + "".join(f"      - {pin}\n" for pin in pins))


if __name__ == "__main__":
    main()
