"""Wrong errors: they do not dominate the noise model, and a notable share is reported."""

import dataclasses
import functools

import numpy as np
import pytest
import torch

from popsed_core.config.noise import NoiseConfig
from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import NoiseModel
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise
from popsed_core.surveys.noise_outliers import implausible_errors, noise_warnings

SCATTER = 0.016  # [dex]
N = 10_000
OURS = {"intrinsic": NoiseConfig(), "observed": NoiseConfig(flux="observed")}
RELEASED = NoiseConfig("log_snr_given_flux", "observed", "positive")


@functools.cache
def survey(seed):
    """Two bands limited by the sky, SNR 6 to 1000."""
    random = np.random.default_rng(seed)
    mag = 22 - random.gamma(2.0, 1.0, size=(N, 1)) + random.normal(0, 0.3, size=(N, 2))
    error = 10 ** (-0.4 * np.array([24.5, 24.0]) + SCATTER * random.normal(size=(N, 2)))
    return Catalogue(
        mag, MAG_PER_LN * error * 10 ** (0.4 * mag), np.array([N]), ("g", "r"),
        ("sdss2010-g", "sdss2010-r"), ("read",), min_snr=1.0,
    )  # fmt: skip


def with_wrong(catalogue, share, seed, bands=slice(None)):
    """Let some errors be a millionth of the flux."""
    chosen = np.random.default_rng(seed).permutation(N)[: round(share * N)]
    mag_error = catalogue.mag_error.copy()
    mag_error[chosen, bands] = 1e-6 * MAG_PER_LN
    return dataclasses.replace(catalogue, mag_error=mag_error)


def scatter(table):
    """Median over the nodes of each band [dex]."""
    return np.median(table.scatter, axis=1)


def model_error(table):
    """97.5 % of the modelled magnitude error at 20 mag."""
    maggies = torch.full((1, 2), 10**-8.0, dtype=torch.float64)
    return NoiseModel(table).sigma(maggies, torch.full_like(maggies, 1.96)).numpy()[0] / 1e-8


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("flux", OURS)
def test_wrong_errors_hardly_move_the_scatter(flux, seed):
    clean = fit_noise(survey(seed), OURS[flux])
    assert scatter(clean) == pytest.approx(SCATTER, rel=0.15)
    for share, most in ((1e-4, 0.02), (0.01, 0.05), (0.02, 0.08), (0.1, 0.15)):
        found = fit_noise(with_wrong(survey(seed), share, seed), OURS[flux])
        np.testing.assert_allclose(scatter(found), scatter(clean), rtol=most)
        np.testing.assert_allclose(model_error(found), model_error(clean), rtol=0.02)
        assert found.scatter.max() < 2 * clean.scatter.max()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_trimmed_standard_deviation_is_ruled_by_two_per_cent(seed):
    """Why scatter is a quantile: comparison with the released form."""
    clean, found = (
        fit_noise(with_wrong(survey(seed), share, seed), RELEASED) for share in (0.0, 0.02)
    )
    assert (scatter(found) > 5 * scatter(clean)).all()


@pytest.mark.parametrize("config", [*OURS.values(), RELEASED], ids=[*OURS, "released"])
def test_band_and_share_of_wrong_errors_are_named(config):
    catalogue = with_wrong(survey(0), 0.02, 0, bands=1)
    table = fit_noise(catalogue, config)
    shares = implausible_errors(table, catalogue)
    assert shares["g"] == 0
    assert shares["r"] == pytest.approx(0.02)
    (warning,) = noise_warnings(table, catalogue)
    assert warning.startswith("band r: 2 % of the errors are more than ten times")


def test_a_few_wrong_errors_are_no_warning():
    catalogue = with_wrong(survey(0), 1e-3, 0)
    assert noise_warnings(fit_noise(catalogue, NoiseConfig()), catalogue) == []


def test_bands_that_differ_are_refused():
    table = fit_noise(survey(0), NoiseConfig())
    with pytest.raises(ValueError, match="bands"):
        implausible_errors(table, dataclasses.replace(survey(0), bands=("g", "i")))
