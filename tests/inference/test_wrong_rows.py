"""A wrong row among the observed galaxies dominates no distance of the fit."""

import functools

import numpy as np
import pytest
import synthetic
import torch

from popsed_core.config.distances import (
    CharacteristicConfig,
    FeaturesConfig,
    SlicedConfig,
    UnbiasedSlicedConfig,
)
from popsed_core.inference.distances.build import build_distance
from popsed_core.inference.distances.features import REACH, build_features

BANDS = ["u", "g", "r", "i", "z"]
TOO_RED = torch.tensor([0.0, 0.1, 0.0, 0.0, 0.0])  # [mag]
POOL = {"n_pool": 256, "n_step": 256}
KINDS = {
    "sliced": SlicedConfig(p=1, **POOL),
    "unbiased_sliced": UnbiasedSlicedConfig("unbiased_sliced", **POOL),
    "characteristic": CharacteristicConfig("characteristic", **POOL),
}


@functools.cache
def galaxies(n, seed):
    return synthetic.make_observed(n=n, seed=seed)[0].mag


def spoilt(value, seed, n=10_000):
    mag = galaxies(n, seed).copy()
    mag[3, 3] = value
    return mag


def distances(kind, mag, seed):
    """Return the distance of a sample of the same population, and of one with g wrong."""
    features = build_features(mag, BANDS, FeaturesConfig())
    data = features.of_data(torch.from_numpy(mag).float())
    distance = build_distance(KINDS[kind], data, 1000, torch.Generator().manual_seed(seed))
    sample = torch.from_numpy(galaxies(1000, seed + 100)).float()
    return np.array(
        [
            distance(features(x), torch.Generator().manual_seed(1), 1.0).item()
            for x in (sample, sample + TOO_RED)
        ]
    )


@pytest.mark.parametrize(("seed", "value"), [(0, 22.0), (1, 5.0), (2, 128.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_one_wrong_row_moves_no_distance_of_the_fit(kind, value, seed):
    clean, found = (
        distances(kind, mag, seed) for mag in (galaxies(10_000, seed), spoilt(value, seed))
    )
    np.testing.assert_allclose(found, clean, rtol=0.02, atol=0.001 * clean[1])


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["sliced", "unbiased_sliced"])
def test_one_wrong_row_among_500_held_out_makes_no_member_worse(kind, seed):
    clean, found = (
        distances(kind, mag, seed) for mag in (galaxies(500, seed), spoilt(22.0, seed, 500))
    )
    np.testing.assert_allclose(found, clean, rtol=0.02, atol=0.02 * clean[1])


def test_without_a_reach_one_wrong_row_rules_them():
    mag = spoilt(22.0, 0)
    features = build_features(mag, BANDS, FeaturesConfig())
    assert features(torch.from_numpy(mag[3:4]).float()).norm() > 5 * REACH


def test_only_what_is_farther_than_the_reach_is_pulled_to_it():
    mag = spoilt(22.0, 0)
    features = build_features(mag, BANDS, FeaturesConfig())
    values = torch.from_numpy(mag).float()
    plain, data = features(values), features.of_data(values)
    is_far = plain.norm(dim=1) > REACH
    assert is_far[3]
    torch.testing.assert_close(data[~is_far], plain[~is_far], rtol=0, atol=0)
    torch.testing.assert_close(data[is_far].norm(dim=1), torch.full((int(is_far.sum()),), REACH))
    torch.testing.assert_close(data[3] / REACH, plain[3] / plain[3].norm())


def test_the_released_codes_space_has_no_reach():
    mag = spoilt(128.0, 0)
    features = build_features(mag, BANDS, FeaturesConfig(kind="zscored"))
    values = torch.from_numpy(mag).float()
    assert torch.equal(features.of_data(values), features(values))
