"""An SSP table is whole: axes that increase, light that is no less than nothing, gas that fits."""

from dataclasses import replace

import numpy as np
import pytest
from laws_tools import WAVE_RANGE

from popsed_core.stellar.ssp.toy import toy_grid

GRID = toy_grid(WAVE_RANGE)


def with_gas(grid=GRID, n_lines=2):
    n_metals, n_waves = len(grid.ssp_lgmet), len(grid.ssp_wave)
    return replace(
        grid,
        nebular_continuum=np.ones((n_metals, grid.n_young, n_waves), np.float32),
        line_wave=np.linspace(4000.0, 6000.0, n_lines),
        line_luminosity=np.ones((n_metals, grid.n_young, n_lines), np.float32),
        nebular="some gas",
    )


def test_a_table_without_gas_has_empty_arrays_of_the_right_shapes():
    assert not GRID.has_nebular
    assert GRID.line_luminosity.shape == (len(GRID.ssp_lgmet), 0, 0)
    assert GRID.ionising_rate.shape == GRID.surviving_mass.shape


def test_young_nodes_are_those_up_to_ten_million_years_rounding_included():
    just = replace(GRID, ssp_lg_age_gyr=GRID.ssp_lg_age_gyr + 1e-7)
    assert just.n_young == GRID.n_young
    ages = GRID.ssp_lg_age_gyr + 9
    assert ages[GRID.n_young - 1] <= 7.001 < ages[GRID.n_young]


def test_gas_is_taken_away_and_the_stars_are_what_they_were():
    gas = with_gas()
    assert gas.has_nebular
    bare = gas.stars()
    assert not bare.has_nebular
    assert bare.nebular == ""
    assert np.array_equal(bare.ssp_flux, GRID.ssp_flux)
    assert GRID.stars() is GRID


@pytest.mark.parametrize("name", ["ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave"])
def test_axes_increase(name):
    with pytest.raises(ValueError, match=f"{name}: expected strictly increasing"):
        replace(GRID, **{name: getattr(GRID, name)[::-1].copy()})


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", ["ssp_flux", "nebular_continuum", "line_luminosity", "line_wave"])
def test_light_is_finite_and_not_negative(name, wrong):
    gas = with_gas()
    values = getattr(gas, name).copy()
    values[(0,) * values.ndim] = wrong
    with pytest.raises(ValueError, match=f"{name}: expected finite values >= 0"):
        replace(gas, **{name: values})


def test_gas_shines_from_all_young_nodes_and_no_others():
    gas = with_gas()
    with pytest.raises(ValueError, match=r"nebular_continuum: has \d+ young ages, but"):
        replace(
            gas,
            nebular_continuum=gas.nebular_continuum[:, 1:],
            line_luminosity=gas.line_luminosity[:, 1:],
        )
