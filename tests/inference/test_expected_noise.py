"""Exact characteristic functions of the noise against draws of the noise, the slow twin."""

import numpy as np
import pytest
import torch

from popsed_core.inference.distances import expected_noise
from popsed_core.inference.distances.expected_features import ExpectedFeatures
from popsed_core.inference.distances.expected_noise import FIRST, STEP, noise_tables
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import NoiseModel, NoiseTable

N = 200_000
FORMS = {"error_given_flux": 0.1, "snr_given_flux": 0.4, "log_snr_given_flux": 0.1}  # scatter
CUTS = {
    "positive": {},
    "snr": {"min_snr": 1.0},
    "mag": {"max_mag": (20.5, np.inf)},
    "both": {"min_snr": 2.0, "max_mag": (20.5, 21.0)},
    "bright": {"min_snr": 1.0, "max_mag": (17.0, 17.5)},  # far above the noise
}
K = torch.tensor([[0.3, 2.0, 12.0, 60.0, 3.0], [-0.2, 1.0, -9.0, 10.0, -60.0]]).double()


def table(form, cuts):
    """Two bands; galaxies of 20 mag have SNR 3 and 6."""
    mag = np.tile(np.linspace(15, 23, 9), (2, 1))
    snr = np.array([[3.0], [6.0]]) * 10 ** (-0.4 * (mag - 20))
    median = {
        "error_given_flux": -8.0 - np.log10([[3.0], [6.0]]) + 0 * mag,
        "snr_given_flux": snr,
        "log_snr_given_flux": np.log10(snr),
    }[form]
    ends = np.tile([15.0, 23.0], (2, 1))
    return NoiseTable(mag, median, FORMS[form] + 0 * mag, ends, ("g", "r"), form, **cuts)


def fluxes(mag, n=1):
    return torch.full((n, 2), 10 ** (-0.4 * mag), dtype=torch.float64)


def model_of(form, cuts, model_error=0.0, colour_error=None):
    noise = NoiseModel(table(form, cuts)).double()
    return ForwardModel(torch.nn.Identity(), noise, model_error, colour_error)


def expected(model, k=K):
    """The features of a model's galaxies, without draws."""
    tables = noise_tables(model.noise, k, model.model_error)
    damping = torch.exp(-0.5 * (k * (model.colour_error.to(k) @ k)).sum(0))
    return ExpectedFeatures(k, torch.full((2,), 20.0), tables, damping)


def drawn(model, features, mag, seed=0):
    """The mean of the features of noisy draws, and its error."""
    noisy, _ = model.observe(fluxes(mag, N), torch.Generator().manual_seed(seed))
    found = features.of_data(-2.5 * torch.log10(noisy))
    return found.mean(0).double(), found.std(0).double() / N**0.5


# cuts are supported by the first form only
WORLDS = [*((form, "positive") for form in FORMS), *(("error_given_flux", cut) for cut in CUTS)]


@pytest.fixture(scope="module", params=WORLDS, ids=str)
def world(request):
    form, cut = request.param
    model = model_of(form, CUTS[cut])
    return model, expected(model)


@pytest.mark.parametrize("mag", [16.0, 19.03, 20.5, 22.01, 26.0])
def test_they_are_the_means_of_noisy_draws(world, mag):
    """For bright galaxies, near the cuts, and far below them; at nodes and between."""
    model, features = world
    mean, error = drawn(model, features, mag)
    found = features(fluxes(mag).float())[0].double()
    torch.testing.assert_close(found, mean, rtol=0, atol=4.5 * error.max().item() + 1e-3)


@pytest.mark.parametrize("mag", [16.0, 20.4])
@pytest.mark.parametrize("cut", ["positive", "both"])
def test_errors_of_the_model_are_averaged_over_as_well(cut, mag):
    """Independent ones exactly; shared ones where they are small compared with the noise."""
    shared = 0.03**2 * torch.tensor([[1.0, 0.6], [0.6, 1.0]]).double()
    model = model_of("error_given_flux", CUTS[cut], 0.05, shared if mag < 18 else None)
    features = expected(model)
    mean, error = drawn(model, features, mag)
    found = features(fluxes(mag).float())[0].double()
    torch.testing.assert_close(found, mean, rtol=0, atol=4.5 * error.max().item() + 1e-3)


def test_single_precision_is_enough():
    """Features of galaxies of random colours, from float32 fluxes, to 2e-4 of double's."""
    model = model_of("error_given_flux", CUTS["snr"])
    features = expected(model)
    mag = 15 + 6 * torch.rand(2000, 2, generator=torch.Generator().manual_seed(1)).double()
    maggies = 10 ** (-0.4 * mag)
    double = features.double()(maggies)
    single = features.float()(maggies.float())
    assert (single - double).abs().max() < 2e-4


def test_interpolation_between_nodes_is_good(monkeypatch):
    """Against tables four times as dense."""
    model = model_of("error_given_flux", CUTS["both"])
    coarse = noise_tables(model.noise, K, 0.0)
    monkeypatch.setattr(expected_noise, "STEP", STEP / 2)
    fine = noise_tables(model.noise, K, 0.0)
    between = (coarse.response[:, 1:] + coarse.response[:, :-1]) / 2
    bias = (coarse.bias[:, 1:] + coarse.bias[:, :-1]) / 2 - fine.bias[:, 1::2]
    turned = between * torch.polar(torch.ones(1).double(), bias[..., None] * K[:, None])
    error = (turned - fine.response[:, 1::2]).abs()
    assert error.max() < 0.01
    bright = error[:, : round((19 - FIRST) / STEP)]
    assert bright.max() < 1e-3


def test_gradients_are_those_of_the_features():
    """d E[phi] / d m by a shift of all magnitudes."""
    model = model_of("error_given_flux", CUTS["snr"])
    features = expected(model).double()
    for mag in (17.02, 20.01):
        m = torch.full((1, 2), mag, dtype=torch.float64, requires_grad=True)
        features(10 ** (-0.4 * m)).sum().backward()
        ends = [features(fluxes(mag + step)).sum().item() for step in (-1e-4, 1e-4)]
        assert m.grad.sum().item() == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-4)


@pytest.mark.parametrize("mag", [2.0, 38.0, 60.0])
def test_features_are_finite_however_bright_or_faint(mag):
    features = expected(model_of("error_given_flux", CUTS["both"]))
    maggies = fluxes(mag).float().requires_grad_()
    found = features(maggies)
    found.sum().backward()
    assert found.abs().max() <= 1 + 1e-5
    assert torch.isfinite(maggies.grad).all()
