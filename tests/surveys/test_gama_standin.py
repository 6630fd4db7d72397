"""The stand-in for GAMA: the archive's schema, known truth, everything a cut must find."""

import numpy as np
import pytest
from astropy.io import fits

from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.surveys import Cuts, GamaSurvey
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.mocks import gama_standin
from popsed_core.surveys.mocks.gama_standin import BANDS, LIMIT, make_standin, write_tables

N = 1500
SURVEY = GamaSurvey(kind="gama_dr3", cuts=Cuts(min_snr=1.0, min_j_minus_k=0.025))
SPECTRA = SpectraConfig(n_pixels=200)


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


@pytest.fixture(scope="module")
def tables(grid):
    return make_standin(N, 5, grid, SPECTRA)


@pytest.fixture(scope="module")
def files(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("standin")
    paths = folder / "ApMatchedCat.fits", folder / "StellarMasses.fits"
    write_tables(*tables, *paths)
    return paths


def test_the_columns_are_those_of_the_archive(files):
    seen, known = (fits.getdata(path, 1) for path in files)
    wanted = [f"{kind}_AUTO_{b}" for b in BANDS for kind in ("MAG", "MAGERR", "FLUX", "FLUXERR")]
    assert set(seen.names) == {"CATAID", *wanted}
    assert {"CATAID", "Z", "nQ", "logmstar", "logmintsfh", "metal", "fluxscale"} == set(known.names)
    assert len(known) == N < len(seen) <= 1.11 * N
    assert set(known["CATAID"]) < set(seen["CATAID"])
    assert len(set(seen["CATAID"])) == len(seen)


def test_magnitudes_are_within_the_limit_and_fluxes_have_zero_point_30(tables):
    seen, _ = tables
    for band in BANDS:
        mag, flux = seen[f"MAG_AUTO_{band}"], seen[f"FLUX_AUTO_{band}"]
        is_there = mag < 90
        np.testing.assert_allclose(mag[is_there], 30 - 2.5 * np.log10(flux[is_there]), atol=1e-9)
    assert seen["MAG_AUTO_r"].max() < LIMIT


def test_the_signal_to_noise_is_gama_s(tables):
    seen, _ = tables
    for band, (a, b, c) in gama_standin.LOG_SNR.items():
        mag, flux = seen[f"MAG_AUTO_{band}"], seen[f"FLUX_AUTO_{band}"]
        snr = flux / seen[f"FLUXERR_AUTO_{band}"]
        rows = (mag > 17) & (mag < 90) & (snr > 20)
        if band != "J" and rows.sum() > 50:  # toy spectra have a J of their own
            x = mag[rows] - 20
            off = np.log10(snr[rows]) - (a + b * x + c * x**2)
            assert abs(np.median(off)) < 0.03
            assert 0.03 < off.std() < 0.07


def test_the_cuts_find_what_they_are_for(files, tables):
    catalogue, reference = build_catalogue(SURVEY, *files)
    lost = dict(zip(catalogue.cut_names[1:], -np.diff(catalogue.n_kept), strict=True))
    assert catalogue.n_kept[0] == N
    assert 0.003 * N < lost["finite photometry"] < 0.02 * N  # u negative: no magnitude
    assert 0.01 * N < lost["J - K > 0.025 where known"] < 0.05 * N
    assert len(reference.column("log_stellar_mass")) < len(catalogue.mag)
    nine = Cuts(min_snr=1.0, also_bands=("Y", "J", "H", "K"), min_log_mass=0.0)
    fewer, _ = build_catalogue(GamaSurvey(kind="gama_dr3", cuts=nine), *files)
    assert len(fewer.mag) < len(catalogue.mag)


def test_everything_made_of_it_says_so(files):
    catalogue, _ = build_catalogue(SURVEY, *files)
    assert catalogue.source == "stand-in"
    for path in files:
        assert fits.getheader(path, 1)["STANDIN"] is True


def test_the_same_seed_gives_the_same_bytes(grid, files, tmp_path):
    paths = tmp_path / "a.fits", tmp_path / "b.fits"
    write_tables(*make_standin(N, 5, grid, SPECTRA), *paths)
    for path, twin in zip(paths, files, strict=True):
        assert path.read_bytes() == twin.read_bytes()


def test_redshift_and_mass_are_gama_like(tables):
    _, known = tables
    is_galaxy = known["Z"] > 0.002
    assert 0.1 < np.median(known["Z"][is_galaxy]) < 0.3
    masses = known["logmintsfh"][known["logmintsfh"] > 0]
    assert 10 < np.median(masses) < 11.3
