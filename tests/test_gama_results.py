"""GAMA as in the paper and its notebook: rows left by the cuts, and their medians.

Needs GAMA's two tables in the folder that the environment variable POPSED_GAMA names, or where
POPSED_REAL_DATA has the workflow's downloads; without them it is skipped, and says so.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from real_data import VARIABLE

from popsed_core.config.root import load
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue, Reference

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "POPSED_GAMA"
TABLES = ("ApMatchedCat.fits", "StellarMasses.fits")
DOWNLOADS = ("gama_photometry.fits", "gama_masses.fits")
# the notebook of Li et al. 2023: rows of StellarMasses, after its cuts without and with SNR > 1
N_READ, N_WITHOUT_SNR, N_KEPT = 120_739, 102_637, 83_692
MEDIANS = {  # of those kept: magnitudes [mag AB], redshift, log formed mass [dex Msun]
    "u": 20.89, "g": 19.65, "r": 18.76, "i": 18.33, "z": 18.07,
    "redshift": 0.18, "log_stellar_mass": 10.78,
}  # fmt: skip
TOLERANCE = 0.011  # of numbers printed to 0.01


def released_survey():
    """The survey with the cuts of the notebook."""
    overlays = ("config/paper.yaml", "config/released_code.yaml")
    return load(ROOT / "config.yaml", *(ROOT / name for name in overlays)).surveys["gama"]


def cut(survey, paths, min_snr):
    return build_catalogue(replace(survey, cuts=replace(survey.cuts, min_snr=min_snr)), *paths)


def differences(
    catalogue: Catalogue, reference: Reference, n_without_snr: int, wanted: dict
) -> dict:
    """Return found and expected values of everything that differs."""
    found = {
        "read": int(catalogue.n_kept[0]),
        "without SNR": n_without_snr,
        "kept": len(catalogue.mag),
        **dict(zip(catalogue.bands, np.median(catalogue.mag, axis=0).tolist(), strict=True)),
        **{name: float(np.median(reference.column(name))) for name in reference.names},
    }
    return {
        name: (found[name], value)
        for name, value in wanted.items()
        if abs(found[name] - value) > (0 if isinstance(value, int) else TOLERANCE)
    }


def is_standin(path: Path) -> bool:
    with fits.open(path) as hdus:
        return any(hdu.header.get("STANDIN", False) for hdu in hdus)


def find_gama() -> list[Path]:
    """Return both tables, or skip and say what is missing."""
    folder = os.environ.get(FOLDER)
    real = os.environ.get(VARIABLE)
    if not (folder or real):
        pytest.skip(f"needs GAMA: set {FOLDER}")
    names, home = (TABLES, Path(folder)) if folder else (DOWNLOADS, Path(real))
    paths = [home / name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        pytest.skip(f"needs GAMA: no {', '.join(missing)} in {home.name}; set {FOLDER}")
    if any(map(is_standin, paths)):
        pytest.skip(f"needs GAMA: the tables in {home.name} are stand-ins")
    return paths


@pytest.mark.slow
def test_gama_has_the_paper_s_rows_and_medians():
    paths, survey = find_gama(), released_survey()
    before, _ = cut(survey, paths, 0.0)
    catalogue, reference = cut(survey, paths, 1.0)
    counts = {"read": N_READ, "without SNR": N_WITHOUT_SNR, "kept": N_KEPT}
    assert differences(catalogue, reference, len(before.mag), counts | MEDIANS) == {}


# --- the check itself, on tables small enough to know ------------------------------------------


def write(path, columns):
    kinds = {"i": "J", "f": "D"}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, kinds[x.dtype.kind], array=x) for name, x in columns.items()]
    )
    table.writeto(path, overwrite=True)
    return path


@pytest.fixture
def tables(tmp_path):
    """Ten galaxies of SNR 20 and one each that a cut takes: no K, SNR 0.5 in H, no mass, a star."""
    n, bands = 14, "ugrizYJHK"
    mag = np.tile([20.89, 19.65, 18.76, 18.33, 18.07, 18.0, 18.0, 17.9, 17.8], (n, 1))
    snr = np.full((n, 9), 20.0)
    mag[10, 8], snr[11, 7], mag[13, 6] = 99.0, 0.5, 17.8
    flux = 10 ** (0.4 * (30 - mag))
    ids = np.arange(n, dtype=np.int32)
    seen = {"CATAID": ids}
    for k, band in enumerate(bands):
        seen |= {f"MAG_AUTO_{band}": mag[:, k], f"FLUX_AUTO_{band}": flux[:, k]}
        seen[f"FLUXERR_AUTO_{band}"] = flux[:, k] / snr[:, k]
    mass = np.full(n, 10.78)
    mass[12] = -99.0
    known = {"CATAID": ids, "Z": np.full(n, 0.18), "logmintsfh": mass}
    return [write(tmp_path / name, part) for name, part in zip(TABLES, (seen, known), strict=True)]


def check(tables, **changes):
    survey = released_survey()
    before, _ = cut(survey, tables, 0.0)
    wanted = {"read": 14, "without SNR": 11, "kept": 10} | MEDIANS | changes
    return differences(*cut(survey, tables, 1.0), len(before.mag), wanted)


def test_the_check_passes_tables_that_are_as_they_should_be(tables):
    assert check(tables) == {}


@pytest.mark.parametrize("name", ["read", "without SNR", "kept"])
def test_the_check_finds_one_galaxy_too_many(tables, name):
    assert list(check(tables, **{name: 9})) == [name]


@pytest.mark.parametrize("name", MEDIANS)
def test_the_check_finds_a_median_that_is_off(tables, name):
    assert list(check(tables, **{name: MEDIANS[name] + 0.02})) == [name]


def test_stand_ins_and_an_empty_folder_are_skipped_with_the_reason(tables, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER, str(tables[0].parent))
    assert find_gama() == tables
    with fits.open(tables[1], mode="update") as hdus:
        hdus[1].header["STANDIN"] = True
    with pytest.raises(pytest.skip.Exception, match=r"needs GAMA: the tables in .* are stand-ins"):
        find_gama()
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv(FOLDER, str(tmp_path / "empty"))
    with pytest.raises(pytest.skip.Exception, match=r"needs GAMA: no ApMatchedCat\.fits"):
        find_gama()
