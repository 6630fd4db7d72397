"""Sliced transport: exact in one dimension, and its quantile cells."""

import pytest
import torch
from draws import normal, stream
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from popsed_core.config.distances import SlicedConfig
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import sliced
from popsed_core.inference.distances.rows import Rows

SLICED = SlicedConfig(p=2, n_pool=64, n_step=16)
SLICED_1 = SlicedConfig(p=1, n_pool=64, n_step=16)


@pytest.mark.parametrize("n_rows", [120, 360])
def test_one_dimensional_transport_is_exact(n_rows):
    x, y = normal(120, 1, seed=1), 2 * normal(n_rows, 1, seed=2) + 0.3
    found = distance.build_distance(SLICED, y, 120, stream())(x, stream(), 0.0)
    cost = cdist(x.repeat_interleave(n_rows // 120, dim=0), y) ** 2
    assert found.item() == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-9)


def test_one_dimensional_transport_of_p_1_is_exact_for_as_many_rows():
    x, y = normal(120, 1, seed=1), 2 * normal(120, 1, seed=2) + 0.3
    found = distance.build_distance(SLICED_1, y, 120, stream())(x, stream(), 0.0)
    cost = cdist(x, y)
    assert found.item() == pytest.approx(cost[linear_sum_assignment(cost)].mean(), rel=1e-9)


def test_one_dimensional_transport_of_p_1_neglects_the_width_of_cells_only():
    x, y = normal(500, 1, seed=1), 2 * normal(5000, 1, seed=2) + 0.3
    found = distance.build_distance(SLICED_1, y, 500, stream())(x, stream(), 0.0).item()
    exact = (x.repeat_interleave(10, dim=0).sort(dim=0)[0] - y.sort(dim=0)[0]).abs().mean().item()
    assert found == pytest.approx(exact, rel=0.01)
    assert found <= exact


def test_an_outlier_pulls_a_distance_of_p_1_no_harder_the_farther_it_lies():
    """With p = 2 the pull grows in proportion: one wrong galaxy in a thousand can dominate."""
    pulls = {}
    for config in (SLICED_1, SLICED):
        for far in (10.0, 1000.0):
            y = normal(1000, 2, seed=2)
            y[0] = far
            x = normal(200, 2, seed=1).requires_grad_()
            distance.build_distance(config, y, 200, stream())(x, stream(), 0.0).backward()
            pulls[config.p, far] = x.grad.abs().max().item()
    assert pulls[1, 1000.0] < 1.5 * pulls[1, 10.0]
    assert pulls[2, 1000.0] > 20 * pulls[2, 10.0]


def test_quantile_cells_average_the_empirical_quantile_function():
    ordered = torch.tensor([1.0, 2.0, 3.0, 4.0, 10.0], dtype=torch.float64)  # two cells
    means, spread = sliced.cell_means(ordered, 2)
    torch.testing.assert_close(means, ordered.new_tensor([(1 + 2 + 1.5) / 2.5, 15.5 / 2.5]))
    torch.testing.assert_close(spread, ordered.square().mean() - means.square().mean())


def test_sliced_distance_is_the_mean_over_directions_of_sorted_differences():
    x, y = normal(200, seed=1), normal(600, seed=2) * 1.3
    every = SlicedConfig(p=2, n_pool=32, n_step=32)
    found = distance.build_distance(every, y, 200, stream())
    copies = x.repeat_interleave(3, dim=0)
    parts = [
        ((copies @ d).sort().values - (y @ d).sort().values).square().mean()
        for d in found.directions
    ]
    assert found(x, stream(), 0.0).item() == pytest.approx(torch.stack(parts).mean().item())


def test_chunks_of_directions_change_nothing(monkeypatch):
    y, directions = normal(300), sliced.unit_vectors(10, 3, stream()).double()
    whole = sliced.pool_quantiles(Rows(y), directions, 50)
    monkeypatch.setattr(sliced, "CHUNK_VALUES", 1)
    monkeypatch.setattr(sliced, "LEAST_DIRECTIONS", 3)
    for one, other in zip(sliced.pool_quantiles(Rows(y), directions, 50), whole, strict=True):
        torch.testing.assert_close(one, other)
