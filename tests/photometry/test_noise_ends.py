"""The noise model beyond the measured magnitudes: within the limits of photon counting."""

import dataclasses

import numpy as np
import pytest
import torch
from real_data import demo

from popsed_core.config.noise import NoiseConfig
from popsed_core.photometry.noise import NoiseModel
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise

POGSON = 2.5 / np.log(10)
OURS = NoiseConfig("error_given_flux", n_bins=30)
RELEASED = ("snr_given_flux", "log_snr_given_flux")
FAR = np.linspace(5, 35, 601)  # [mag]


def catalogue_of(mag, log_error, limit=()):
    """One band whose flux errors [dex maggies] are given, and perhaps its faint limit [mag]."""
    mag_error = POGSON * 10 ** (log_error + 0.4 * mag)
    counts = np.array([len(mag)])
    return Catalogue(
        mag[:, None], mag_error[:, None], counts, ("r",), ("sdss2010-r",), ("read",), max_mag=limit
    )


def bell(n=8000, seed=0):
    """Magnitudes with thin ends, as in a real catalogue."""
    return np.random.default_rng(seed).normal(18, 1, n)


def log_snr(table, mag, draw=0.0):
    """Modelled log10 SNR of each band at the same magnitudes (mag, band)."""
    maggies = torch.as_tensor(10 ** (-0.4 * mag))[:, None].expand(-1, len(table.bands))
    sigma = NoiseModel(table).sigma(maggies, torch.full_like(maggies, draw))
    return (maggies / sigma).log10().numpy()


def slopes(table):
    """Change of log10 SNR per magnitude beyond the bright and the faint end (band, end)."""
    bright, faint = log_snr(table, np.array([4.0, 5.0])), log_snr(table, np.array([34.0, 35.0]))
    return np.stack([bright[1] - bright[0], faint[1] - faint[0]], axis=1)


def counted(mag, sky, gain, systematic=0.0):
    """log10 error of photon counting: sky, source photons, and a share of the flux [maggies]."""
    flux = 10 ** (-0.4 * mag)
    return 0.5 * np.log10(sky**2 + flux * gain + (systematic * flux) ** 2)


# --- laws -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "bright", "faint"),
    [
        ({"sky": 1e-9, "gain": 0.0}, -0.4, -0.4),
        ({"sky": 0.0, "gain": 1e-11}, -0.2, -0.2),
        ({"sky": 0.0, "gain": 1e-11, "systematic": 5e-2}, 0.0, -0.2),
    ],
    ids=["sky", "source", "systematics"],
)
def test_each_regime_of_photon_counting_goes_on_beyond_the_ends(law, bright, faint):
    mag = bell()
    scatter = 0.02 * np.random.default_rng(1).normal(size=len(mag))
    found = slopes(fit_noise(catalogue_of(mag, counted(mag, **law) + scatter), OURS))
    np.testing.assert_allclose(found, [[bright, faint]], atol=0.03)


@pytest.mark.parametrize("slope", [-1.0, -0.5, 0.5])
def test_slopes_that_photons_cannot_have_are_held_at_the_nearest_they_can(slope):
    mag = bell()
    table = fit_noise(catalogue_of(mag, -9 + slope * (mag - 18)), OURS)
    bright, faint = slopes(table)[0]
    assert bright == pytest.approx(0.0 if slope < 0 else -0.4, abs=1e-9)
    assert faint == pytest.approx(-0.2 if slope < 0 else -0.4, abs=1e-9)


@pytest.mark.parametrize("draw", [-1.0, 0.0, 1.0])
def test_snr_never_rises_with_magnitude(draw):
    mag = bell(3000)
    scatter = 0.1 * np.random.default_rng(2).normal(size=len(mag))
    for n_bins in (8, 30, 60):
        noise = catalogue_of(mag, counted(mag, 1e-9, 1e-11) + scatter)
        table = fit_noise(noise, NoiseConfig(n_bins=n_bins))
        if draw:  # the scatter itself is measured bin by bin, and may rise or fall
            table = dataclasses.replace(table, scatter=np.full_like(table.scatter, 0.1))
        assert (np.diff(log_snr(table, FAR, draw), axis=0) <= 1e-12).all()


@pytest.mark.parametrize("form", ["error_given_flux", *RELEASED])
def test_empty_outer_bins_are_extrapolation_not_a_plateau(form):
    """A few galaxies far out stretch the bins over magnitudes where nothing is measured."""
    mag = np.concatenate([np.linspace(16, 18, 1000), np.linspace(18.5, 22, 9)])
    table = fit_noise(
        catalogue_of(mag, -9.0 - 0.1 * (mag - 18)),
        NoiseConfig(form, "observed", "positive", n_bins=60),
    )
    np.testing.assert_array_less(table.mag_range[0, 1], 18.2)
    is_beyond = table.mag[0] > 18.2
    assert is_beyond.sum() > 10
    steps = np.diff(table.median[0][is_beyond]) / np.diff(table.mag[0][is_beyond])
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    assert steps[0] == pytest.approx({"snr_given_flux": -60}.get(form, steps[0]), rel=0.5)
    assert abs(steps[0]) > 0.05


@pytest.mark.parametrize("form", RELEASED)
def test_the_papers_and_the_released_forms_go_on_along_their_last_two_bins(form):
    mag = bell()
    scatter = 0.1 * np.random.default_rng(3).normal(size=len(mag))
    table = fit_noise(
        catalogue_of(mag, counted(mag, 1e-9, 1e-11) + scatter),
        NoiseConfig(form, "observed", "positive", n_bins=12),
    )
    step = np.diff(table.median[0])
    assert step[0] == pytest.approx(step[1])
    assert step[-1] == pytest.approx(step[-2])


def test_the_median_is_extrapolated_linearly_and_the_scatter_held():
    mag = bell()
    scatter = 0.1 * np.random.default_rng(3).normal(size=len(mag))
    table = fit_noise(catalogue_of(mag, counted(mag, 1e-9, 1e-11) + scatter), OURS)
    for far, end in ((np.linspace(8, 14, 9), 0), (np.linspace(22, 32, 9), -1)):
        found = log_snr(table, far)[:, 0]
        np.testing.assert_allclose(np.diff(found), np.diff(found)[0], rtol=1e-6)
        one_up = found - log_snr(table, far, 1.0)[:, 0]
        np.testing.assert_allclose(one_up, table.scatter[0, end], rtol=1e-9)


# --- the real survey ------------------------------------------------------------------------


@pytest.mark.real
def test_snr_of_the_demo_never_rises_with_magnitude():
    table = fit_noise(demo()[0], OURS)
    assert (np.diff(log_snr(table, FAR), axis=0) <= 1e-12).all()
    assert ((slopes(table) <= 0) & (slopes(table) >= -0.4)).all()


@pytest.mark.real
@pytest.mark.parametrize("flux", ["intrinsic", "observed"])
@pytest.mark.parametrize("kept", [0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("band", range(5), ids="ugriz")
def test_errors_of_real_galaxies_fainter_than_those_fitted_are_predicted(band, kept, flux):
    """Fitted to the brighter part, the model predicts the quoted errors 0.8-2 mag further.

    Measured: -0.10 to -0.08 dex in u, -0.09 to 0.05 elsewhere.  Errors in u fall more slowly than
    the slope at the limit has it: the faintest galaxies in u are the red ones, no smaller on the
    sky than bluer ones of their r, and the aperture comes with r.
    """
    mag = demo()[0].mag[:, band]
    log_error = np.log10(demo()[0].mag_error[:, band] / POGSON) - 0.4 * mag
    limit = float(np.quantile(mag, kept))
    is_fitted = mag < limit
    brighter = catalogue_of(mag[is_fitted], log_error[is_fitted], (limit,))
    table = fit_noise(brighter, dataclasses.replace(OURS, flux=flux))
    is_tested = (mag > limit + 0.8) & (mag < limit + 2)
    assert is_tested.sum() > 15
    predicted = -0.4 * mag[is_tested] - log_snr(table, mag[is_tested])[:, 0]
    difference = predicted - log_error[is_tested]
    assert abs(np.median(difference)) < 0.1  # [dex], the scatter of errors at one magnitude
