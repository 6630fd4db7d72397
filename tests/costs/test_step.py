"""The cost of a step: parts add up, the step is the fit's own, exponents are right."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_world import FIT, make_task

from popsed_core.config.distances import SinkhornConfig
from popsed_core.costs import step as step_cost
from popsed_core.costs.step import PARTS, Stopwatch, exponent, extrapolate
from popsed_core.inference.fit import FlowFit


def test_the_parts_add_up_to_the_step(survey):
    cost = step_cost.step_cost(make_task(), survey, 500, n_repeats=1)
    parts = [cost.seconds[name] for name in PARTS]
    assert set(cost.seconds) == {*PARTS, "step"}
    assert min(parts) >= 0
    assert cost.seconds["flow"] > 0
    assert cost.seconds["backward"] > 0
    assert 0.9 * cost.seconds["step"] < sum(parts) <= cost.seconds["step"]
    assert cost.memory_mb > 10


def test_watching_changes_no_number(survey):
    weights = []
    for is_watched in (False, True):
        job = FlowFit([make_task()], survey)
        if is_watched:
            watch = Stopwatch(job)
            watch.step(job, 0.0)
            watch.close()
        else:
            job.step(0, 0)
        state = job.members[0].flow.state_dict()
        weights.append(torch.cat([value.flatten() for value in state.values()]))
    assert torch.equal(*weights)


def test_a_closed_watch_watches_no_more(survey):
    job = FlowFit([make_task()], survey)
    watch = Stopwatch(job)
    watch.step(job, 0.0)
    watch.close()
    seen = len(watch.marks)
    job.step(0, 1)
    assert len(watch.marks) == seen > 0


def test_sinkhorn_compares_as_many_galaxies_as_samples(survey, monkeypatch):
    sizes = []

    class Seen(FlowFit):
        def __init__(self, tasks, survey):
            super().__init__(tasks, survey)
            task = tasks[0]
            sizes.append((task.fit.n_samples, task.fit.distance.n_data))

    monkeypatch.setattr(step_cost, "FlowFit", Seen)
    task = make_task()
    sinkhorn = SinkhornConfig("sinkhorn", blur=((0.0, 1.0),), n_data=7)
    task = replace(task, fit=replace(FIT, distance=sinkhorn))
    step_cost.step_cost(task, survey, 60, n_repeats=1)
    assert sizes == [(60, 60)]


def test_the_exponent_is_that_of_a_power_law():
    sizes = [100, 200, 400, 800]
    seconds = [3e-6 * n**1.7 for n in sizes]
    assert exponent(sizes, seconds) == pytest.approx(1.7)
    assert extrapolate(sizes, seconds, 10_000) == pytest.approx(3e-6 * 10_000**1.7)


def test_an_exponent_takes_two_sizes():
    with pytest.raises(ValueError, match=r"n_samples: got \[100, 100\], expected at least two"):
        exponent([100, 100], [1.0, 2.0])


def test_steps_are_timed_at_the_progress_asked_for(survey, monkeypatch):
    seen = []
    monkeypatch.setattr(FlowFit, "step", lambda self, epoch, step: seen.append((epoch, step)))
    task = make_task()
    job = FlowFit([replace(task, fit=replace(FIT, n_epochs=10, n_steps=8))], survey)
    watch = Stopwatch(job)
    watch.step(job, 0.95)
    assert seen == [(9, 4)]
    assert np.isfinite(watch.now())
