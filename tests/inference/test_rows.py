"""The catalogue read in blocks: every row as often as chosen, in memory or mapped."""

import numpy as np
import pytest
import torch

from popsed_core.config.distances import (
    CharacteristicConfig,
    SinkhornConfig,
    SlicedConfig,
    UnbiasedSlicedConfig,
)
from popsed_core.inference.distances import build as distance
from popsed_core.inference.distances import rows
from popsed_core.inference.distances.build import build_distance
from popsed_core.inference.distances.rows import Rows

N_GALAXIES = 500
MAG = np.random.default_rng(1).normal(20, 2, (N_GALAXIES, 3))
CHOSEN = torch.tensor([3, 3, 499, 0, 77, 3, 76])
DISTANCES = {
    "sliced": SlicedConfig(p=2, n_pool=32, n_step=32),
    "unbiased": UnbiasedSlicedConfig("unbiased_sliced", n_pool=32, n_step=32),
    "characteristic": CharacteristicConfig("characteristic", n_pool=32, n_step=32),
}


def features(mag):
    return (mag - 20) * torch.tensor([0.5, 1.0, 2.0])


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def as_lines(values):
    return sorted(map(tuple, values.tolist()))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_blocks_hold_every_row_as_often_as_it_counts(size):
    found = torch.cat([*Rows(MAG, CHOSEN, features).blocks(size)])
    expected = features(torch.as_tensor(MAG[CHOSEN.numpy()], dtype=torch.float32))
    assert as_lines(found.float()) == as_lines(expected)


def test_without_a_choice_every_row_counts_once():
    everything = Rows(MAG, None, features)
    assert len(everything) == N_GALAXIES
    assert torch.cat([*everything.blocks(100)]).shape == MAG.shape


def test_rows_are_taken_by_their_number_among_those_that_count():
    taken = Rows(MAG, CHOSEN, features).take(torch.tensor([2, 0, 1]))
    expected = features(torch.as_tensor(MAG[[499, 3, 3]], dtype=torch.float32))
    assert torch.equal(taken, expected)


@pytest.mark.parametrize("name", DISTANCES)
def test_a_map_of_a_file_gives_the_distance_of_the_values_in_memory(name, tmp_path):
    path = tmp_path / "mag"
    MAG.tofile(path)
    mapped = np.memmap(path, np.float64, "r", shape=MAG.shape)
    chosen = torch.randint(N_GALAXIES, (N_GALAXIES,), generator=stream())
    copied = features(torch.as_tensor(MAG[chosen.numpy()], dtype=torch.float32))
    x = torch.randn(60, 3, generator=stream(1))
    values = [
        build_distance(DISTANCES[name], data, 60, stream(2))(x, stream(3), 0.5)
        for data in (Rows(mapped, chosen, features), copied)
    ]
    torch.testing.assert_close(*values)


@pytest.mark.parametrize("name", DISTANCES)
def test_many_rows_are_summed_in_single_precision_to_the_same_distance(name, monkeypatch):
    x = torch.randn(60, 3, generator=stream(1))
    data = Rows(MAG, None, features)
    exact = build_distance(DISTANCES[name], data, 60, stream(2))(x, stream(3), 0.5)
    monkeypatch.setattr(rows, "FEW", 10)
    assert data.dtype == torch.float32
    found = build_distance(DISTANCES[name], data, 60, stream(2))(x, stream(3), 0.5)
    torch.testing.assert_close(found, exact, rtol=1e-5, atol=1e-6)


def test_sinkhorn_draws_few_of_very_many_rows_without_listing_all(monkeypatch):
    monkeypatch.setattr(distance, "FEW", 10)
    drawn = distance.draw_rows(10_000_000_000, 1000, stream())  # a permutation would not fit
    assert len(drawn.unique()) == 1000
    assert drawn.min() >= 0
    assert drawn.max() < 10_000_000_000


def test_sinkhorn_takes_its_rows_from_the_catalogue():
    config = SinkhornConfig("sinkhorn", n_data=N_GALAXIES, blur=((0.0, 0.01),))
    found = build_distance(config, Rows(MAG, None, features), 50, stream())
    x = features(torch.as_tensor(MAG, dtype=torch.float32))
    assert found(x, stream(), 0.0) < 1e-3 < 0.1 < found(x + 1, stream(), 0.0)
