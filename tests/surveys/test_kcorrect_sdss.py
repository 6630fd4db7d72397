import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from real_data import real_file

from popsed_core.config.surveys import Cuts, KcorrectSurvey, MockSurvey
from popsed_core.errors import InputError
from popsed_core.surveys.build import build_catalogue

SURVEY = KcorrectSurvey(kind="kcorrect_sdss", cuts=Cuts(min_snr=1.0))
FLUX = np.array([10.0, 50.0, 100.0, 150.0, 200.0])  # [nanomaggie]
N = 8


def columns():
    """Bright galaxies at SNR 20, extinction .5 .4 .3 .2 .1, redshift 0.1, J - K (Vega) = 1."""
    flux = np.tile(FLUX, (N, 1))
    return {
        "MODELFLUX": flux,
        "MODELFLUX_IVAR": (20 / flux) ** 2,
        "EXTINCTION": np.tile([0.5, 0.4, 0.3, 0.2, 0.1], (N, 1)),
        "Z": np.full(N, 0.1),
        "J_M_EXT": np.full(N, 15.0),
        "K_M_EXT": np.full(N, 14.0),
    }


def write(folder, table, name="GSTTEST"):
    made = [fits.Column(key, f"{values[0].size}E", array=values) for key, values in table.items()]
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.writeto(folder / "table.fits", overwrite=True)
    return folder / "table.fits"


def build(folder, table, **cuts):
    survey = dataclasses.replace(SURVEY, cuts=Cuts(**cuts))
    return build_catalogue(survey, write(folder, table))


def test_magnitude_is_dereddened_and_on_the_ab_system(tmp_path):
    catalogue, _ = build(tmp_path, columns())
    offset = np.array([-0.04, 0, 0, 0, 0.02]) - np.array([0.5, 0.4, 0.3, 0.2, 0.1])
    expected = 22.5 - 2.5 * np.log10(FLUX) + offset
    np.testing.assert_allclose(catalogue.mag, np.tile(expected, (N, 1)), atol=1e-6)
    assert catalogue.filters == tuple(f"sdss2010-{band}" for band in "ugriz")
    assert catalogue.source == "real"


def test_error_is_the_inverse_signal_to_noise_and_ignores_extinction(tmp_path):
    catalogue, _ = build(tmp_path, columns())
    np.testing.assert_allclose(catalogue.mag_error, 1.085736 / 20, rtol=1e-5)


def test_each_cut_drops_its_own_row_and_is_counted(tmp_path):
    table = columns()
    table["MODELFLUX"][0, 2] = np.nan
    table["MODELFLUX_IVAR"][1, 0] = 0
    table["MODELFLUX"][2, 0] = -3
    table["MODELFLUX_IVAR"][3, 4] = (0.9 / FLUX[4]) ** 2
    table["K_M_EXT"][4] = 14.5
    table["Z"][5] = -1e-4
    table["MODELFLUX"][6] /= 10
    table["MODELFLUX_IVAR"][6] *= 100
    catalogue, reference = build(
        tmp_path, table, min_snr=1.0, min_j_minus_k=0.025, min_redshift=0.002, max_mag={"r": 17.77}
    )
    kept = dict(zip(catalogue.cut_names, catalogue.n_kept.tolist(), strict=True))
    assert kept == {
        "read": 8,
        "finite photometry": 6,
        "flux > 0": 5,
        "flux error > 0": 5,
        "SNR > 1 in every band": 4,
        "J - K > 0.025 where known": 3,
        "redshift > 0.002 where known": 2,
        "r < 17.77": 1,
    }
    assert len(catalogue.mag) == len(reference.values) == 1


def test_star_cut_is_made_on_the_ab_colour(tmp_path):
    table = columns()
    table["K_M_EXT"] = table["J_M_EXT"] - np.linspace(0.955, 0.975, N)  # AB: 0.015 to 0.035
    catalogue, _ = build(tmp_path, table, min_j_minus_k=0.025)
    assert catalogue.n_kept[-1] == N // 2


def test_galaxy_that_2mass_did_not_measure_is_kept(tmp_path):
    table = columns()
    table["J_M_EXT"][:3] = 0
    catalogue, _ = build(tmp_path, table, min_j_minus_k=0.025)
    assert catalogue.n_kept[-1] == N


def test_reference_rows_follow_the_catalogue(tmp_path):
    table = columns()
    table["Z"] = 0.1 + np.arange(N) / 100
    table["MODELFLUX"][::2, 1] = -1
    _, reference = build(tmp_path, table)
    np.testing.assert_allclose(reference.column("redshift"), table["Z"][1::2], rtol=1e-6)
    assert reference.names == ("redshift",)
    assert reference.kind == "spectroscopy"


@pytest.mark.parametrize("name", list(columns()))
def test_missing_column_is_named(tmp_path, name):
    table = columns()
    del table[name]
    with pytest.raises(InputError, match=rf"table\.fits: no column '{name}'"):
        build(tmp_path, table)


def test_column_with_another_number_of_bands_is_named(tmp_path):
    table = columns() | {"EXTINCTION": np.ones((N, 3))}
    with pytest.raises(
        InputError, match=r"'EXTINCTION' has \(3,\) values per row, expected \(5,\)"
    ):
        build(tmp_path, table)


def test_another_fits_file_is_refused_with_what_it_holds(tmp_path):
    path = write(tmp_path, columns(), name="OTHER")
    with pytest.raises(InputError, match=r"HDU GSTTEST is missing.*OTHER"):
        build_catalogue(SURVEY, path)


@pytest.mark.parametrize("kept", [0.0, 0.2, 0.6])
def test_truncated_table_is_an_input_error_that_names_it(tmp_path, kept):
    path = write(tmp_path, columns())
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"table\.fits: (truncated|not a readable|HDU GSTTEST)"):
        build_catalogue(SURVEY, path)


def test_survey_without_a_file_says_so():
    with pytest.raises(InputError, match="path: a survey of kind kcorrect_sdss needs a file"):
        build_catalogue(SURVEY)


def test_mock_is_not_read_from_a_file():
    with pytest.raises(InputError, match="table2_mock is not read from a file"):
        build_catalogue(MockSurvey(kind="table2_mock", noise_from="demo"))


@pytest.mark.real
def test_real_table_keeps_9949_galaxies():
    survey = KcorrectSurvey(kind="kcorrect_sdss", cuts=Cuts(min_snr=1.0, min_redshift=0.002))
    catalogue, reference = build_catalogue(survey, real_file("kcorrect_sdss.fits"))
    assert catalogue.n_kept[[0, -1]].tolist() == [10_000, 9_949]
    np.testing.assert_allclose(
        np.median(catalogue.mag, axis=0), [19.228, 17.573, 16.701, 16.277, 15.990], atol=1e-3
    )
    assert np.median(reference.column("redshift")) == pytest.approx(0.0991, abs=1e-4)
