"""Errors of a faint catalogue: measured at noiseless fluxes, drawn such that they pass the cuts."""

import dataclasses
import functools

import numpy as np
import pytest
import torch
from scipy import stats

from popsed_core.config.noise import NoiseConfig
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.surveys.catalogue import Catalogue, faint_limits
from popsed_core.surveys.noise_fit import fit_noise

POGSON = 2.5 / np.log(10)
DEPTH = 22.0  # [mag] SNR 1
SLOPE = -0.06  # of log10 error with magnitude [dex / mag]
SCATTER = 0.05  # [dex]
OURS = NoiseConfig()


def log_error(mag):
    return -0.4 * DEPTH + SLOPE * (mag - DEPTH)


def parent(n, seed):
    """Galaxies increasingly numerous to 22 mag, then fewer; many are too faint for the survey."""
    random = np.random.default_rng(seed)
    mag = 22.0 - random.gamma(2.0, 1.0, size=n) + random.normal(0, 0.5, size=n)
    return mag, 10 ** (log_error(mag) + SCATTER * random.normal(size=n)), random


@functools.cache
def observed(n=150_000, seed=0, min_snr=1.0, max_mag=()):
    """The catalogue of one band that a survey with these cuts makes, and its true magnitudes."""
    mag, error, random = parent(n, seed)
    flux = 10 ** (-0.4 * mag) + error * random.normal(size=n)
    is_kept = flux > np.maximum(min_snr * error, 10 ** (-0.4 * max_mag[0]) if max_mag else 0)
    flux, error = flux[is_kept, None], error[is_kept, None]
    return Catalogue(
        -2.5 * np.log10(flux), POGSON * error / flux, np.array([n]), ("u",), ("sdss2010-u",),
        ("read",), min_snr=min_snr, max_mag=max_mag,
    ), mag[is_kept]  # fmt: skip


CUTS = {"SNR 1": {"min_snr": 1.0}, "SNR 3": {"min_snr": 3.0}, "limit": {"max_mag": (21.5,)}}
REACH = {"SNR 1": 22.0, "SNR 3": 21.3, "limit": 22.0}  # [mag] where one in twenty still passes


@pytest.mark.parametrize("name", CUTS)
def test_the_law_of_the_errors_is_found_behind_the_cuts(name):
    catalogue, _ = observed(**CUTS[name])
    table = fit_noise(catalogue, OURS)
    is_seen = (table.mag[0] > 17) & (table.mag[0] < REACH[name])
    found, wanted = table.median[0, is_seen], log_error(table.mag[0, is_seen])
    assert np.abs(found - wanted).max() < 0.3 * SCATTER
    assert table.scatter[0, is_seen].mean() == pytest.approx(SCATTER, rel=0.05)


@pytest.mark.parametrize("limit", [19.0, 19.5, 20.0, 20.5])
def test_beyond_a_faint_limit_errors_go_on_as_before_it(limit):
    """Only the largest errors lift a galaxy over a limit at which SNR is high: no law is theirs."""
    catalogue, _ = observed(max_mag=(limit,))
    table = fit_noise(catalogue, OURS)
    is_beyond = (table.mag[0] > 17) & (table.mag[0] < limit + 1)
    found, wanted = table.median[0, is_beyond], log_error(table.mag[0, is_beyond])
    assert np.abs(found - wanted).max() < 0.6 * SCATTER


def test_at_observed_magnitudes_the_faint_end_looks_too_good():
    """Why magnitudes are intrinsic: comparison with the twin without the cut."""
    catalogue, _ = observed(**CUTS["SNR 3"])
    naive = fit_noise(catalogue, dataclasses.replace(OURS, flux="observed"))
    bias = (naive.median[0] - log_error(naive.mag[0]))[-2]
    assert bias < -SCATTER


def test_bright_galaxies_are_binned_as_they_are_seen():
    catalogue, _ = observed()
    is_bright = catalogue.mag[:, 0] < 18
    bright = dataclasses.replace(
        catalogue, mag=catalogue.mag[is_bright], mag_error=catalogue.mag_error[is_bright]
    )
    ours, naive = (fit_noise(bright, NoiseConfig(flux=flux)) for flux in ("intrinsic", "observed"))
    n = naive.mag.shape[1] - 1
    np.testing.assert_allclose(ours.mag[:, :n], naive.mag[:, :n])
    is_seen = naive.mag[0, :n] < 17.5  # at the edge of the sample some have neighbours beyond it
    np.testing.assert_allclose(
        ours.median[0, :n][is_seen], naive.median[0, :n][is_seen], atol=0.1 * SCATTER
    )


@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_kept_galaxies_are_seen_again_as_the_survey_saw_them(cuts):
    """Their true fluxes, observed once more with the fitted noise, have the same magnitudes."""
    catalogue, mag = observed(**cuts)
    maggies = torch.as_tensor(10 ** (-0.4 * mag))[:, None]
    noisy = {}
    for truncation in ("cuts", "positive"):
        table = fit_noise(catalogue, dataclasses.replace(OURS, truncation=truncation))
        model = NoiseModel(table)
        noisy[truncation] = -2.5 * model(maggies, torch.Generator().manual_seed(1), 1.0).log10()
    again, naive = (
        stats.ks_2samp(noisy[key][:, 0].numpy(), catalogue.mag[:, 0]).statistic
        for key in ("cuts", "positive")
    )
    assert again < 0.006  # 1.6 / sqrt(n / 2) at n = 140,000
    assert naive > 3 * again


def test_a_catalogue_without_cuts_is_only_held_to_positive_fluxes():
    catalogue, _ = observed(min_snr=0.0)
    table = fit_noise(catalogue, OURS)
    assert (table.min_snr, table.max_mag) == (0.0, ())


def test_limits_are_infinite_where_there_are_none():
    assert faint_limits(("g", "r"), {"r": 20.0}) == (np.inf, 20.0)
    assert faint_limits(("g", "r"), {}) == ()


def test_a_limit_in_one_band_leaves_the_other_alone():
    mag = np.tile(np.linspace(15, 25, 5), (2, 1))
    table = NoiseTable(
        mag, np.full_like(mag, -8.0), 0 * mag, mag[:, [0, -1]], ("g", "r"), "error_given_flux",
        max_mag=(np.inf, 20.0),
    )  # fmt: skip
    maggies = torch.full((20_000, 2), 10**-8.1, dtype=torch.float64)
    noisy = NoiseModel(table)(maggies, torch.Generator().manual_seed(0), 1.0)
    assert (noisy[:, 0] < 10**-8).any()
    assert (noisy[:, 1] >= 10**-8).all()
