import dataclasses
import functools

import numpy as np
import pytest
import synthetic

from popsed_core.diagnostics.photometry import photometric_distance
from popsed_core.photometry.robust import robust_covariance
from popsed_core.surveys.catalogue import Catalogue

TOO_RED = np.array([0.0, 0.1, 0.0, 0.0, 0.0])  # [mag] a population with g wrong


@pytest.fixture
def twin(samples, catalogue):
    """Samples whose photometry is drawn from the catalogue itself, once per member."""
    random = np.random.default_rng(5)
    n_members, n_draws, _ = samples.mag.shape
    mag = np.stack(
        [catalogue.mag[random.permutation(len(catalogue.mag))[:n_draws]] for _ in range(n_members)]
    )
    return dataclasses.replace(samples, mag=mag)


def test_photometry_of_the_catalogue_itself_is_at_the_floor(twin, catalogue):
    result = photometric_distance(twin, catalogue, seed=0)
    assert result.n_each == 600
    # draws of the same rows share galaxies with a half, so they may be slightly below
    assert result.ensemble == pytest.approx(result.floor, rel=0.35)
    assert 0 < result.floor_scatter < result.floor


def test_a_shift_of_one_sigma_along_every_axis_is_measured(twin, catalogue):
    """Shifted by s in whitened space: |s| times the mean |cosine| of isotropic directions."""
    shift = 2.0 * catalogue.mag.std(axis=0)  # a grey shift: along the first principal axis
    moved = dataclasses.replace(twin, mag=twin.mag + shift)
    result = photometric_distance(moved, catalogue, seed=0)
    whitened = np.linalg.solve(np.linalg.cholesky(robust_covariance(catalogue.mag)[1]), shift)
    mean_cosine = 3 / 8  # in five dimensions: Gamma(5/2) / (sqrt(pi) Gamma(3))
    expected = np.linalg.norm(whitened) * mean_cosine
    assert result.ensemble == pytest.approx(expected, rel=0.15)
    assert min(result.members) > 5 * result.floor


def with_wrong(catalogue, n_wrong, value, seed):
    """Replace the i magnitude of some galaxies."""
    random = np.random.default_rng(seed)
    mag = catalogue.mag.copy()
    mag[random.permutation(len(mag))[:n_wrong], 3] = value
    return dataclasses.replace(catalogue, mag=mag)


@functools.cache
def population(seed):
    """10,000 galaxies, and samples that are right except for g."""
    catalogue, _ = synthetic.make_observed(n=10_000, seed=seed)
    others, _ = synthetic.make_observed(n=5000, seed=seed + 100)
    samples = synthetic.make_samples(n_members=1, n_draws=5000)
    return catalogue, dataclasses.replace(samples, mag=others.mag[None] + TOO_RED)


@pytest.mark.parametrize(("seed", "value"), [(0, 22.0), (1, 5.0), (2, 128.0), (3, 22.0)])
def test_wrong_rows_do_not_blind_it(value, seed):
    """One of 10,000 moves nothing, one per cent little; i is some 17 mag."""
    catalogue, samples = population(seed)
    clean = photometric_distance(samples, catalogue, seed)
    assert clean.ensemble > 5 * clean.floor
    for n_wrong, most in ((1, 0.02), (100, 0.15)):
        found = photometric_distance(samples, with_wrong(catalogue, n_wrong, value, seed), seed)
        assert found.floor == pytest.approx(clean.floor, rel=most)
        assert found.ensemble == pytest.approx(clean.ensemble, rel=most)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_squares_of_all_ranks_are_blinded_by_one_row(seed):
    """Why the mean is trimmed: the plain distance of two halves more than doubles."""
    catalogue, _ = population(seed)
    floors = []
    for mag in (catalogue.mag, with_wrong(catalogue, 1, 22.0, seed).mag):
        whitened = (mag - mag.mean(0)) @ np.linalg.cholesky(np.linalg.inv(np.cov(mag.T)))
        order = np.random.default_rng(seed).permutation(len(mag))
        halves = (np.sort(whitened[half], axis=0) for half in np.split(order, 2))
        floors.append(np.sqrt(np.mean(np.subtract(*halves) ** 2)))
    assert floors[1] > 2 * floors[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rows_that_are_there_twice_hardly_move_the_floor(seed):
    catalogue, samples = population(seed)
    rows = np.r_[:10_000, :2000]
    twice = dataclasses.replace(
        catalogue, mag=catalogue.mag[rows], mag_error=catalogue.mag_error[rows]
    )
    floor = photometric_distance(samples, catalogue, seed).floor
    assert photometric_distance(samples, twice, seed).floor == pytest.approx(floor, rel=0.15)


def test_clouds_of_two_galaxies_have_a_distance(catalogue):
    few = synthetic.make_samples(n_draws=2)
    assert np.isfinite(photometric_distance(few, catalogue, seed=0).ensemble)


def test_the_prior_is_measured_like_a_member(twin, catalogue):
    draws = np.concatenate([twin.mag[0], twin.mag[1]])
    alike = dataclasses.replace(twin, prior_mag=draws)
    result = photometric_distance(alike, catalogue, seed=0)
    assert result.prior == pytest.approx(result.members[0], rel=0.35)
    moved = photometric_distance(dataclasses.replace(twin, prior_mag=draws + 1), catalogue, seed=0)
    assert moved.prior > 3 * result.prior
    assert moved.ensemble == result.ensemble


def test_the_same_seed_gives_the_same_numbers(samples, catalogue):
    first = photometric_distance(samples, catalogue, seed=3)
    assert first == photometric_distance(samples, catalogue, seed=3)
    assert first != photometric_distance(samples, catalogue, seed=4)


def test_bands_that_differ_are_refused(samples, catalogue):
    other = Catalogue(
        catalogue.mag, catalogue.mag_error, catalogue.n_kept, ("a", "b", "c", "d", "e"),
        catalogue.filters,
    )  # fmt: skip
    with pytest.raises(ValueError, match="bands"):
        photometric_distance(samples, other, seed=0)


def test_magnitudes_that_are_not_finite_are_refused(samples, catalogue):
    samples.mag[0, 3, 1] = np.nan
    with pytest.raises(ValueError, match="1 values"):
        photometric_distance(samples, catalogue, seed=0)
