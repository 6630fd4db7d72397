"""The noise model: recovered from errors, and drawn without a redraw loop."""

import itertools

import numpy as np
import pytest
import torch
from noise_laws import make_catalogue, noise_config, sloped_model
from scipy import stats

from popsed_core.config.schedules import NoiseAnnealing
from popsed_core.inference.schedules import noise_reduction
from popsed_core.photometry.noise import (
    MAX_LIFT,
    MIN_MAGGIES,
    NoiseModel,
    NoiseTable,
    passing_normal,
)
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.surveys.noise_fit import RECIPES, fit_noise

SNRS = (0.3, 1.0, 5.0, 100.0)
BOUNDS = (0.0, 1.0, 5.0)


def constant_table(log_error, scatter=0.0):
    """One band with the same log10 error [maggies] at all fluxes."""
    mag = np.linspace(15, 21, 5)[None]
    shape = np.ones_like(mag)
    ends = np.array([[15.0, 21.0]])
    form = "error_given_flux"
    return NoiseTable(mag, log_error * shape, scatter * shape, ends, ("r",), form)


def draws(n, seed=0):
    return torch.Generator().manual_seed(seed), torch.Size((n, 1))


@pytest.mark.parametrize("snr", SNRS)
@pytest.mark.parametrize("bound", BOUNDS)
def test_passing_normal_is_the_truncated_normal(snr, bound):
    random, shape = draws(20_000)
    uniform = torch.rand(shape, generator=random, dtype=torch.float64)
    full = torch.full(shape, 1.0, dtype=torch.float64)
    x = passing_normal(snr * full, uniform, bound * full)[:, 0].numpy()
    truth = stats.truncnorm(bound - snr, np.inf)
    assert stats.kstest(x, truth.cdf).pvalue > 1e-3
    error = truth.std() / np.sqrt(len(x))
    assert x.mean() == pytest.approx(truth.mean(), abs=4 * error)
    assert x.std() == pytest.approx(truth.std(), rel=0.03)


@pytest.mark.parametrize("snr", SNRS)
@pytest.mark.parametrize("bound", BOUNDS)
def test_passing_normal_is_its_quantile_function(snr, bound):
    uniform = torch.linspace(1e-4, 1 - 1e-4, 501, dtype=torch.float64)[:, None]
    full = torch.ones_like(uniform)
    x = passing_normal(snr * full, uniform, bound * full).numpy()
    truth = stats.truncnorm(bound - snr, np.inf)
    np.testing.assert_allclose(x, truth.isf(uniform.numpy()), atol=1e-9)


def test_what_is_far_below_a_cut_stays_below_it():
    """Up to MAX_LIFT sigma: the loss must depend on how far below the cut a galaxy is."""
    snr = torch.tensor([[-3.0], [-100.0]], dtype=torch.float64).requires_grad_()
    x = passing_normal(snr, torch.full_like(snr, 0.5), torch.full_like(snr, 1.0))
    assert snr[0] + x[0] > 1
    assert snr[1] + x[1] < -100 + MAX_LIFT + 1
    assert torch.isfinite(torch.autograd.grad(x.sum(), snr)[0]).all()


@pytest.mark.parametrize("snr", [0.3, 1.0, 3.0])
def test_draws_equal_a_redraw_loop_in_distribution(snr):
    log_error, n = -8.0, 20_000
    flux = snr * 10**log_error
    random, shape = draws(n)
    maggies = torch.full(shape, flux, dtype=torch.float64)
    noisy = NoiseModel(constant_table(log_error))(maggies, random, 1.0)[:, 0].numpy()
    redraw = np.random.default_rng(1)
    looped = np.full(n, -1.0)
    while (bad := looped <= 0).any():
        looped[bad] = flux + 10**log_error * redraw.normal(size=bad.sum())
    assert stats.ks_2samp(noisy, looped).pvalue > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
def test_flux_is_never_negative(form, dtype):
    model = sloped_model(form, dtype)
    maggies = torch.logspace(-15, -3, 40_000, dtype=dtype)[:, None].expand(-1, 2)
    noisy = model(maggies, torch.Generator().manual_seed(0), 1.0)
    assert torch.isfinite(noisy).all()
    assert (noisy >= MIN_MAGGIES).all()


@pytest.mark.parametrize("reduction", [1.0, 7.0])
@pytest.mark.parametrize("form", FORMS)
def test_noisy_fluxes_are_uniform_in_the_probability_of_their_quoted_errors(form, reduction):
    """The probability integral transform of the truncated normal, and at faint fluxes alone."""
    maggies = torch.logspace(-10.5, -5.5, 200_000, dtype=torch.float64)[:, None].expand(-1, 2)
    noisy, sigma = sloped_model(form).observe(maggies, torch.Generator().manual_seed(3), reduction)
    snr = (maggies / sigma).numpy()
    x = ((noisy - maggies) / sigma).numpy()
    share = (stats.norm.cdf(x) - stats.norm.cdf(-snr)) / stats.norm.cdf(snr)
    for band in range(2):
        assert stats.kstest(share[:, band], "uniform").pvalue > 1e-3
        if (is_faint := snr[:, band] < 3).any():
            assert stats.kstest(share[is_faint, band], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_quoted_errors_of_other_galaxies_are_uniform_in_the_fitted_probability(form):
    """In the forms whose scatter is trimmed, after correction to that of a full normal."""
    table = fit_noise(make_catalogue(form, seed=1), noise_config(form, 30))
    other = make_catalogue(form, n=10_000, seed=2)
    found = FORMS[form].measure(other.maggies, other.mag_error)
    kept = RECIPES[form].spread_of_normal
    for band in range(2):
        mag, law = other.mag[:, band], (table.median[band], table.scatter[band])
        median, scatter = (np.interp(mag, table.mag[band], values) for values in law)
        share = stats.norm.cdf((found[:, band] - median) / scatter * kept)
        assert stats.kstest(share, "uniform").pvalue > 1e-3
        assert (
            stats.kstest(stats.norm.cdf(stats.norm.ppf(share) / kept), "uniform").statistic < 0.035
        )


@pytest.mark.parametrize("progress", [0.0, 0.25, 1.0])
def test_annealed_noise_is_the_surveys_divided_by_the_papers_factor(progress):
    """sigma / R, R = 1 + 30 exp(-12 t): from a 31st of the noise to (almost) all of it."""
    reduction = noise_reduction(progress, NoiseAnnealing(amplitude=30.0, rate=12.0))
    random, shape = draws(40_000)
    noisy = NoiseModel(constant_table(-8.5))(
        torch.full(shape, 1e-7, dtype=torch.float64), random, reduction
    )
    expected = 10**-8.5 / (1 + 30 * np.exp(-12 * progress))
    assert noisy.std().item() == pytest.approx(expected, rel=0.02)
    assert noisy.mean().item() == pytest.approx(1e-7, abs=5 * expected / 200)


def test_the_log_error_has_the_stated_median_and_scatter():
    random, shape = draws(40_000)
    draw = torch.randn(shape, generator=random, dtype=torch.float64)
    model = NoiseModel(constant_table(-8.5, 0.1))
    log_error = model.sigma(torch.full(shape, 1e-7, dtype=torch.float64), draw).log10()
    assert log_error.mean().item() == pytest.approx(-8.5, abs=5 * 0.1 / 200)
    assert log_error.std().item() == pytest.approx(0.1, rel=0.02)


def test_each_galaxys_error_is_drawn_anew():
    maggies = torch.full((20_000, 1), 1e-6, dtype=torch.float64)
    noisy = NoiseModel(constant_table(-8.5, 0.3))(maggies, torch.Generator().manual_seed(0), 1.0)
    # a normal of log-normal width has the kurtosis 3 exp(4 s^2) - 3, s = 0.3 ln 10: heavy tails
    assert stats.kurtosis((noisy - maggies)[:, 0].numpy()) > 5


@pytest.mark.parametrize("reduction", [3.0, 31.0])
@pytest.mark.parametrize("form", ["error_given_flux", "log_snr_given_flux"])
def test_the_reduction_divides_the_noise(form, reduction):
    model = sloped_model(form)
    mag = np.repeat(np.linspace(15, 17, 500)[:, None], 2, axis=1)  # SNR > 30: nothing truncated
    maggies = torch.as_tensor(10 ** (-0.4 * mag))
    full = model(maggies, torch.Generator().manual_seed(2), 1.0) - maggies
    less = model(maggies, torch.Generator().manual_seed(2), reduction) - maggies
    torch.testing.assert_close(less * reduction, full, rtol=1e-6, atol=1e-6 * maggies.min().item())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_finite_at_every_flux(form, dtype):
    model = sloped_model(form, dtype)
    for seed, reduction in itertools.product(range(3), (1.0, 31.0)):
        log_flux = torch.linspace(-15, -3, 5000, dtype=dtype).requires_grad_()
        maggies = (10**log_flux)[:, None].expand(-1, 2)
        noisy = model(maggies, torch.Generator().manual_seed(seed), reduction)
        torch.log10(noisy).sum().backward()
        assert torch.isfinite(log_flux.grad).all()


def test_gradients_equal_finite_differences():
    model = sloped_model("error_given_flux")

    def noisy_mag(log_flux):
        maggies = 10 ** log_flux[:, None].expand(-1, 2)
        return torch.log10(model(maggies, torch.Generator().manual_seed(4), 1.0))

    log_flux = torch.linspace(-8.83, -5.77, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(noisy_mag, log_flux, eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_single_precision_is_enough(form):
    mag = np.random.default_rng(5).uniform(15.5, 20.5, size=(4000, 2))
    maggies = torch.as_tensor(10 ** (-0.4 * mag))
    exact = sloped_model(form)(maggies, torch.Generator().manual_seed(6), 1.0)
    single = sloped_model(form, torch.float32)(
        maggies.float(), torch.Generator().manual_seed(6), 1.0
    )
    difference = 2.5 * torch.log10(single.double() / exact).abs()
    assert difference.median() < 1e-5  # [mag]
    assert difference.quantile(0.999) < 1e-3  # [mag] faint fluxes near zero cancel
