"""The two-sample test: detects differences, and none where there are none."""

import dataclasses

import numpy as np
import pytest
import synthetic

from popsed_core.diagnostics.classifier import separability


@pytest.fixture(scope="module")
def catalogue():
    return synthetic.make_observed(n=4000)[0]


@pytest.fixture(scope="module")
def twin(catalogue):
    """Samples with the photometry of other galaxies of the same population."""
    others, _ = synthetic.make_observed(n=2400, seed=8)
    samples = synthetic.make_samples(n_members=3, n_draws=800)
    return dataclasses.replace(samples, mag=others.mag.reshape(3, 800, -1))


def with_mag(samples, mag):
    return dataclasses.replace(samples, mag=mag)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_same_population_cannot_be_told_apart(twin, catalogue, seed):
    found = separability(twin, catalogue, seed)
    assert found.n_each == 2000
    assert found.error == pytest.approx(0.5 / np.sqrt(4000))
    assert abs(found.accuracy - 0.5) < 3 * found.error
    assert abs(found.floor - 0.5) < 3 * found.error


def test_another_place_and_another_colour_are_seen(twin, catalogue):
    for shift in (np.full(5, 0.5), np.array([0.0, 0.05, 0.0, 0.0, 0.0])):
        found = separability(with_mag(twin, twin.mag + shift), catalogue, 0)
        assert found.accuracy > 0.5 + 5 * found.error
        assert abs(found.floor - 0.5) < 3 * found.error


def test_a_population_too_narrow_in_colour_is_seen(twin, catalogue):
    """Means alone would say that nothing is wrong."""
    mean = twin.mag.mean(axis=-1, keepdims=True)
    colour = twin.mag - mean
    centre = colour.mean(axis=(0, 1))
    narrow = mean + centre + 0.7 * (colour - centre)
    found = separability(with_mag(twin, narrow), catalogue, 0)
    assert found.accuracy > 0.5 + 5 * found.error


def test_the_prior_is_told_from_the_observed_on_its_own(twin, catalogue):
    others, _ = synthetic.make_observed(n=1600, seed=9)
    same = separability(dataclasses.replace(twin, prior_mag=others.mag), catalogue, 0)
    assert abs(same.prior - 0.5) < 3 * same.error
    far = separability(dataclasses.replace(twin, prior_mag=others.mag + 20), catalogue, 0)
    assert far.prior > 0.99
    assert far.accuracy == same.accuracy


def test_samples_far_apart_are_always_told(twin, catalogue):
    assert separability(with_mag(twin, twin.mag + 20), catalogue, 0).accuracy > 0.99


def test_the_same_seed_gives_the_same_numbers(twin, catalogue):
    first = separability(twin, catalogue, 3)
    assert first == separability(twin, catalogue, 3)
    assert first != separability(twin, catalogue, 4)


def test_a_small_catalogue_is_all_used(twin, catalogue):
    few = dataclasses.replace(catalogue, mag=catalogue.mag[:60], mag_error=catalogue.mag_error[:60])
    assert separability(twin, few, 0).n_each == 30


def test_bands_that_differ_and_magnitudes_that_are_no_numbers_are_refused(twin, catalogue):
    other = dataclasses.replace(catalogue, bands=("a", "b", "c", "d", "e"))
    with pytest.raises(ValueError, match="bands"):
        separability(twin, other, 0)
    broken = twin.mag.copy()
    broken[0, 3, 1] = np.nan
    with pytest.raises(ValueError, match="1 values"):
        separability(with_mag(twin, broken), catalogue, 0)
