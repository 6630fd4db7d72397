import numpy as np
import pytest

from popsed_core.config.ssp import SSPConfig
from popsed_core.constants import SPEED_OF_LIGHT
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.toy import toy_grid


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


def test_toy_says_that_it_is_one(grid):
    assert grid.source == "toy"
    assert grid.ssp_flux.shape == (5, 107, 800)
    assert build_ssp(SSPConfig(reader="toy"), None).source == "toy"


def test_one_pixel_lies_beyond_each_end(grid):
    np.testing.assert_allclose(grid.ssp_wave[[1, -2]], [1000.0, 30000.0])


def test_mass_to_light_rises_with_age_in_every_band(grid):
    optical = grid.ssp_flux[:, :, (grid.ssp_wave > 3000) & (grid.ssp_wave < 9000)]
    later = optical[:, 40:]  # older than 10 Myr: before, cooling moves light into the optical
    assert np.all(np.diff(later, axis=1) < 0)


def test_colours_redden_with_age_and_metallicity(grid):
    blue, red = (np.argmin(np.abs(grid.ssp_wave - wave)) for wave in (4000, 8000))
    colour = np.log(grid.ssp_flux[..., red] / grid.ssp_flux[..., blue])
    assert np.all(np.diff(colour, axis=0) > 0)
    assert np.all(np.diff(colour, axis=1) > 0)


def test_light_of_a_black_body_sums_to_its_luminosity():
    wide = toy_grid((50.0, 3e6))
    frequency = SPEED_OF_LIGHT / wide.ssp_wave[::-1]
    light = np.trapezoid(wide.ssp_flux[3, [0, -1], ::-1].astype(float), frequency)
    np.testing.assert_allclose(np.log10(light), [2.9892, -0.7000], atol=0.02)
