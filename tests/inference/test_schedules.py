"""The schedules of a run, against their definitions."""

import math

import pytest

from popsed_core.config.distances import SinkhornConfig
from popsed_core.config.schedules import LearningRate, NoiseAnnealing, PriorWeight
from popsed_core.inference import schedules
from popsed_core.running.learning_rate import one_cycle

RATE = LearningRate(start=3e-4, peak=3e-3, end=3e-5, rise=0.3)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, 3e-4), (0.15, 1.65e-3), (0.3, 3e-3), (0.65, 1.515e-3), (1.0, 3e-5)],
)
def test_one_cycle_passes_through_start_peak_end_and_their_means(progress, expected):
    assert one_cycle(progress, RATE) == pytest.approx(expected)


def test_one_cycle_rises_then_falls():
    rates = [one_cycle(step / 100, RATE) for step in range(101)]
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)


def test_noise_reduction_follows_the_paper():
    config = NoiseAnnealing(amplitude=30.0, rate=12.0)
    assert schedules.noise_reduction(0.0, config) == 31
    assert schedules.noise_reduction(0.5, config) == pytest.approx(1 + 30 * math.exp(-6))


def test_prior_weight_is_geometric_then_constant():
    config = PriorWeight(start=0.05, end=0.0005, until=0.6)
    assert schedules.prior_weight(0.0, config) == 0.05
    assert schedules.prior_weight(0.3, config) == pytest.approx(0.005)
    assert schedules.prior_weight(0.6, config) == pytest.approx(0.0005)
    assert schedules.prior_weight(1.0, config) == pytest.approx(0.0005)


def test_zero_prior_weight_stays_zero():
    assert schedules.prior_weight(0.5, PriorWeight(start=0.0, end=0.0)) == 0


def test_blur_takes_the_last_step_that_has_begun():
    steps = SinkhornConfig(kind="sinkhorn").blur
    assert schedules.blur(0.0, steps) == 0.3
    assert schedules.blur(0.0749, steps) == 0.3
    assert schedules.blur(0.075, steps) == 0.25
    assert schedules.blur(1.0, steps) == 0.002
    assert schedules.blur(0.1, ((0.5, 0.1), (0.2, 0.3))) == 0.3
