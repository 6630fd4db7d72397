"""`popsed plan`: what follows from measured costs."""

import json

import pytest

from popsed_core import cli
from popsed_core.costs.plan import along, clock, make_plan

COSTS = {
    "survey": "s",
    "machine": {"device": "some GPU", "is_gpu": True, "n_threads": 1, "torch": "2"},
    "n_samples": 1000,
    "n_steps": 2000,
    "galaxies": {
        "n": [10**5, 10**6],
        "setup_s": [2.0, 11.0],
        "step_s": [0.01, 0.01],
        "memory_mb": [1000.0, 1900.0],
    },
    "together": {
        "n": [1, 10],
        "setup_s": [2.0, 20.0],
        "step_s": [0.01, 0.02],
        "memory_mb": [1000.0, 1500.0],
    },
}


@pytest.fixture
def costs(tmp_path):
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(COSTS))
    return path


def popsed(*words):
    return cli.main([str(word) for word in words])


def test_members_are_trained_together_where_that_is_faster():
    plan = make_plan(COSTS, 10**5, 10, 1)
    assert (plan.members_per_job, plan.n_rounds) == (10, 1)
    assert plan.total_s == pytest.approx(10 * 2.0 + 2000 * 0.02)
    assert plan.memory_mb == pytest.approx(1500)


def test_members_are_spread_over_devices():
    plan = make_plan(COSTS, 10**5, 10, 10)
    assert (plan.members_per_job, plan.n_rounds) == (1, 1)
    assert plan.total_s == pytest.approx(2.0 + 2000 * 0.01)
    assert make_plan(COSTS, 10**5, 3, 2).n_rounds == 2


def test_more_galaxies_than_measured_are_extrapolated():
    plan = make_plan(COSTS, 10**8, 1, 1)
    assert plan.setup_s == pytest.approx(11 + 1e-5 * (10**8 - 10**6))
    assert plan.is_extrapolated
    assert not make_plan(COSTS, 10**6, 1, 1).is_extrapolated


def test_costs_between_sizes_are_interpolated_and_never_fall_beyond():
    assert along([100, 200], [1.0, 3.0], 150) == 2.0
    assert along([100, 200], [3.0, 1.0], 1000) == 1.0
    assert along([100], [3.0], 1000) == 3.0


@pytest.mark.parametrize(
    ("seconds", "told"), [(80.0, "80 s"), (120.0, "2.0 min"), (9e3, "2.5 h"), (864e3, "10.0 days")]
)
def test_times_are_told_in_their_unit(seconds, told):
    assert clock(seconds) == told


def test_the_plan_is_told_and_written(costs, tmp_path, capsys):
    output = tmp_path / "plan.json"
    words = ("--galaxies", "1e5", "--gpus", 2, "--members", 10, "--json", output)
    assert popsed("plan", "--costs", costs, *words) == 0
    told = capsys.readouterr().out
    assert told.startswith("100,000 galaxies, 10 members on 2 GPU(s): ")
    assert "measured on: some GPU" in told
    assert "extrapolated" not in told
    assert json.loads(output.read_text())["n_galaxies"] == 100_000


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"machine": {}, "galaxies": {}, "n_steps": 1}'])
def test_a_file_without_costs_is_refused(tmp_path, capsys, text):
    path = tmp_path / "costs.json"
    path.write_text(text)
    assert popsed("plan", "--galaxies", 10, "--costs", path) == 1
    assert "costs.json: lacks the costs; make it with `popsed bench galaxies`" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("text", ["many", "1.5", "-3", "0", "nan", "inf"])
def test_a_wrong_number_of_galaxies_is_refused(capsys, text):
    with pytest.raises(SystemExit):
        popsed("plan", f"--galaxies={text}")
    assert f"got '{text}', expected a whole number such as 1e8" in capsys.readouterr().err
