"""The distance between characteristic functions against its slow twin."""

import numpy as np
import pytest
import torch
from draws import normal, stream

from popsed_core.config.distances import CharacteristicConfig
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import characteristic
from popsed_core.inference.distances.rows import Rows


def test_characteristic_distance_is_the_double_sum_without_its_diagonal():
    x, y = normal(40, seed=1), normal(30, seed=2) + 0.2
    every = CharacteristicConfig("characteristic", n_pool=50, n_step=50)
    found = distance.build_distance(every, y, 40, stream())

    def kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a[:, None] - b[None]) @ found.frequencies.T).cos().mean(-1)

    within = (kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1))
    expected = within - 2 * kernel(x, y).mean() + kernel(y, y).mean()
    assert found(x, stream(), 0.0).item() == pytest.approx(expected.item(), rel=1e-9)


def test_characteristic_distance_is_unbiased_in_the_number_of_samples():
    every = CharacteristicConfig("characteristic", n_pool=128, n_step=128)
    found = distance.build_distance(every, normal(200_000, seed=9), 20, stream())
    values = torch.stack([found(normal(20, seed=seed), stream(), 0.0) for seed in range(300)])
    assert abs(values.mean()) < 4 * values.std() / 300**0.5
    assert values.std() / 300**0.5 < 0.1 / 20  # the biased estimate would be 1/20 away


def test_chunks_of_rows_change_nothing(monkeypatch):
    y, frequencies = normal(300), normal(20, seed=1)
    whole = characteristic.characteristic_function(Rows(y), frequencies)
    monkeypatch.setattr(characteristic, "CHUNK_VALUES", 700)
    for one, other in zip(
        characteristic.characteristic_function(Rows(y), frequencies), whole, strict=True
    ):
        torch.testing.assert_close(one, other)


def test_frequencies_are_log_uniform_in_their_range():
    modulus = characteristic.draw_frequencies(20_000, 5, (0.3, 20.0), stream()).norm(dim=1).log()
    low, high = np.log(0.3), np.log(20.0)
    assert low - 1e-5 <= modulus.min() <= modulus.max() <= high + 1e-5
    assert modulus.mean().item() == pytest.approx((low + high) / 2, abs=0.03)
    assert modulus.std().item() == pytest.approx((high - low) / 12**0.5, rel=0.02)
