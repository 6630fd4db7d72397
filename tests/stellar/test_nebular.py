"""Nebular light from ionising photons."""

import dataclasses

import h5py
import numpy as np
import pytest
from nebular_tools import AIR, ENERGIES, continuum, hot_stars, photons, toy_gas

from popsed_core.config.ssp import SSPConfig, TiedIonisation
from popsed_core.constants import LSUN_IAU, LYMAN_LIMIT, PLANCK
from popsed_core.errors import InputError
from popsed_core.files.artefacts import load, save
from popsed_core.files.provenance import Provenance
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.dsps import read_dsps
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import in_vacuum, ionising_rate, log_ionisation, with_nebular
from popsed_core.stellar.ssp.toy import toy_grid


@pytest.fixture(scope="module")
def stars():
    return hot_stars()


@pytest.fixture(scope="module")
def grid():
    return toy_gas()


def test_photons_of_a_flat_spectrum_are_its_logarithmic_width():
    wave = np.geomspace(100.0, 5000.0, 300)
    rate = ionising_rate(wave, np.full((2, 300), 1e-12), LSUN_IAU)
    expected = 1e-12 * LSUN_IAU / PLANCK * np.log(LYMAN_LIMIT / 100.0)
    np.testing.assert_allclose(rate, expected, rtol=1e-12)


def test_a_table_that_begins_too_late_does_not_say_how_much_it_ionises():
    wave = np.geomspace(600.0, 5000.0, 300)
    assert not ionising_rate(wave, np.ones((2, 300)), LSUN_IAU).any()


def test_toy_stars_ionise_while_they_are_young(stars):
    young, old = stars.ionising_rate[:, 0], stars.ionising_rate[:, -1]
    assert (np.log10(young) > 45).all()
    assert (old < 1e-6 * young).all()


@pytest.mark.parametrize(
    ("air", "vacuum"), [(6562.80, 6564.61), (5006.84, 5008.24), (1215.67, 1215.67)]
)
def test_lines_are_where_they_are_in_vacuum(air, vacuum):
    assert in_vacuum(np.array([air]))[0] == pytest.approx(vacuum, abs=0.01)


def test_the_ionisation_parameter_is_a_number_or_falls_with_metallicity():
    logzsol = np.array([-1.0, 0.0])
    np.testing.assert_allclose(log_ionisation(-2.5, logzsol), [-2.5, -2.5])
    tied = TiedIonisation(slope=-0.8, zero=-3.58)
    np.testing.assert_allclose(log_ionisation(tied, logzsol), [-2.78, -3.58])


def test_gas_shines_as_its_photons_say(grid, stars):
    n_young = stars.n_young
    rate = stars.ionising_rate[:, :n_young, None] / stars.lsun
    order = np.argsort(AIR)
    np.testing.assert_allclose(grid.line_luminosity, rate * ENERGIES[order], rtol=1e-6)
    is_seen = grid.ssp_wave > LYMAN_LIMIT
    expected = rate * continuum(grid.ssp_wave[is_seen])
    np.testing.assert_allclose(grid.nebular_continuum[..., is_seen], expected, rtol=1e-3)
    np.testing.assert_allclose(grid.line_wave, AIR[order])


def test_twice_the_photons_are_twice_the_light(stars, grid):
    twice = dataclasses.replace(stars, ionising_rate=2 * stars.ionising_rate)
    found = with_nebular(twice, photons())
    np.testing.assert_allclose(found.nebular_continuum, 2 * grid.nebular_continuum, rtol=1e-6)
    np.testing.assert_allclose(found.line_luminosity, 2 * grid.line_luminosity, rtol=1e-6)


def test_nothing_leaves_gas_below_the_lyman_limit():
    grid = toy_gas((400.0, 30_000.0))
    is_dark = grid.ssp_wave < LYMAN_LIMIT
    assert is_dark.sum() > 50
    assert not grid.ssp_flux[..., is_dark].any()
    assert not grid.nebular_continuum[..., is_dark].any()
    assert grid.ssp_flux[:, 0, ~is_dark].all()


def test_stars_are_as_they_were_beyond_it(grid, stars):
    np.testing.assert_array_equal(grid.stars().ssp_flux, stars.ssp_flux)
    assert not grid.stars().has_nebular
    assert grid.stars().nebular == ""


def test_metallicity_is_clamped_and_interpolated_in_logarithms(stars):
    table = photons()
    lines = table.lines * np.array([1.0, 100.0])[:, None, None]
    middle = dataclasses.replace(table, lines=lines, lgmet=stars.ssp_lgmet[[1, 3]].copy())
    light = with_nebular(stars, middle).line_luminosity / toy_gas().line_luminosity
    share = np.interp(stars.ssp_lgmet, middle.lgmet, [0, 1])
    np.testing.assert_allclose(light[:, 0, 0], 100**share, rtol=1e-5)
    assert light[0, 0, 0] == pytest.approx(1, rel=1e-5)
    assert light[-1, 0, 0] == pytest.approx(100, rel=1e-5)


def test_stars_of_unknown_ionising_light_borrow_it_or_are_refused(stars, grid):
    unknown = dataclasses.replace(stars, ionising_rate=np.empty(0))
    borrowed = with_nebular(unknown, photons(), stars)
    np.testing.assert_allclose(borrowed.line_luminosity, grid.line_luminosity, rtol=1e-5)
    with pytest.raises(InputError, match=r"ssp\.nebular: .*toy black bodies.*kind: none"):
        with_nebular(unknown, photons())


def test_an_artefact_keeps_its_gas(grid, tmp_path):
    save(grid, tmp_path / "ssp.h5", Provenance("toy"))
    found = load(tmp_path / "ssp.h5", SSPGrid)
    for item in dataclasses.fields(SSPGrid):
        np.testing.assert_array_equal(getattr(found, item.name), getattr(grid, item.name))
    save(grid.stars(), tmp_path / "stars.h5", Provenance("toy"))
    assert load(tmp_path / "stars.h5", SSPGrid).nebular_continuum.shape == (5, 0, 800)


def test_the_dsps_reader_reads_gas_of_our_own_tables(grid, tmp_path):
    save(grid, tmp_path / "ssp.h5", Provenance("toy"))
    found = read_dsps(tmp_path / "ssp.h5", (2000.0, 20_000.0))
    is_kept = np.isin(grid.ssp_wave, found.ssp_wave)
    np.testing.assert_array_equal(found.nebular_continuum, grid.nebular_continuum[..., is_kept])
    np.testing.assert_array_equal(found.line_luminosity, grid.line_luminosity)
    np.testing.assert_array_equal(found.ionising_rate, grid.ionising_rate)
    assert found.nebular == "test gas"


def test_a_table_counts_its_photons_before_they_are_cut_away(tmp_path):
    wide, narrow = ((50.0, 40_000.0), (1000.0, 30_000.0))
    save(toy_grid(wide), tmp_path / "a.h5", Provenance("toy"))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["ionising_rate"]
    found = read_dsps(tmp_path / "a.h5", narrow).ionising_rate
    np.testing.assert_allclose(found[:, :40], toy_grid(wide).ionising_rate[:, :40], rtol=0.02)


@pytest.mark.parametrize("name", ["nebular_continuum", "line_luminosity", "ionising_rate"])
def test_light_that_is_no_light_is_refused(grid, name):
    values = getattr(grid, name).copy()
    values.flat[0] = np.nan
    with pytest.raises(ValueError, match=f"{name}: expected finite"):
        dataclasses.replace(grid, **{name: values})


def test_gas_around_another_number_of_ages_is_refused(grid):
    with pytest.raises(ValueError, match="young"):
        dataclasses.replace(
            grid,
            nebular_continuum=grid.nebular_continuum[:, 1:],
            line_luminosity=grid.line_luminosity[:, 1:],
        )


def test_without_gas_the_table_is_that_of_stars():
    assert not build_ssp(SSPConfig(reader="toy"), None).has_nebular
