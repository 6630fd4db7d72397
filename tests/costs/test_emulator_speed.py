"""How fast an emulator is: both engines, every operation, threads as they were."""

from pathlib import Path

import pytest
import torch
from toy_world import GRID

from popsed_core.config.root import load
from popsed_core.costs import emulator_speed
from popsed_core.costs.emulator_speed import throughput
from popsed_core.emulator.untrained import untrained_emulator
from popsed_core.parameters import NAMES
from popsed_core.theta import from_matrix

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def segments():
    return untrained_emulator(GRID, load(ROOT / "config.yaml", ROOT / "config/smoke.yaml"))


def test_every_operation_has_a_rate_of_either_engine(segments, monkeypatch):
    monkeypatch.setattr(emulator_speed, "N_REPEATS", 1)
    torch.set_num_threads(2)
    found = throughput(segments, GRID, batch=20)
    assert torch.get_num_threads() == 2
    assert set(found) == {"spectra_forward", "photometry_forward", "photometry_forward_backward"}
    for rates in found.values():
        assert set(rates) == {"exact", "emulator"}
        assert min(rates.values()) > 0


def test_a_rate_is_galaxies_over_the_median_without_the_first(monkeypatch):
    """The first call warms up; a slow one in the middle does not count."""
    clock = iter([0.0, 9.0, 10.0, 10.5, 20.0, 27.0, 30.0, 30.5])
    monkeypatch.setattr(emulator_speed, "N_REPEATS", 3)
    monkeypatch.setattr(emulator_speed.time, "perf_counter", lambda: next(clock))
    theta = from_matrix(torch.zeros(100, len(NAMES)))
    models = {"exact": lambda theta: theta.redshift}
    found = emulator_speed._rates(models, theta, lambda model, theta: None)
    assert found == {"exact": 200.0}
