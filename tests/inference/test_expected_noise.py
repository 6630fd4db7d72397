"""Exact characteristic functions of the noise against draws of the noise, the slow twin."""

import pytest
import torch
from noisy import CUTS, FORMS, K, expected, fluxes, model_of

from popsed_core.inference.distances import expected_noise
from popsed_core.inference.distances.expected_noise import FIRST, STEP, noise_tables

N = 200_000


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
