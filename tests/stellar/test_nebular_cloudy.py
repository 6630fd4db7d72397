"""Reading the Cloudy grids: light per photon, independent of the stars they were made with."""

import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from nebular_tools import AIR, ENERGIES, continuum, strength, write_bc03, write_cloudy

from popsed_core.config.ssp import CloudyNebulae, SSPConfig, TiedIonisation
from popsed_core.constants import LYMAN_LIMIT
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.bc03 import read_bc03
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.nebular import in_vacuum
from popsed_core.stellar.ssp.nebular_cloudy import CloudyFiles, mean_rates, read_cloudy

RANGE = (912.0, 30_000.0)
OXYGEN = 2  # [O III] among the lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cloudy")


@pytest.fixture(scope="module")
def stars(folder):
    return read_bc03(write_bc03(folder / "bc03.fits"), RANGE)


@pytest.fixture(scope="module")
def files(folder, stars):
    return write_cloudy(folder, stars, broken_from=-2.5)


def read(files, stars, log_u):
    three = CloudyFiles(*files[:3])
    return read_cloudy(three, stars, lambda lgmet: np.full(len(lgmet), log_u), "test")


def test_light_per_photon_is_that_of_the_grid_s_own_stars(files, stars):
    found = read(files, stars, -3.0)
    for metal in range(6):
        expected = np.broadcast_to(strength(metal, -3.0), (15, len(AIR)))
        np.testing.assert_allclose(found.lines[metal], expected, rtol=1e-9)
    expected = np.broadcast_to(continuum(found.wave), found.continuum.shape)
    np.testing.assert_allclose(found.continuum, expected, rtol=1e-9)
    np.testing.assert_allclose(found.line_wave, in_vacuum(AIR))


@pytest.mark.parametrize("log_u", [-3.75, -3.5, -2.8])
def test_between_two_ionisation_parameters_logarithms_are_interpolated(files, stars, log_u):
    found = read(files, stars, log_u).lines[1, 3, OXYGEN]
    assert found == pytest.approx(strength(1, log_u)[OXYGEN], rel=1e-9)


def test_beyond_the_grid_its_end_holds(files, stars):
    assert read(files, stars, -5.0).lines[1, 0, OXYGEN] == pytest.approx(
        strength(1, -4.0)[OXYGEN], rel=1e-9
    )


def test_a_broken_set_is_replaced_by_its_largest_sound_one(files, stars):
    found = read(files, stars, -1.0)
    np.testing.assert_allclose(found.lines[5, 0], strength(5, -3.0), rtol=1e-9)
    np.testing.assert_allclose(found.continuum[5, 0], continuum(found.wave), rtol=1e-9)
    np.testing.assert_allclose(found.lines[4, 0], strength(4, -1.0), rtol=1e-9)


def test_grids_of_other_stars_are_refused(files, stars):
    bright = dataclasses.replace(stars, ionising_rate=3 * stars.ionising_rate)
    with pytest.raises(InputError, match=r"lines\.fits: .*Hbeta .*not of BC03's stars"):
        read(files, bright, -3.0)


def test_rates_are_means_over_the_bins_of_age(stars):
    ages = 10 ** np.arange(6.0, 7.45, 0.1)
    found = mean_rates(stars, ages)
    nodes, rate = 10 ** (stars.ssp_lg_age_gyr + 9), stars.ionising_rate[2]
    time = np.linspace(0, ages[0] * 10**0.05, 20_001)
    first = rate[np.abs(time[:, None] - nodes).argmin(1)].mean()
    assert found[2, 0] == pytest.approx(first, rel=1e-3)
    assert (np.diff(found, axis=1) < 0).all()


def test_a_tied_ionisation_parameter_falls_with_metallicity(files, stars, folder):
    law = TiedIonisation(slope=-0.5, zero=-3.5)
    config = SSPConfig(nebular=CloudyNebulae("cloudy", law))
    grid = build_ssp(config, folder / "bc03.fits", files)
    rates = grid.ionising_rate[:, 20] / grid.lsun
    oxygen = grid.line_luminosity[:, 20, np.abs(grid.line_wave - 5008.24).argmin()] / rates
    logzsol = grid.ssp_lgmet - grid.log_zsun
    log_u = np.clip(-3.5 - 0.5 * logzsol, -4, 0)
    log_u[5] = min(log_u[5], -3.0)
    expected = [strength(metal, at)[OXYGEN] for metal, at in enumerate(log_u)]
    np.testing.assert_allclose(oxygen, expected, rtol=1e-5)
    assert grid.nebular == "Cloudy grids of bagpipes, log U = -3.5 -0.5 log Z/Zsun"


def test_other_stars_are_lit_by_their_own_photons(files, stars, folder):
    files = files._replace(stars=folder / "bc03.fits")
    config = SSPConfig(reader="toy", nebular=CloudyNebulae("cloudy", -3.0))
    grid = build_ssp(config, None, files)
    hbeta = grid.line_luminosity[..., np.abs(grid.line_wave - 4862.68).argmin()]
    expected = grid.ionising_rate[:, : grid.n_young] / grid.lsun * ENERGIES[1]
    np.testing.assert_allclose(hbeta, expected, rtol=1e-5)
    assert not grid.ssp_flux[..., grid.ssp_wave < LYMAN_LIMIT].any()


def test_missing_files_are_named(stars, folder):
    config = SSPConfig(reader="toy", nebular=CloudyNebulae("cloudy"))
    with pytest.raises(InputError, match=r"ssp\.nebular: .*'continuum'.*'stars'"):
        build_ssp(config, None)


def changed(files, folder, **names):
    """Return files, one of them with its HDUs changed by a function."""
    ((name, change),) = names.items()
    path = folder / f"changed_{name}.fits"
    with fits.open(getattr(files, name)) as hdus:
        change(hdus)
        hdus.writeto(path, overwrite=True)
    return files._replace(**{name: path})


def drop(hdus):
    del hdus["ZMET_0.400_LOGU_-3.0"]


def spoil(hdus):
    hdus["ZMET_0.400_LOGU_-3.0"].data[3, 3] = -1.0


def shift(hdus):
    hdus["ZMET_0.400_LOGU_-3.0"].data[0, 3] += 1.0


@pytest.mark.parametrize("name", ["continuum", "lines"])
@pytest.mark.parametrize(
    ("change", "told"),
    [(drop, "LOGU_-3.0 is missing"), (spoil, "no table of values"), (shift, "different wave")],
)
def test_a_damaged_grid_is_an_input_error_that_names_it(files, stars, folder, name, change, told):
    with pytest.raises(InputError, match=rf"changed_{name}\.fits: .*{told}"):
        read(changed(files, folder, **{name: change}), stars, -3.0)


@pytest.mark.parametrize(("text", "told"), [("a b\n", "not a list"), ("1\n2\n", "not the wave")])
def test_wavelengths_of_other_lines_are_refused(files, stars, folder, text, told):
    (folder / "other.txt").write_text(text)
    with pytest.raises(InputError, match=rf"other\.txt: {told}"):
        read(files._replace(wavelengths=folder / "other.txt"), stars, -3.0)
