"""Members trained in one job end where separate jobs would, except for rounding."""

from dataclasses import replace

import pytest
import torch
from toy_world import FIT, make_task

from popsed_core.config.distances import (
    CharacteristicConfig,
    CombinedConfig,
    DistanceTerm,
    ExpectedConfig,
    SlicedConfig,
)
from popsed_core.errors import InputError
from popsed_core.inference.fit import FlowFit, fit_member, fit_members
from popsed_core.inference.flow import push_together
from popsed_core.running import loop
from popsed_core.running.runtime import Streams, normal_like

pytestmark = pytest.mark.usefixtures("one_thread")
NUMBERS = (1, 2, 5)
COMBINED = CombinedConfig(
    "combined",
    (
        DistanceTerm(1.0, SlicedConfig(p=2, n_pool=64, n_step=16)),
        DistanceTerm(10.0, CharacteristicConfig("characteristic", n_pool=64, n_step=16)),
    ),
)

EXPECTED = ExpectedConfig("expected", n_frequencies=30)


def tasks(fit=FIT, numbers=NUMBERS):
    return [make_task(number, fit) for number in numbers]


def gradients(job):
    return [torch.cat([w.grad.flatten() for w in member.weights]) for member in job.members]


@pytest.mark.parametrize(
    "distance", [FIT.distance, COMBINED, EXPECTED], ids=["one", "combined", "expected"]
)
@pytest.mark.parametrize("members", ["randomised", "restarts"])
def test_a_step_has_the_gradient_of_separate_steps(survey, distance, members):
    fit = replace(FIT, distance=distance, members=members, model_error=0.02, zero_point_error=0.05)
    together = FlowFit(tasks(fit), survey)
    told = together.step(0, 0)
    for index, task in enumerate(tasks(fit)):
        alone = FlowFit([task], survey)
        torch.testing.assert_close(alone.step(0, 0)[0], told[index], rtol=1e-4, atol=1e-6)
        found, expected = gradients(together)[index], gradients(alone)[0]
        assert (found - expected).norm() < 1e-4 * expected.norm()
        state, other = (
            job.draws.get_state() for job in (alone.members[0], together.members[index])
        )
        assert torch.equal(state, other)  # the same random numbers were used


def test_trained_members_agree_with_those_trained_alone(survey):
    """Adam divides a gradient by its size: where it is nearly zero, rounding decides the step."""
    members, cost = fit_members(tasks(), survey)
    assert [member["member"] for member in members] == list(NUMBERS)
    assert cost["seconds"] > 0
    for task, found in zip(tasks(), members, strict=True):
        expected = fit_member(task, survey)[0]
        for name in ("distance", "prior_kl", "validation"):
            values = found["history"][name]
            assert values == pytest.approx(expected["history"][name], rel=0.01), name
        assert {k: found[k] for k in ("config", "seed", "survey", "failure")} == {
            k: expected[k] for k in ("config", "seed", "survey", "failure")
        }


def test_members_resume_together_bit_for_bit(survey, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    checkpoint, run = tmp_path / "members.pt", FlowFit.epoch

    def interrupted(job, index):
        if index == 1:
            raise KeyboardInterrupt
        return run(job, index)

    with monkeypatch.context() as patch:
        patch.setattr(FlowFit, "epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit_members(tasks(), survey, checkpoint)
    resumed = fit_members(tasks(), survey, checkpoint)[0]
    for one, other in zip(resumed, fit_members(tasks(), survey)[0], strict=True):
        assert one["history"] == other["history"]
        assert all(torch.equal(one["flow"][name], value) for name, value in other["flow"].items())


def test_a_checkpoint_of_other_members_is_refused(survey, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    fit_members(tasks(numbers=(1, 2)), survey, tmp_path / "members.pt")
    with pytest.raises(InputError, match="belongs to another configuration"):
        fit_members(tasks(numbers=(1, 3)), survey, tmp_path / "members.pt")


def poison(job, index):
    """Make the features of one member NaN from the second step on."""
    healthy, calls = job.members[index].misfit.features.forward, []

    def poisoned(mag):
        calls.append(None)
        return healthy(mag) * (torch.nan if len(calls) > 1 else 1)

    job.members[index].misfit.features.forward = poisoned


def test_a_member_that_diverges_leaves_the_others_alone(survey):
    job = FlowFit(tasks(), survey)
    poison(job, 1)
    metrics = [job.epoch(index) for index in range(FIT.n_epochs)]
    assert [bool(member.failure) for member in job.members] == [False, True, False]
    assert job.members[1].failure.startswith("fit diverged in epoch 1, step 2: loss nan")
    assert all(torch.isfinite(weight).all() for weight in job.members[1].weights)
    assert all(value == value for row in metrics for value in row.values())
    undisturbed = FlowFit(tasks(), survey)
    for index in range(FIT.n_epochs):
        undisturbed.epoch(index)
    for good in (0, 2):
        history, expected = (fit.members[good].history for fit in (job, undisturbed))
        assert history["distance"] == pytest.approx(expected["distance"], rel=1e-5)


def test_a_job_without_any_member_left_stops(survey):
    job = FlowFit(tasks(numbers=(1, 2)), survey)
    poison(job, 0)
    poison(job, 1)
    with pytest.raises(FloatingPointError, match="epoch 1, step 2"):
        loop.run(job)


def test_steps_of_a_gpu_are_judged_at_the_end_of_the_epoch(survey):
    job = FlowFit(tasks(numbers=(1, 2)), survey)
    steps = torch.zeros(3, 2, 3)
    steps[1, 0, 2] = torch.inf
    job._check_epoch(4, steps)
    assert [bool(member.failure) for member in job.members] == [True, False]
    assert job.members[0].failure.startswith("fit diverged in epoch 5, step 2")


def test_members_of_other_settings_are_refused(survey):
    mixed = [make_task(1), make_task(2, replace(FIT, n_samples=50))]
    with pytest.raises(ValueError, match="tasks: got different settings"):
        FlowFit(mixed, survey)


def test_flows_pushed_together_are_the_flows(survey):
    job = FlowFit(tasks(), survey)
    flows = [member.flow for member in job.members]
    with torch.no_grad():
        for weight in (weight for flow in flows for weight in flow.parameters()):
            weight.add_(0.05 * torch.randn(weight.shape, generator=torch.Generator()))
    base = [flow.draw_base(40, torch.Generator().manual_seed(k)) for k, flow in enumerate(flows)]
    found = push_together(flows, base)
    expected = [flow.push(x) for flow, x in zip(flows, base, strict=True)]
    for part, whole in zip(zip(*expected, strict=True), found, strict=True):
        torch.testing.assert_close(torch.cat(part), whole, rtol=1e-5, atol=1e-5)


def test_every_stream_makes_its_part_of_the_rows():
    streams = [torch.Generator().manual_seed(seed) for seed in (3, 4)]
    found = normal_like(torch.zeros(6, 2), Streams(streams))
    parts = [torch.randn(3, 2, generator=torch.Generator().manual_seed(seed)) for seed in (3, 4)]
    assert torch.equal(found, torch.cat(parts))
