"""A sum of distances: its parts, its validation, and what characteristic functions add to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from popsed_core.config.distances import (
    CharacteristicConfig,
    CombinedConfig,
    DistanceTerm,
    UnbiasedSlicedConfig,
)
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import sliced

CHARACTERISTIC = CharacteristicConfig("characteristic", n_pool=512, n_step=128)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, n_features: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n_features, generator=stream(seed), dtype=torch.float64)


def combined(**weights):
    kinds = {"transport": UnbiasedSlicedConfig("unbiased_sliced", n_pool=64, n_step=16)}
    kinds["characteristic"] = CHARACTERISTIC
    terms = tuple(DistanceTerm(weight, kinds[name]) for name, weight in weights.items())
    return CombinedConfig("combined", terms)


def test_a_combination_is_the_weighted_sum_of_its_parts():
    x, y = normal(100, seed=1) + 0.3, normal(400, seed=2)
    found = distance.build_distance(combined(transport=2.0, characteristic=30.0), y, 100, stream())
    draws = stream(5)
    transport, characteristic_part = (part(x, draws, 0.0).item() for part in found.parts)
    assert abs(transport - characteristic_part) > 0.01
    total = found(x, stream(5), 0.0).item()
    assert total == pytest.approx(2 * transport + 30 * characteristic_part)


def test_a_combination_is_validated_by_parts_that_use_their_pools_whole():
    x, y = normal(100, seed=1), normal(400, seed=2)
    found = distance.build_validation(combined(transport=1.0, characteristic=1.0), y, 100, stream())
    assert isinstance(found.parts[0], sliced.SlicedWasserstein)
    assert found(x, stream(3), 1.0).item() == pytest.approx(found(x, stream(4), 1.0).item())


def test_fine_structure_stands_out_of_the_noise_of_characteristic_functions_only():
    """Three lumps in one of five features against a smooth one of the same width."""
    lumps = 1.1 * (torch.arange(20_000) % 3 - 1)[:, None] + 0.4 * normal(20_000, 1, seed=1)
    y = torch.cat([lumps, normal(20_000, 4, seed=2)], dim=1)
    width = torch.cat([lumps.std()[None], torch.ones(4)])
    fine = replace(CHARACTERISTIC, low=0.5, high=8.0)
    signal = {}
    for config in (UnbiasedSlicedConfig("unbiased_sliced", n_pool=64, n_step=16), fine):
        found = distance.build_distance(config, y, 1000, stream())
        smooth = (width * normal(1000, 5, seed=100 + i) for i in range(40))
        values = [found(x, stream(i), 0.0).item() for i, x in enumerate(smooth)]
        signal[config.kind] = np.mean(values) / np.std(values)
    assert signal["characteristic"] > 4 * signal["unbiased_sliced"] > 0
