"""The unbiased sliced distance: zero at the truth for any number of samples, least there."""

import numpy as np
import pytest
import torch
from scipy import stats

from popsed_core.config.distances import SlicedConfig, UnbiasedSlicedConfig
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import unbiased_sliced
from popsed_core.inference.distances.rows import Rows
from popsed_core.inference.distances.unbiased_sliced import UnbiasedSliced, order_weights

N_ROWS = 40_000
OURS = UnbiasedSlicedConfig("unbiased_sliced", n_pool=32, n_step=32)
PLAIN = SlicedConfig("sliced", p=2, n_pool=32, n_step=32)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, n_features: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n_features, generator=stream(seed), dtype=torch.float64)


def mean_of(config, n: int, scale: float, n_draws: int = 400) -> tuple[float, float]:
    """Mean over draws of the distance of a population of another width, and its error."""
    found = distance.build_distance(config, normal(N_ROWS, seed=99), n, stream())
    draws = [found(scale * normal(n, seed=seed), stream(), 0.0) for seed in range(n_draws)]
    values = torch.stack(draws)
    return values.mean().item(), values.std().item() / n_draws**0.5


@pytest.mark.parametrize("n", [8, 60])
def test_it_is_zero_on_average_at_the_datas_own_population(n):
    mean, error = mean_of(OURS, n, 1.0)
    assert abs(mean) < 4 * error
    assert error < 0.1 * mean_of(PLAIN, n, 1.0)[0]  # the plain one would be ten of these away


def test_it_is_least_at_the_true_width_where_the_plain_one_prefers_a_narrower():
    scales = (0.85, 1.0, 1.15)
    ours, plain = ([mean_of(config, 20, scale)[0] for scale in scales] for config in (OURS, PLAIN))
    assert np.argmin(ours) == 1
    assert np.argmin(plain) == 0


def test_far_away_it_is_the_squared_distance_of_means():
    found = distance.build_distance(OURS, normal(N_ROWS, 1, seed=99), 200, stream())
    value = found(normal(200, 1) + 30, stream(), 0.0).item()
    assert value == pytest.approx(900, rel=0.02)


def test_expected_order_statistics_are_those_of_the_normal():
    data = torch.as_tensor(stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000))[:, None]
    found = unbiased_sliced.expected_order(Rows(data), torch.ones(1, 1, dtype=torch.float64), 5)
    # Harter (1961): expected normal order statistics of five
    np.testing.assert_allclose(found[0], [-1.16296, -0.49502, 0, 0.49502, 1.16296], atol=2e-4)


@pytest.mark.parametrize("m", [1, 5, 700])
def test_every_order_statistic_falls_into_some_cell(m):
    parts = [order_weights(first, m, 300) for first in range(1, m + 1, unbiased_sliced.ORDERS)]
    weights = np.concatenate(parts)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(weights.sum(axis=0), m / 300, atol=1e-9)  # all of them: uniform


def test_chunks_of_order_statistics_change_nothing(monkeypatch):
    rows, directions = Rows(normal(300)), torch.eye(3, dtype=torch.float64)
    whole = unbiased_sliced.expected_order(rows, directions, 20)
    monkeypatch.setattr(unbiased_sliced, "ORDERS", 7)
    order_weights.cache_clear()
    torch.testing.assert_close(unbiased_sliced.expected_order(rows, directions, 20), whole)


def test_another_number_of_samples_is_refused():
    found = UnbiasedSliced(normal(100), 20, n_pool=4, n_step=2, generator=stream())
    with pytest.raises(ValueError, match="got 30 samples, expected 20"):
        found(normal(30), stream(), 0.0)


def test_it_is_validated_by_the_plain_distance():
    """Which is never negative, as the ensemble's comparison of members supposes."""
    found = distance.build_validation(OURS, normal(200), 40, stream())
    assert found(normal(40, seed=3), stream(), 1.0) > 0
    assert found.p == 2
