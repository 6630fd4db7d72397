import dataclasses

import numpy as np
import pytest

from popsed_core.photometry.catalogue import Catalogue
from popsed_core.products.photometric_distance import photometric_distance


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
    # draws of the same rows share some galaxies with a half, so they may fall a little below
    assert result.ensemble == pytest.approx(result.floor, rel=0.35)
    assert 0 < result.floor_scatter < result.floor


def test_a_shift_of_one_sigma_along_every_axis_is_measured(twin, catalogue):
    """Shifted by s in whitened space: SW2^2 = |s|^2 / dimension, for isotropic directions."""
    shift = 2.0 * catalogue.mag.std(axis=0)  # a grey shift: along the first principal axis
    moved = dataclasses.replace(twin, mag=twin.mag + shift)
    result = photometric_distance(moved, catalogue, seed=0)
    whitened = np.linalg.solve(np.linalg.cholesky(np.cov(catalogue.mag, rowvar=False)), shift)
    expected = np.linalg.norm(whitened) / np.sqrt(len(shift))
    assert result.ensemble == pytest.approx(expected, rel=0.15)
    assert min(result.members) > 5 * result.floor


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
