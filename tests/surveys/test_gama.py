"""GAMA's two tables as one survey: joined, calibrated, and cut as the paper and its notebook do."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from popsed_core.config.base import from_json, to_json
from popsed_core.config.surveys import Cuts, GamaExtinction, GamaSurvey
from popsed_core.errors import InputError
from popsed_core.figures.columns import known_name
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.gama import EXTINCTION

BANDS = tuple("ugrizYJHK")
SURVEY = GamaSurvey(kind="gama_dr3")
PAPER = Cuts(min_snr=1.0, min_j_minus_k=0.025)
DEREDDENED = replace(SURVEY, extinction=GamaExtinction(), bands=tuple("ugrizJHK"))
RELEASED = replace(PAPER, also_bands=("Y", "J", "H", "K"), min_log_mass=0.0, max_mag={"u": 30.0})
N = 12


def columns_of(flux, error):
    mag = np.where(flux > 0, 30 - 2.5 * np.log10(np.abs(flux)), 99.0)
    columns = {}
    for k, band in enumerate(BANDS):
        columns |= {
            f"MAG_AUTO_{band}": mag[:, k], f"MAGERR_AUTO_{band}": 1.0857 * error[:, k] / flux[:, k],
            f"FLUX_AUTO_{band}": flux[:, k], f"FLUXERR_AUTO_{band}": error[:, k],
        }  # fmt: skip
    return columns


def write(path, columns):
    formats = {np.dtype(np.int32): "J", np.dtype(np.float64): "D"}
    fits.BinTableHDU.from_columns(
        [fits.Column(name, formats[np.asarray(x).dtype], array=x) for name, x in columns.items()]
    ).writeto(path, overwrite=True)
    return path


@pytest.fixture
def tables():
    """Twelve good galaxies, J - K = 0.5, in two tables of different order."""
    rng = np.random.default_rng(1)
    flux = 10 ** (0.4 * (30 - rng.uniform(17, 20, (N, 9))))
    flux[:, 6] = flux[:, 8] * 10**-0.2
    ids = np.arange(100, 100 + N, dtype=np.int32)
    photometry = {"CATAID": ids[::-1].copy(), **columns_of(flux[::-1], 0.05 * flux[::-1])}
    masses = {
        "CATAID": ids, "Z": np.linspace(0.05, 0.3, N), "nQ": np.full(N, 4, dtype=np.int32),
        "logmstar": np.full(N, 10.0), "logmintsfh": np.linspace(9.0, 11.2, N),
    }  # fmt: skip
    return flux, photometry, masses


def build(folder, photometry, masses, survey=SURVEY, cuts=PAPER):
    paths = write(folder / "ApMatchedCat.fits", photometry), write(folder / "Masses.fits", masses)
    return build_catalogue(replace(survey, cuts=cuts), *paths)


def lost(catalogue):
    return dict(zip(catalogue.cut_names[1:], -np.diff(catalogue.n_kept), strict=True))


def test_rows_are_those_of_the_masses_and_fluxes_have_zero_point_30(tmp_path, tables):
    flux, photometry, masses = tables
    catalogue, reference = build(tmp_path, photometry, masses)
    assert catalogue.bands == tuple("ugriz")
    assert catalogue.filters == tuple(f"sdss2010-{band}" for band in "ugriz")
    np.testing.assert_allclose(catalogue.mag, 30 - 2.5 * np.log10(flux[:, :5]), rtol=1e-12)
    np.testing.assert_allclose(catalogue.mag_error, 0.05 * 2.5 / np.log(10), rtol=1e-9)
    np.testing.assert_allclose(reference.column("redshift"), masses["Z"])
    np.testing.assert_allclose(reference.column("log_stellar_mass"), masses["logmintsfh"])


def test_galaxies_of_one_table_only_are_left_out(tmp_path, tables):
    _, photometry, masses = tables
    masses = {name: values[2:] for name, values in masses.items()}
    photometry = {name: values[:-3] for name, values in photometry.items()}
    catalogue, reference = build(tmp_path, photometry, masses)
    assert catalogue.n_kept[0] == N - 3
    np.testing.assert_allclose(reference.column("redshift"), masses["Z"][1:])


def test_the_paper_s_cuts_look_at_five_bands_and_the_star_colour(tmp_path, tables):
    _, photometry, masses = tables
    photometry["MAG_AUTO_g"][0] = -9999.0
    photometry["MAG_AUTO_H"][1] = 99.0  # not asked for
    photometry["FLUX_AUTO_u"][2] = -1.0
    photometry["FLUXERR_AUTO_z"][3] = 2 * photometry["FLUX_AUTO_z"][3]
    photometry["MAG_AUTO_J"][4] = photometry["MAG_AUTO_K"][4] + 0.02
    masses["logmintsfh"][0] = -99.0
    catalogue, reference = build(tmp_path, photometry, masses)
    assert lost(catalogue) == {
        "finite photometry": 1, "flux > 0": 1, "flux error > 0": 0, "SNR > 1 in every band": 1,
        "J - K > 0.025 where known": 1,
    }  # fmt: skip
    assert len(reference.column("log_stellar_mass")) == len(catalogue.mag) - 1


def test_the_released_notebook_asks_for_nine_bands_a_mass_and_u_below_30(tmp_path, tables):
    _, photometry, masses = tables
    photometry["MAG_AUTO_H"][1] = 99.0
    photometry["FLUX_AUTO_Y"][2] = 0.0
    photometry["FLUXERR_AUTO_K"][3] = 2 * photometry["FLUX_AUTO_K"][3]
    photometry["FLUX_AUTO_u"][4], photometry["FLUXERR_AUTO_u"][4] = 0.5, 0.1
    masses["logmintsfh"][0] = -99.0
    catalogue, _ = build(tmp_path, photometry, masses, cuts=RELEASED)
    assert lost(catalogue) == {
        "finite photometry": 1, "flux > 0": 1, "flux error > 0": 0, "SNR > 1 in every band": 1,
        "J - K > 0.025 where known": 0, "log mass > 0, and known": 1, "u < 30": 1,
    }  # fmt: skip
    assert catalogue.bands == tuple("ugriz")


def test_an_offset_of_the_masses_is_said(tmp_path, tables):
    _, photometry, masses = tables
    survey = replace(SURVEY, mass_offset=0.35)
    catalogue, reference = build(tmp_path, photometry, masses, survey)
    np.testing.assert_allclose(reference.column("log_stellar_mass"), masses["logmintsfh"] + 0.35)
    assert reference.label == "spectroscopy, log mass +0.35 dex"
    assert known_name(reference) == "spectroscopic survey\n(log mass +0.35 dex)"
    plain, reference = build(tmp_path, photometry, masses)
    assert known_name(reference) == "spectroscopic survey"
    assert np.array_equal(plain.mag, catalogue.mag)


def test_other_bands_can_be_fitted(tmp_path, tables):
    flux, photometry, masses = tables
    survey = replace(SURVEY, bands=("r", "K"))
    catalogue, _ = build(tmp_path, photometry, masses, survey)
    np.testing.assert_allclose(catalogue.mag, 30 - 2.5 * np.log10(flux[:, [2, 8]]), rtol=1e-12)
    assert catalogue.filters == ("sdss2010-r", "vista_vircam_Ks")


def test_a_galaxy_that_is_there_twice_is_named(tmp_path, tables):
    _, photometry, masses = tables
    photometry["CATAID"][0] = 103
    with pytest.raises(InputError, match=r"ApMatchedCat\.fits: CATAID 103 is there 2 times"):
        build(tmp_path, photometry, masses)


def test_tables_without_a_galaxy_in_common_are_told(tmp_path, tables):
    _, photometry, masses = tables
    masses["CATAID"] = masses["CATAID"] + np.int32(1000)
    with pytest.raises(InputError, match=r"have no CATAID in common"):
        build(tmp_path, photometry, masses)


def test_one_table_is_not_enough(tmp_path, tables):
    path = write(tmp_path / "ApMatchedCat.fits", tables[1])
    with pytest.raises(InputError, match="needs a file for each of its 2 tables, got 1"):
        build_catalogue(SURVEY, path)


def test_a_band_that_is_fitted_anyway_is_no_other_band(tmp_path, tables):
    with pytest.raises(InputError, match=r"cuts\.also_bands: no band 'u' besides the fitted"):
        build(tmp_path, *tables[1:], cuts=replace(PAPER, also_bands=("u",)))


# --- Galactic extinction ----------------------------------------------------------------------


def build_dereddened(folder, tables, reddening, survey=DEREDDENED):
    """Build with a third table; ``reddening`` is its columns."""
    paths = [
        write(folder / name, columns)
        for name, columns in (("A.fits", tables[1]), ("M.fits", tables[2]), ("E.fits", reddening))
    ]
    return build_catalogue(replace(survey, cuts=PAPER), *paths)[0]


def reddening_of(masses):
    """E(B-V) that differs from galaxy to galaxy, in another order and with others between."""
    ids = np.concatenate([masses["CATAID"][::-1], np.arange(5, dtype=np.int32)])
    return {"CATAID": ids, "EBV": np.linspace(0.01, 0.1, len(ids))}


def test_each_galaxy_gets_brighter_by_its_own_extinction_in_each_band(tmp_path, tables):
    reddening = reddening_of(tables[2])
    plain, _ = build(tmp_path, *tables[1:], survey=replace(DEREDDENED, extinction=None))
    corrected = build_dereddened(tmp_path, tables, reddening)
    lost = np.outer(reddening["EBV"][:N][::-1], [EXTINCTION[band] for band in corrected.bands])
    np.testing.assert_allclose(plain.mag - corrected.mag, lost, atol=1e-12)
    np.testing.assert_allclose(plain.mag_error, corrected.mag_error, rtol=1e-12)  # error / flux
    assert lost[:, 0].max() > 0.3


def test_without_the_option_nothing_changes(tmp_path, tables):
    _, photometry, masses = tables
    plain, _ = build(tmp_path, photometry, masses)
    zero = reddening_of(masses)
    zero["EBV"] *= 0
    corrected = build_dereddened(tmp_path, tables, zero, replace(DEREDDENED, bands=SURVEY.bands))
    assert np.array_equal(plain.mag, corrected.mag)
    assert SURVEY.extinction is None
    assert len(SURVEY.paths) == 2


def test_galaxies_without_a_known_extinction_are_lost_in_sight(tmp_path, tables):
    reddening = reddening_of(tables[2])
    reddening["EBV"][0] = -99.0
    reddening = {name: values[: N - 1] for name, values in reddening.items()}
    catalogue = build_dereddened(tmp_path, tables, reddening)
    assert lost(catalogue)["finite photometry"] == 2
    assert catalogue.n_kept[0] == N


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table.pop("EBV"), r"E\.fits: no column 'EBV'.* the table has CATAID, E_B_V"),
        (lambda table: table.pop("CATAID"), r"E\.fits: no column 'CATAID'"),
        (lambda table: table["CATAID"].fill(103), r"E\.fits: CATAID 103 is there 17 times"),
        (lambda table: table["CATAID"].__iadd__(9000), r"E\.fits and .*M\.fits have no CATAID in"),
    ],
)
def test_a_table_of_extinction_that_does_not_fit_is_named(tmp_path, tables, change, told):
    reddening = reddening_of(tables[2])
    reddening["E_B_V"] = reddening["EBV"].copy()
    change(reddening)
    with pytest.raises(InputError, match=told):
        build_dereddened(tmp_path, tables, reddening)


def test_a_band_without_a_coefficient_is_refused_while_the_section_is_read():
    assert set(BANDS) - set(EXTINCTION) == {"Y"}
    with pytest.raises(InputError, match=r"extinction: .* no coefficient for Y; take Y out"):
        from_json(GamaSurvey, to_json(SURVEY)[:-1] + ', "extinction": {}, "bands": ["r", "Y"]}')


def test_the_table_of_extinction_is_a_third_file(tmp_path, tables):
    paths = [write(tmp_path / f"{k}.fits", columns) for k, columns in enumerate(tables[1:])]
    with pytest.raises(InputError, match="needs a file for each of its 3 tables, got 2"):
        build_catalogue(DEREDDENED, *paths)
    missing = tmp_path / "nowhere.fits"
    with pytest.raises(InputError, match=r"nowhere\.fits: no such file"):
        build_catalogue(DEREDDENED, *paths, missing)
