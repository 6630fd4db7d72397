"""Distances against exact slow twins; the truth has the smallest one."""

import subprocess

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from popsed_core.config.distances import CharacteristicConfig, SinkhornConfig, SlicedConfig
from popsed_core.errors import InputError
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import characteristic, sliced
from popsed_core.inference.distances.rows import Rows
from popsed_core.running import keops

SLICED = SlicedConfig(p=2, n_pool=64, n_step=16)
SLICED_1 = SlicedConfig(p=1, n_pool=64, n_step=16)
CHARACTERISTIC = CharacteristicConfig("characteristic", n_pool=512, n_step=128)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(n: int, n_features: int = 3, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, n_features, generator=stream(seed), dtype=torch.float64)


def sinkhorn(p: int = 2, blur: float = 0.001, **options) -> SinkhornConfig:
    options = {"scaling": 0.95, "n_data": 60, **options}
    return SinkhornConfig(kind="sinkhorn", p=p, blur=((0.0, blur),), **options)


@pytest.mark.parametrize("p", [1, 2])
def test_sinkhorn_at_small_blur_is_exact_transport(p):
    x, y = normal(60, seed=1), 0.5 * normal(60, seed=2) + 1
    cost = cdist(x, y) ** p / p
    exact = cost[linear_sum_assignment(cost)].mean()
    found = distance.build_distance(sinkhorn(p), y, 60, stream())(x, stream(), 1.0)
    assert found.item() == pytest.approx(exact, rel=0.01)


def test_sinkhorn_uses_the_blur_of_the_progress():
    x, y = normal(40, seed=1), normal(50, seed=2)
    steps = SinkhornConfig(kind="sinkhorn", n_data=50, blur=((0.0, 1.0), (0.5, 0.01)))
    found = distance.build_distance(steps, y, 40, stream())
    wide = distance.build_distance(sinkhorn(blur=1.0, scaling=0.9, n_data=50), y, 40, stream())
    assert found(x, stream(), 0.4) == wide(x, stream(), 0.4)
    assert found(x, stream(), 0.5) > 1.5 * found(x, stream(), 0.4)


def test_sinkhorn_draws_rows_from_its_generator():
    x, y = normal(30, seed=1), normal(500, seed=2)
    found = distance.build_distance(sinkhorn(blur=0.5), y, 30, stream())
    assert found(x, stream(3), 0.0) == found(x, stream(3), 0.0)
    assert found(x, stream(3), 0.0) != found(x, stream(4), 0.0)


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


@pytest.mark.parametrize(
    "config",
    [SLICED, CHARACTERISTIC, sinkhorn(blur=0.3, scaling=0.995), sinkhorn(1, 0.3, scaling=0.995)],
)
def test_gradients_equal_finite_differences(config):
    x, y = normal(20, seed=1).requires_grad_(), normal(60, seed=2) + 0.5
    found = distance.build_distance(config, y, 20, stream())
    (gradient,) = torch.autograd.grad(found(x, stream(), 0.0), x)
    direction, step = normal(20, seed=5), 1e-6
    with torch.no_grad():
        ends = [found(x + sign * step * direction, stream(), 0.0) for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step)
    # GeomLoss gives the gradient that converged potentials would have; slow scaling gets close
    tolerance = 0.05 if isinstance(config, SinkhornConfig) else 1e-5
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=tolerance)


@pytest.mark.parametrize("config", [SLICED, CHARACTERISTIC, sinkhorn(blur=0.05)])
def test_gradients_are_finite_at_identical_points_and_far_away(config):
    y = normal(60, seed=2).float()
    x = torch.cat([y[:10], torch.zeros(5, 3), torch.full((5, 3), 1e3)]).requires_grad_()
    distance.build_distance(config, y, 20, stream())(x, stream(), 0.0).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("config", [SLICED, CHARACTERISTIC])
def test_smallest_distance_is_at_the_true_width(config):
    population = normal(20_000, 5, seed=7)
    found = distance.build_distance(config, population, 1000, stream())
    scales = torch.tensor([0.7, 0.85, 1.0, 1.15, 1.3])
    losses = torch.zeros(len(scales))
    for seed in range(8):
        x = normal(1000, 5, seed=100 + seed)
        for index, scale in enumerate(scales):
            stretched = x * torch.tensor([1, 1, 1, 1, scale])
            losses[index] += found(stretched, stream(seed), 0.0)
    assert scales[losses.argmin()] == 1.0


@pytest.mark.parametrize("config", [SLICED, CHARACTERISTIC, sinkhorn(blur=0.05)])
def test_distance_grows_with_a_shift(config):
    y, x = normal(4000, seed=2), normal(400, seed=1)
    found = distance.build_distance(config, y, 400, stream())
    values = [found(x + shift, stream(), 0.0).item() for shift in (0.0, 0.3, 1.0)]
    assert values == sorted(values)


def test_pooled_distances_cost_no_draw_of_the_data():
    for config in (SLICED, CHARACTERISTIC):
        found = distance.build_distance(config, normal(5000), 100, stream())
        assert all(5000 not in buffer.shape for buffer in found.buffers())


def test_validation_distance_does_not_depend_on_its_generator():
    x, held_out = normal(100, seed=1), normal(300, seed=2)
    for config in (SLICED, CHARACTERISTIC):
        found = distance.build_validation(config, held_out, 100, stream())
        torch.testing.assert_close(found(x, stream(1), 1.0), found(x, stream(2), 1.0))


def test_wrong_number_of_samples_is_named():
    found = distance.build_distance(SLICED, normal(100), 20, stream())
    with pytest.raises(ValueError, match="got 30 samples, expected 20"):
        found(normal(30), stream(), 0.0)


def test_empty_catalogue_is_named():
    with pytest.raises(InputError, match="1 galaxies"):
        distance.build_distance(SLICED, normal(1), 20, stream())


@pytest.mark.parametrize("failure", ["exit", "hang"])
def test_broken_keops_is_refused_with_the_remedy(monkeypatch, failure):
    def run(command, **options):
        if failure == "hang":
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(keops.subprocess, "run", run)
    monkeypatch.setattr(keops, "is_installed", lambda: True)
    keops.keops_fault.cache_clear()
    with pytest.raises(InputError, match=r"cannot compile: .*backend: tensorized"):
        distance.build_distance(sinkhorn(backend="online"), normal(10), 10, stream())
    keops.keops_fault.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["online", "multiscale"])
def test_keops_backends_equal_the_tensorized_one(backend):
    pytest.importorskip("pykeops")
    assert keops.keops_fault() == ""
    x, y = normal(40, seed=1), normal(50, seed=2)
    found = [
        distance.build_distance(sinkhorn(blur=0.3, n_data=50, backend=name), y, 40, stream())
        for name in (backend, "tensorized")
    ]
    one, other = (item(x, stream(), 0.0).item() for item in found)
    assert one == pytest.approx(other, rel=0.05)
