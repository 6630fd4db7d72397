"""Real data for tests: never those of the checkout's own runs, or its tests would depend on them.

Tests marked ``real`` read the downloads of the demo in the folder that POPSED_REAL_DATA names, and
are skipped without it.  ``make test-real`` gets the downloads first:

    python -m tests.real_data FOLDER
"""

import functools
import os
import sys
from pathlib import Path

import pytest

from popsed_core.config import root
from popsed_core.downloads.fetch import fetch
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue, Reference

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "POPSED_REAL_DATA"
FETCHED = ("kcorrect_sdss", "bc03")  # of config.yaml's downloads
SHARED = Path(os.environ.get("POPSED_SHARED_DATA") or ROOT.parent / "shared" / "data")
GRIDS = ("toy", pytest.param("bc03", marks=pytest.mark.real))
WAVE_RANGE = (1000.0, 30000.0)  # [AA]


def real_file(name: str) -> Path:
    """Return a file of the folder with real data, or skip and say what is missing."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"needs real data: {VARIABLE}, or make test-real")
    path = Path(folder) / name
    if not path.is_file():
        pytest.skip(f"needs real data: no {name} in {VARIABLE}")
    return path


@functools.cache
def bc03() -> SSPGrid:
    """Return the table that the demo's spectra are made of."""
    return build_ssp(root.load(ROOT / "config.yaml").ssp, real_file("bc03.fits"))


@functools.cache
def demo() -> tuple[Catalogue, Reference]:
    """Return the demo's galaxies."""
    survey = root.load(ROOT / "config.yaml").surveys["sdss_demo"]
    return build_catalogue(survey, real_file("kcorrect_sdss.fits"))


def grid_named(name: str) -> SSPGrid:
    """Return one of ``GRIDS``."""
    return bc03() if name == "bc03" else toy_grid(WAVE_RANGE)


def main(folder: str) -> int:
    """Fetch missing files; return the exit status."""
    downloads = root.load(ROOT / "config.yaml").downloads
    for name in FETCHED:
        try:
            fetch(downloads[name], Path(folder) / f"{name}.fits")
        except InputError as error:
            sys.exit(f"popsed: error: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
