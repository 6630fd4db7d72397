"""Distances against exact slow twins; the truth has the smallest one."""

import subprocess

import pytest
import torch
from draws import normal, stream
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from popsed_core.config.distances import CharacteristicConfig, SinkhornConfig, SlicedConfig
from popsed_core.errors import InputError
from popsed_core.inference.distances import build as distance
from popsed_core.running import keops

SLICED = SlicedConfig(p=2, n_pool=64, n_step=16)
CHARACTERISTIC = CharacteristicConfig("characteristic", n_pool=512, n_step=128)


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
