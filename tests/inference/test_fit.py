"""The fit of one member: it learns, it resumes bit for bit, and it stops with a reason."""

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import killable_fit
import numpy as np
import pytest
import torch
from toy_world import FIT, GRID, PARAMETERS, make_task

from popsed_core.config.distances import SinkhornConfig, SlicedConfig
from popsed_core.config.fit import FlowConfig
from popsed_core.config.schedules import LearningRate, PriorWeight
from popsed_core.errors import InputError
from popsed_core.inference.fit import FlowFit, fit_member
from popsed_core.inference.holdout import bootstrap
from popsed_core.running import loop
from popsed_core.theta import Theta

pytestmark = pytest.mark.usefixtures("one_thread")
METRICS = {"distance", "prior_kl", "gradient", "validation", "learning_rate"}


@pytest.fixture(scope="module")
def member(survey):
    return fit_member(make_task(), survey)[0]


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    return tmp_path / "checkpoints" / "member_1.pt"


def member_of(number, fit, survey):
    """A member before its first step."""
    return FlowFit([make_task(number, fit)], survey).members[0]


def content(member, folder):
    """The bytes of a member on disk."""
    path = folder / "member.pt"
    loop.save_plain(member, path)
    return path.read_bytes()


# --- the output of a fit --------------------------------------------------------------------
def test_zero_points_are_learnt_only_where_they_are_free(survey):
    fixed = fit_member(make_task(fit=replace(FIT, zero_point_error=0.0)), survey)[0]
    free = fit_member(make_task(fit=replace(FIT, zero_point_error=0.05)), survey)[0]
    assert (fixed["zero_points"] == 0).all()
    assert (free["zero_points"] != 0).all()


def test_a_bootstrap_draws_galaxies_with_replacement():
    drawn = bootstrap(torch.arange(3000), torch.Generator().manual_seed(0))
    assert len(drawn) == 3000
    assert len(drawn.unique()) == pytest.approx(3000 * (1 - math.exp(-1)), rel=0.03)


def test_the_distance_to_held_out_galaxies_falls(survey):
    longer = replace(
        FIT,
        n_epochs=10,
        n_steps=10,
        n_samples=300,
        learning_rate=LearningRate(start=1e-3, peak=1e-2, end=1e-4),
        prior_weight=PriorWeight(0.01, 0.001),
        flow=FlowConfig(n_blocks=3, n_bins=6, n_hidden=24, n_layers=1),
    )
    history = fit_member(make_task(fit=longer), survey)[0]["history"]
    assert history["validation"][-1] < 0.3 * history["validation"][0]
    assert np.mean(history["distance"][-3:]) < 0.3 * history["distance"][0]


def test_a_member_says_what_it_is(member, survey):
    assert (member["survey"], member["member"], member["seed"]) == ("toy", 1, make_task().seed)
    assert member["source"] == survey.catalogue.source
    assert set(member["history"]) == METRICS
    assert {len(values) for values in member["history"].values()} == {FIT.n_epochs}
    assert np.isfinite(list(member["history"].values())).all()


def test_a_member_is_plain_and_survives_the_disk(member, tmp_path):
    loop.save_plain(member, tmp_path / "member.pt")
    again = loop.load_plain(tmp_path / "member.pt")
    assert again["config"] == member["config"]
    assert all(torch.equal(again["flow"][name], value) for name, value in member["flow"].items())


def test_the_cost_is_kept_apart_from_the_member(survey, member):
    cost = fit_member(make_task(), survey)[1]
    assert cost["seconds"] > 0
    assert cost["peak_memory_mb"] > 100
    assert not {"seconds", "peak_memory_mb"} & set(member)


def test_training_moves_the_weights(survey, member):
    start = member_of(1, FIT, survey).flow.state_dict()
    assert any(not torch.equal(start[name], value) for name, value in member["flow"].items())


@pytest.mark.parametrize(
    "distance", [SlicedConfig(n_pool=64, n_step=16), SinkhornConfig("sinkhorn")]
)
def test_every_distance_trains(survey, distance):
    if distance.kind == "sinkhorn":
        distance = replace(distance, n_data=200, blur=((0.0, 0.3),))
    task = make_task(fit=replace(FIT, n_epochs=1, n_steps=1, distance=distance))
    assert np.isfinite(fit_member(task, survey)[0]["history"]["distance"]).all()


# --- reproducible ---------------------------------------------------------------------------
def test_the_same_seed_gives_the_same_bytes(survey, member, tmp_path):
    again = fit_member(make_task(), survey)[0]
    assert content(again, tmp_path / "a") == content(member, tmp_path / "b")


@pytest.mark.parametrize("change", [{"member": 2}, {"seed": 8}, {"survey": "other"}])
def test_another_member_seed_or_survey_has_other_weights(survey, member, change):
    other = fit_member(make_task(**change), survey)[0]
    same = [torch.equal(other["flow"][name], value) for name, value in member["flow"].items()]
    assert not all(same)
    assert other["history"]["distance"] != member["history"]["distance"]


def test_fits_leave_the_global_stream_alone(survey):
    before = torch.get_rng_state()
    fit_member(make_task(fit=replace(FIT, n_epochs=1)), survey)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("stop", [1, 2])
def test_resumed_is_uninterrupted_bit_for_bit(
    survey, member, checkpoint, tmp_path, monkeypatch, stop
):
    run = FlowFit.epoch

    def interrupted(job, index):
        if index == stop:
            raise KeyboardInterrupt
        return run(job, index)

    with monkeypatch.context() as patch:
        patch.setattr(FlowFit, "epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit_member(make_task(), survey, checkpoint)
    assert loop.load_plain(checkpoint)["epoch"] == stop
    resumed = fit_member(make_task(), survey, checkpoint)[0]
    assert content(resumed, tmp_path / "a") == content(member, tmp_path / "b")


@pytest.mark.faults
def test_a_killed_fit_is_resumed_to_the_same_bytes(survey, checkpoint, tmp_path):
    script = Path(killable_fit.__file__)
    child = subprocess.Popen([sys.executable, script, checkpoint])
    deadline = time.monotonic() + 100
    while not checkpoint.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 0 < loop.load_plain(checkpoint)["epoch"] < killable_fit.N_EPOCHS
    task = make_task(fit=killable_fit.LONGER)
    resumed = fit_member(task, survey, checkpoint)[0]
    uninterrupted = fit_member(task, survey)[0]
    assert content(resumed, tmp_path / "a") == content(uninterrupted, tmp_path / "b")


# --- checkpoints of other configurations ----------------------------------------------------
def test_a_checkpoint_of_another_configuration_is_refused(survey, checkpoint):
    fit_member(make_task(), survey, checkpoint)
    before = checkpoint.read_bytes()
    other = make_task(fit=replace(FIT, n_samples=201))
    with pytest.raises(InputError, match=r"member_1\.pt: belongs to another configuration"):
        fit_member(other, survey, checkpoint)
    assert checkpoint.read_bytes() == before


# --- failures -------------------------------------------------------------------------------
class Poisoned(torch.nn.Module):
    """Photometry that is NaN for some galaxies at its second call."""

    def __init__(self, model, rows):
        super().__init__()
        self.model, self.rows, self.n_calls = model, rows, 0

    def forward(self, *arguments, **options):
        maggies = self.model(*arguments, **options)
        self.n_calls += 1
        if self.n_calls == 2:
            maggies = maggies.index_fill(0, torch.tensor(self.rows), torch.nan)
        return maggies


def test_nan_magnitudes_stop_the_fit_with_epoch_step_and_rows(survey):
    job = FlowFit([make_task()], survey)
    job.forward.photometry = Poisoned(job.forward.photometry, [3, 17])
    with pytest.raises(FloatingPointError, match=r"epoch 1, step 2: loss nan.*rows \[3, 17\]"):
        loop.run(job)


def test_nan_parameters_stop_the_fit_with_epoch_step_and_rows(survey):
    job = FlowFit([make_task()], survey)
    healthy = job.space.to_theta

    def poisoned(u):
        theta = healthy(u)
        return theta._replace(redshift=theta.redshift.index_fill(0, torch.tensor([5]), torch.nan))

    job.space.to_theta = poisoned
    with pytest.raises(FloatingPointError, match=r"epoch 1, step 1: loss nan.*rows \[5\]"):
        job.epoch(0)


def test_a_diverged_fit_leaves_the_last_good_checkpoint(survey, checkpoint):
    job = FlowFit([make_task()], survey)
    job.forward.photometry = Poisoned(job.forward.photometry, [0])
    # the second epoch; each ends with a validation
    job.forward.photometry.n_calls = -FIT.n_steps - 1
    with pytest.raises(FloatingPointError, match="epoch 2"):
        loop.run(job, checkpoint, "toy")
    state = loop.load_plain(checkpoint)
    assert state["epoch"] == 1
    assert all(torch.isfinite(value).all() for value in state["job"]["members"][0]["flow"].values())


def test_a_band_without_coverage_is_refused_before_any_step(survey, checkpoint):
    is_kept = GRID.ssp_wave < 8000
    blue = replace(GRID, ssp_wave=GRID.ssp_wave[is_kept], ssp_flux=GRID.ssp_flux[:, :, is_kept])
    with pytest.raises(InputError, match="sdss2010-"):
        fit_member(make_task(), replace(survey, grid=blue), checkpoint)
    assert not checkpoint.exists()


def test_theta_of_a_step_is_within_the_box(survey):
    _, _, theta, *_ = FlowFit([make_task()], survey).losses(0.0)
    assert isinstance(theta, Theta)
    for name, column in theta._asdict().items():
        assert (column >= PARAMETERS[name].low).all(), name
        assert (column <= PARAMETERS[name].high).all(), name
