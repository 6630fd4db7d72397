import numpy as np
import pytest
from astropy.io import fits
from real_data import bc03

from popsed_core.config.ssp import SSPConfig
from popsed_core.constants import SPEED_OF_LIGHT
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.bc03 import METALLICITIES, read_bc03
from popsed_core.stellar.ssp.build import build_ssp

RANGE = (1000.0, 30000.0)
AGE = np.array([0.0, 1e5, 1e7, 1e9, 1e10, 1.4e10, 1.9e10, 2e10])  # [yr]
WAVE = np.geomspace(500.0, 50000.0, 300)  # [AA]


def power_law(scale):
    """L_lambda ~ wave^-2, so that L_nu is constant: scale / c."""
    return scale * (1 + np.arange(AGE.size))[:, None] / WAVE**2


def layout():
    names = [*METALLICITIES, "5.000"]
    images = {f"ZMET_{name}ZSOL": power_law(float(name)) for name in names}
    fractions = 1 - 0.05 * np.arange(AGE.size)[:, None] - 0.001 * np.arange(7)
    log_age = np.log10(np.maximum(AGE, 1.0))
    images["LIV_MSTAR_FRAC"] = np.column_stack([log_age, fractions])
    images["STELLAR_AGE_YR"] = AGE
    images["WAVELENGTHS_AA"] = WAVE
    return images


def write(path, images):
    hdus = [fits.ImageHDU(data, name=name) for name, data in images.items()]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "bc03.fits", layout())


def test_a_wavelength_power_law_of_minus_two_is_flat_in_frequency(table):
    grid = read_bc03(table, RANGE)
    expected = np.multiply.outer(np.array(METALLICITIES, float), 2.0 + np.arange(5))
    np.testing.assert_allclose(
        grid.ssp_flux, np.repeat(expected[..., None], grid.ssp_wave.size, 2) / SPEED_OF_LIGHT, 1e-6
    )
    assert grid.ssp_flux.dtype == np.float32


def test_ages_run_from_the_first_after_zero_to_the_first_beyond_the_universe(table):
    log_age_yr = read_bc03(table, RANGE).ssp_lg_age_gyr + 9
    np.testing.assert_allclose(log_age_yr, np.log10([1e5, 1e7, 1e9, 1e10, 1.4e10]))


def test_five_solar_set_is_left_out_and_metallicity_counts_in_a_fiftieth(table):
    grid = read_bc03(table, RANGE)
    np.testing.assert_allclose(10**grid.ssp_lgmet, [1e-4, 4e-4, 4e-3, 8e-3, 0.02, 0.05])
    assert 10**grid.log_zsun == pytest.approx(0.019)


def test_surviving_mass_takes_the_column_of_its_metallicity_at_its_age(table):
    surviving = read_bc03(table, RANGE).surviving_mass
    expected = 1 - 0.05 * np.arange(1, 6)[None, :] - 0.001 * np.arange(6)[:, None]
    np.testing.assert_allclose(surviving, expected, atol=1e-12)


def test_wavelengths_are_kept_to_one_pixel_beyond_each_end(table):
    wave = read_bc03(table, RANGE).ssp_wave
    assert wave[0] < RANGE[0] < wave[1]
    assert wave[-2] < RANGE[1] < wave[-1]
    assert set(wave) <= set(WAVE)


@pytest.mark.parametrize("name", list(layout()))
def test_missing_hdu_is_named(tmp_path, name):
    images = layout()
    if name == "ZMET_5.000ZSOL":
        pytest.skip("this one is not used")
    del images[name]
    with pytest.raises(InputError, match=rf"bc03\.fits: HDU {name} is missing"):
        read_bc03(write(tmp_path / "bc03.fits", images), RANGE)


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.3, 0.7, 0.97])
def test_truncated_file_is_an_input_error_that_names_it(table, kept):
    content = table.read_bytes()
    table.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"bc03\.fits: .*(truncated|not a readable|missing)"):
        read_bc03(table, RANGE)


def test_range_outside_the_table_names_table_and_keys(table):
    with pytest.raises(InputError, match=r"bc03\.fits: covers 500 to 50000 AA, but ssp.wave_low"):
        read_bc03(table, (100.0, 30000.0))


def test_image_of_another_shape_is_named(tmp_path):
    images = layout() | {"ZMET_0.400ZSOL": np.ones((3, 4))}
    with pytest.raises(InputError, match=r"ZMET_0.400ZSOL has shape \(3, 4\), expected \(8, 300\)"):
        read_bc03(write(tmp_path / "bc03.fits", images), RANGE)


def test_table_that_ends_before_the_age_of_the_universe_is_refused(tmp_path):
    images = layout() | {"STELLAR_AGE_YR": AGE / 10}
    with pytest.raises(InputError, match="STELLAR_AGE_YR ends at 2e\\+09 yr"):
        read_bc03(write(tmp_path / "bc03.fits", images), RANGE)


def test_reader_without_a_table_says_which_key_to_set():
    with pytest.raises(InputError, match=r"ssp\.path: reader bc03 needs a table"):
        build_ssp(SSPConfig(reader="bc03"), None)


def test_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.fits: no such file"):
        build_ssp(SSPConfig(reader="bc03", path=str(tmp_path / "nowhere.fits")), None)


@pytest.mark.real
def test_real_grid_has_the_known_size_and_luminosity():
    grid = bc03()
    assert grid.ssp_flux.shape == (6, 196, 11251)
    assert grid.ssp_lg_age_gyr[-1] > np.log10(13.9)
    young, old = (np.argmin(np.abs(grid.ssp_lg_age_gyr - age)) for age in (-2.0, 1.0))
    frequency = SPEED_OF_LIGHT / grid.ssp_wave
    flux = grid.ssp_flux[4, [young, old], ::-1].astype(float)
    light = np.log10(np.trapezoid(flux, frequency[::-1]))
    np.testing.assert_allclose(light, [2.26, -0.61], atol=0.02)
