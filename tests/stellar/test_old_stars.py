import numpy as np
import pytest

from popsed_core.config.ssp import BC03Config
from popsed_core.stellar.ssp.old_stars import BEGINS, HOLDS, offset_old_stars
from popsed_core.stellar.ssp.toy import toy_grid

OFFSETS = ((4000.0, 0.1), (6000.0, 0.0), (8000.0, -0.2))


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


def in_mag(changed, grid):
    return -2.5 * np.log10(changed.ssp_flux / grid.ssp_flux)


def test_old_stars_are_fainter_by_the_offset(grid):
    changed = in_mag(offset_old_stars(grid, OFFSETS), grid)
    is_old = grid.ssp_lg_age_gyr >= HOLDS
    for wave, mag in OFFSETS:
        at = np.argmin(np.abs(grid.ssp_wave - wave))
        np.testing.assert_allclose(changed[:, is_old, at], mag, atol=2e-3)


def test_the_offset_is_linear_between_and_constant_beyond(grid):
    changed = in_mag(offset_old_stars(grid, OFFSETS), grid)[0, -1]
    np.testing.assert_allclose(changed[grid.ssp_wave < 4000], 0.1, atol=1e-6)
    np.testing.assert_allclose(changed[grid.ssp_wave > 8000], -0.2, atol=1e-6)
    middle = np.argmin(np.abs(np.log(grid.ssp_wave) - np.log(4000 * 6000) / 2))
    assert changed[middle] == pytest.approx(0.05, abs=2e-3)


def test_young_stars_and_gas_stay_and_between_it_rises(grid):
    changed = in_mag(offset_old_stars(grid, OFFSETS), grid)
    is_young = grid.ssp_lg_age_gyr <= BEGINS
    assert is_young.sum() > 10
    assert np.all(changed[:, is_young] == 0)
    between = np.argmin(np.abs(grid.ssp_lg_age_gyr - (BEGINS + HOLDS) / 2))
    share = (grid.ssp_lg_age_gyr[between] - BEGINS) / (HOLDS - BEGINS)
    assert 0.2 < share < 0.8
    np.testing.assert_allclose(changed[:, between, 0], 0.1 * share, atol=1e-6)


def test_the_opposite_offset_undoes_it_and_none_is_none(grid):
    changed = offset_old_stars(grid, OFFSETS)
    back = offset_old_stars(changed, [(wave, -mag) for wave, mag in OFFSETS])
    np.testing.assert_allclose(back.ssp_flux, grid.ssp_flux, rtol=1e-6)
    assert offset_old_stars(grid, ()) is grid


@pytest.mark.parametrize("wave", [(5000.0, 4000.0), (4000.0, 4000.0), (0.0, 4000.0)])
def test_wavelengths_that_make_no_sense_are_refused(wave):
    with pytest.raises(ValueError, match=r"increasing wavelengths|greater than 0"):
        BC03Config(old_star_offset=[(x, 0.1) for x in wave])
