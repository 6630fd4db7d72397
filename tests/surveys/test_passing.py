"""The probability of passing the cuts: as counted from noisy fluxes, smooth, 1 without cuts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.surveys.passing import log_pass

N = 200_000
SCATTER = {"error_given_flux": 0.1, "snr_given_flux": 0.4, "log_snr_given_flux": 0.1}


def table(form, *, min_snr=1.0, max_mag=(20.5, np.inf)):
    """Two bands whose galaxies of 20 mag have SNR 2."""
    mag = np.tile(np.linspace(16, 23, 8), (2, 1))
    snr = 2 * 10 ** (-0.4 * (mag - 20))
    median = {
        "error_given_flux": -8.0 - np.log10(2) + 0 * mag,
        "snr_given_flux": snr,
        "log_snr_given_flux": np.log10(snr),
    }[form]
    ends = np.tile([16.0, 23.0], (2, 1))
    scatter = SCATTER[form] + 0 * mag
    return NoiseTable(
        mag, median, scatter, ends, ("g", "r"), form, min_snr=min_snr, max_mag=max_mag
    )


def model(form, **cuts):
    return NoiseModel(table(form, **cuts)).double()


def fluxes(mag):
    return torch.as_tensor(10 ** (-0.4 * np.asarray(mag)))[:, None].expand(-1, 2)


def counted(noise, maggies, seed=0):
    """The slow twin: the share of unrestricted noisy fluxes that pass."""
    stream = torch.Generator().manual_seed(seed)
    many = maggies.expand(N, 2)
    draw = torch.randn(many.shape, generator=stream, dtype=many.dtype)
    sigma = noise.sigma(many, draw)
    noisy = many + sigma * torch.randn(many.shape, generator=stream, dtype=many.dtype)
    passes = (noisy > noise.min_snr * sigma) & (noisy > noise.least)
    return passes.all(1).double().mean().item()


@pytest.mark.parametrize("form", SCATTER)
@pytest.mark.parametrize("mag", [18.0, 20.0, 20.6, 21.5])
@pytest.mark.parametrize(
    "cuts", [{}, {"max_mag": ()}, {"min_snr": 0.0}], ids=["both", "snr", "mag"]
)
def test_it_is_the_share_of_noisy_fluxes_that_pass(form, mag, cuts):
    noise, maggies = model(form, **cuts), fluxes([mag])
    expected = counted(noise, maggies)
    error = 4 * np.sqrt(expected * (1 - expected) / N)
    assert log_pass(noise, maggies).exp().item() == pytest.approx(expected, abs=error + 2e-3)


@pytest.mark.parametrize("mag", [16.9, 17.05])
def test_errors_of_the_model_soften_a_bright_limit(mag):
    """There they are larger than the noise: 0.05 mag against 0.03."""
    noise, maggies = model("error_given_flux", max_mag=(17.0, np.inf)), fluxes([mag])
    stream = torch.Generator().manual_seed(1)
    error = 0.05 / 1.0857362 * torch.randn(N, 2, generator=stream, dtype=maggies.dtype)
    expected = counted(noise, maggies * error.exp())
    found = log_pass(noise, maggies, 0.05).exp().item()
    assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / N) + 0.02)
    assert abs(log_pass(noise, maggies).exp().item() - expected) > 0.04


def test_without_cuts_everything_passes():
    noise = NoiseModel(table("error_given_flux", min_snr=0.0, max_mag=())).double()
    assert (log_pass(noise, fluxes([15.0, 25.0])) == 0).all()


def test_fainter_galaxies_pass_more_rarely_with_finite_gradients():
    noise = NoiseModel(table("error_given_flux")).float()
    mag = torch.linspace(10, 37, 100)
    maggies = (10 ** (-0.4 * mag))[:, None].repeat(1, 2).requires_grad_()
    found = log_pass(noise, maggies)
    found.sum().backward()
    assert (found.diff() <= 1e-6).all()
    assert found[0] > -1e-5
    assert torch.isfinite(maggies.grad).all()


def test_far_below_a_limit_the_probability_is_held():
    """Errors of a faint galaxy, extrapolated, are thousands of times smaller than the limit."""
    noise = NoiseModel(table("error_given_flux", max_mag=(17.0, 17.0))).float()
    maggies = fluxes([30.0, 45.0]).float().requires_grad_()
    found = log_pass(noise, maggies)
    found.sum().backward()
    assert found[0] == found[1] > -40
    assert (maggies.grad == 0).all()


def test_bands_are_independent():
    noise = model("error_given_flux")
    mixed = torch.stack([fluxes([18.0])[:, 0], fluxes([20.3])[:, 1]], dim=1)
    both = [log_pass(noise, fluxes([mag])) for mag in (18.0, 20.3)]
    first = NoiseModel(replace(table("error_given_flux"), max_mag=(20.5, 20.5))).double()
    total = log_pass(first, fluxes([18.0])) / 2 + log_pass(first, fluxes([20.3])) / 2
    assert both[0].item() > log_pass(noise, mixed).item() > both[1].item()
    mixed_first = log_pass(first, mixed).item()
    assert mixed_first == pytest.approx(total.item(), rel=1e-9)
