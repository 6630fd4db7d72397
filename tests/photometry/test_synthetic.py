import numpy as np
import pytest
import torch
from laws_tools import (
    SDSS,
    corner_draws,
    galaxy,
    prior_draws,
)
from real_data import GRIDS, grid_named

from popsed_core.config.spectra import SpectraConfig
from popsed_core.errors import InputError
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.stellar.wavelength import log_integral
from popsed_core.theta import from_matrix, to_matrix

REDSHIFTS = (0.001, 0.8)


@pytest.fixture(scope="module", params=GRIDS)
def grid(request):
    return grid_named(request.param)


def build(grid, n_pixels, tolerance=None):
    config = SpectraConfig(n_pixels=n_pixels)
    return build_synthetic_photometry(grid, SDSS, config, REDSHIFTS, tolerance=tolerance)


def magnitudes(model, theta):
    with torch.no_grad():
        return -2.5 * torch.log10(model(theta)).double()


def test_ten_times_the_mass_is_two_and_a_half_magnitudes(grid):
    model = build(grid, 200)
    light, heavy = (magnitudes(model, galaxy(log_stellar_mass=m)) for m in (9.0, 10.0))
    torch.testing.assert_close(light - heavy, torch.full((1, 5), 2.5).double())


@pytest.mark.slow
def test_two_hundred_thousand_draws_are_finite_with_finite_gradients(grid):
    """In float32, from redshift 0.001, corners of the box included."""
    model = build(grid, 100, tolerance=1e-4).float()
    for draws in (prior_draws(150_000, seed=8), corner_draws(50_000, seed=9)):
        nearby = draws._replace(redshift=draws.redshift.where(draws.redshift > 0.005, 0.001))
        for chunk in to_matrix(nearby).float().split(5000):
            matrix = chunk.clone().requires_grad_()
            maggies = model(from_matrix(matrix))
            assert torch.isfinite(maggies).all()
            assert (maggies >= 0).all()
            torch.log(maggies.clamp(min=1e-30)).sum().backward()
            assert torch.isfinite(matrix.grad).all()


def test_gradients_equal_finite_differences(grid):
    """Every band and parameter of draws from the whole box, none within a step of a node."""
    model = build(grid, 200)
    theta = to_matrix(prior_draws(40, seed=11)).requires_grad_()
    log_flux = lambda matrix: torch.log10(model(from_matrix(matrix)))  # noqa: E731
    step = 1e-6 * torch.eye(theta.shape[1]).double()
    slow = [(log_flux(theta + shift) - log_flux(theta - shift)) / 2e-6 for shift in step]
    for band in range(len(SDSS)):
        (slope,) = torch.autograd.grad(log_flux(theta)[:, band].sum(), theta)
        expected = torch.stack([column[:, band] for column in slow], dim=1).detach()
        torch.testing.assert_close(slope, expected, rtol=5e-3, atol=1e-6)


def test_a_band_beyond_the_spectra_is_refused_with_the_remedy(grid):
    with pytest.raises(InputError, match=r"wise_w1.*drop the band"):
        build_synthetic_photometry(grid, (*SDSS, "wise_w1"), SpectraConfig(), REDSHIFTS)


def test_log_integral_of_a_linear_function_is_exact():
    wave = np.array([1000.0, 1700.0, 2600.0])
    values = 3.0 + 0.002 * wave
    at = np.log(np.array([1000.0, 1300.0, 2600.0, 5000.0]))
    end = np.minimum(np.exp(at), 2600.0)
    exact = 3.0 * np.log(end / 1000) + 0.002 * (end - 1000)
    np.testing.assert_allclose(log_integral(wave, values, at), exact, atol=1e-14)
