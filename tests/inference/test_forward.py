"""The forward model: fluxes, model error and survey noise, each as stated."""

import numpy as np
import pytest
import torch
from laws_tools import SDSS, galaxy
from torch import nn
from toy_world import GRID, SPECTRA

from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import MIN_MAGGIES, NoiseModel, NoiseTable
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.theta import Theta

N = 20_000
NOISELESS = -15.0  # log10 of the error [maggies]


class Standard(nn.Module):
    """Every galaxy has the same magnitude in both bands."""

    def __init__(self, mag=17.0):
        super().__init__()
        self.maggies = 10 ** (-0.4 * mag)

    def forward(self, theta: Theta) -> torch.Tensor:
        return self.maggies * torch.ones_like(theta.redshift)[:, None].expand(-1, 2)


def constant_noise(log_error, n_bands=2):
    mag = np.tile(np.linspace(14, 21, 8), (n_bands, 1))
    ends = np.tile([14.0, 21.0], (n_bands, 1))
    level = np.full_like(mag, log_error)
    bands = tuple("ugriz"[:n_bands])
    return NoiseModel(NoiseTable(mag, level, 0 * level, ends, bands, "error_given_flux"))


def many(n=N):
    return Theta(*(column.expand(n) for column in galaxy()))


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def photometry():
    return build_synthetic_photometry(GRID, SDSS, SPECTRA, (0.01, 0.4)).double()


def test_without_noise_magnitudes_are_those_of_the_fluxes(photometry):
    model = ForwardModel(photometry, constant_noise(NOISELESS, 5), 0.0)
    expected = -2.5 * torch.log10(photometry(galaxy()))
    torch.testing.assert_close(model(galaxy(), stream()), expected, rtol=0, atol=1e-5)


def test_a_large_reduction_is_the_noiseless_limit():
    model = ForwardModel(Standard(), constant_noise(-7.5), 0.3)
    mag = model(many(), stream(), 1e9)
    assert (mag - 17.0).abs().max() < 1e-6


def test_model_error_adds_the_stated_scatter():
    mag = ForwardModel(Standard(), constant_noise(NOISELESS), 0.05)(many(), stream())
    assert mag.mean().item() == pytest.approx(17.0, abs=4 * 0.05 / np.sqrt(2 * N))
    assert mag.std().item() == pytest.approx(0.05, rel=0.02)


def test_model_error_is_independent_between_bands_and_galaxies():
    mag = ForwardModel(Standard(), constant_noise(NOISELESS), 0.05)(many(), stream())
    assert abs(torch.corrcoef(mag.T)[0, 1]) < 4 / np.sqrt(N)
    assert abs(torch.corrcoef(torch.stack([mag[1:, 0], mag[:-1, 0]]))[0, 1]) < 4 / np.sqrt(N)


def test_errors_that_bands_share_have_their_covariance():
    shared = 0.05**2 * torch.tensor([[1.0, 0.7], [0.7, 1.0]])
    model = ForwardModel(Standard(), constant_noise(NOISELESS), 0.0, shared)
    covariance = torch.cov(model(many(), stream()).T)
    torch.testing.assert_close(covariance, shared.to(covariance), rtol=0.05, atol=0)


def test_model_error_and_noise_add_in_quadrature():
    log_error = float(np.log10(0.03 / 1.0857362 * 10 ** (-0.4 * 17)))
    mag = ForwardModel(Standard(), constant_noise(log_error), 0.04)(many(), stream())
    assert mag.std().item() == pytest.approx(0.05, rel=0.03)


@pytest.mark.parametrize(("log_error", "model_error"), [(-8.5, 0.0), (NOISELESS, 0.05)])
def test_the_reduction_divides_noise_and_model_error(log_error, model_error):
    model = ForwardModel(Standard(), constant_noise(log_error), model_error)
    full = model(many(), stream(), 1.0).std().item()
    assert model(many(), stream(), 31.0).std().item() == pytest.approx(full / 31, rel=0.02)


def test_the_same_stream_gives_the_same_magnitudes(photometry):
    model = ForwardModel(photometry, constant_noise(-8.5, 5), 0.03)
    assert torch.equal(model(many(50), stream(1)), model(many(50), stream(1)))
    assert not torch.equal(model(many(50), stream(1)), model(many(50), stream(2)))


@pytest.mark.parametrize("mag", [5.0, 30.0, 60.0])
def test_magnitudes_are_finite_however_bright_or_faint(mag):
    found = ForwardModel(Standard(mag), constant_noise(-9.0), 0.03)(many(), stream())
    assert torch.isfinite(found).all()
    assert (found <= -2.5 * np.log10(MIN_MAGGIES) + 1e-6).all()


def test_gradients_reach_every_parameter_through_the_noise(photometry):
    theta = Theta(*(column.expand(20).clone().requires_grad_() for column in galaxy()))
    ForwardModel(photometry, constant_noise(-8.0, 5), 0.03)(theta, stream()).sum().backward()
    for name, column in theta._asdict().items():
        assert torch.isfinite(column.grad).all(), name
        assert column.grad.abs().max() > 0, name


def test_zero_points_are_added_to_every_band():
    model = ForwardModel(Standard(), constant_noise(NOISELESS), 0.0)
    mag = model(many(10), stream(), zero_points=torch.tensor([0.1, -0.2]))
    torch.testing.assert_close(mag.mean(0), torch.tensor([17.1, 16.8], dtype=mag.dtype))
    of_each = torch.linspace(-1, 1, 10)[:, None].expand(-1, 2)
    moved = model(many(10), stream(), zero_points=of_each) - model(many(10), stream())
    torch.testing.assert_close(moved, of_each.to(mag), atol=1e-5, rtol=0)
