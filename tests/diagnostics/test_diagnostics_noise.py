"""Errors against their prediction: uniform if and only if the model is right."""

import dataclasses

import numpy as np
import pytest

from popsed_core.config.noise import NoiseConfig
from popsed_core.constants import MAG_PER_LN
from popsed_core.diagnostics.noise import check_noise, normal_scores, transform
from popsed_core.photometry.noise import NoiseTable
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise

BANDS = ("g", "r")
NODES = np.linspace(14.0, 26.0, 25)
DEPTH = (24.0, 22.0)  # [mag] SNR 1
SCATTER = 0.06  # [dex]
N = 20_000


def log_error(mag):
    return -0.4 * np.array(DEPTH) - 0.05 * (mag - np.array(DEPTH))


def law():
    """The noise model of the law."""
    mag = np.tile(NODES, (2, 1))
    scatter = np.full_like(mag, SCATTER)
    ends = np.tile([15.0, 25.0], (2, 1))
    return NoiseTable(mag, log_error(mag.T).T, scatter, ends, BANDS, "error_given_flux", "mock")


def observe(offset=0.0, scatter=SCATTER, noisy=True, seed=3):
    """A catalogue whose errors follow the law except for an offset [dex] and a scatter."""
    random = np.random.default_rng(seed)
    mag = 15 + 7 * random.random((N, 2)) ** 0.5
    log_sigma = log_error(mag) + offset + scatter * random.normal(size=mag.shape)
    flux = 10 ** (-0.4 * mag)
    seen = flux + noisy * 10**log_sigma * random.normal(size=mag.shape)
    is_kept = (seen > 10**log_sigma).all(axis=1)
    seen, log_sigma = seen[is_kept], log_sigma[is_kept]
    return Catalogue(
        -2.5 * np.log10(seen), MAG_PER_LN * 10**log_sigma / seen, np.array([N]), BANDS,
        ("sdss2010-g", "sdss2010-r"), ("read",), "mock", min_snr=1.0,
    )  # fmt: skip


def test_the_law_s_own_catalogue_is_uniform():
    for found in check_noise(law(), observe()).values():
        assert found.n_galaxies > N / 4
        assert found.ks < 2 / np.sqrt(found.n_galaxies)
        assert abs(found.median) < 4 / np.sqrt(found.n_galaxies)
        assert found.width == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("form", ["error_given_flux", "snr_given_flux", "log_snr_given_flux"])
def test_a_fit_predicts_the_errors_it_was_made_of(form):
    catalogue = observe()
    ways = ("intrinsic", "cuts") if form == "error_given_flux" else ("observed", "positive")
    for found in check_noise(fit_noise(catalogue, NoiseConfig(form, *ways)), catalogue).values():
        assert found.ks < 0.05
        # where SNR is steep, a bin's scatter has some of its width in it: up to a tenth too much
        assert found.width == pytest.approx(0.97, abs=0.06)


@pytest.mark.parametrize("offset", [0.1, -0.1])
def test_errors_off_by_a_tenth_of_a_dex_are_found(offset):
    for found in check_noise(law(), observe(offset)).values():
        assert found.ks > 0.4
        assert found.median == pytest.approx(offset / SCATTER, abs=0.1)


@pytest.mark.parametrize("form", ["error_given_flux", "snr_given_flux", "log_snr_given_flux"])
def test_errors_that_are_too_large_score_above_zero_in_every_form(form):
    table = fit_noise(observe(), NoiseConfig(form, "observed", "positive"))
    for found in check_noise(table, observe(0.1)).values():
        assert found.median > 1


def test_errors_that_scatter_twice_as_much_are_found():
    for found in check_noise(law(), observe(scatter=2 * SCATTER)).values():
        assert found.width == pytest.approx(2, abs=0.1)
        assert found.ks > 10 / np.sqrt(found.n_galaxies)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_few_wrong_errors_do_not_blind_it(seed):
    clean, catalogue = check_noise(law(), observe(seed=seed)), observe(seed=seed)
    wrong = catalogue.mag_error.copy()
    wrong[:: len(wrong) // 100] = 1e-6 * MAG_PER_LN
    found = check_noise(law(), dataclasses.replace(catalogue, mag_error=wrong))
    for band in BANDS:
        assert found[band].median == pytest.approx(clean[band].median, abs=0.03)
        assert found[band].width == pytest.approx(clean[band].width, rel=0.03)


def test_only_what_is_clear_above_the_noise_is_asked():
    catalogue = observe()
    scores = normal_scores(law(), catalogue)
    faintest = -2.5 * np.log10(5) + np.array(DEPTH)  # SNR 5, were the slope zero
    for k, band in enumerate(BANDS):
        n_bright = (catalogue.mag[:, k] < faintest[k]).sum()
        assert len(scores[band]) == pytest.approx(n_bright, rel=0.15)
    assert len(scores["g"]) > len(scores["r"])


def test_a_band_without_clear_galaxies_has_no_numbers():
    catalogue = observe()
    faint = dataclasses.replace(catalogue, mag=catalogue.mag + np.array([0.0, 6.0]))
    found = check_noise(law(), faint)["r"]
    assert found.n_galaxies == 0
    assert np.isnan(found.ks)


def test_errors_that_do_not_scatter_are_in_the_middle():
    table = dataclasses.replace(law(), scatter=np.zeros((2, len(NODES))))
    catalogue = observe(scatter=0.0, noisy=False)
    for scores in normal_scores(table, catalogue).values():
        assert np.abs(transform(scores) - 0.5).max() < 0.01


def test_the_transform_of_normal_scores_is_uniform():
    assert transform(np.array([-np.inf, 0.0, np.inf])).tolist() == [0, 0.5, 1]


def test_bands_that_differ_are_refused():
    other = dataclasses.replace(observe(), bands=("g", "i"))
    with pytest.raises(ValueError, match="bands"):
        check_noise(law(), other)
