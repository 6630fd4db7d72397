"""``popsed bench galaxies`` and ``popsed plan``: measured costs and the plans made from them."""

import json
from pathlib import Path

import pytest
import torch
from toy_world import GRID, base_catalogue, noise_table

from popsed_core import cli
from popsed_core.costs.galaxies import enlarge
from popsed_core.costs.plan import along, clock, make_plan
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.surveys.catalogue import Catalogue

ROOT = Path(__file__).resolve().parent.parent
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
def files(tmp_path):
    catalogue = base_catalogue(400)
    artefacts = {"ssp": GRID, "catalogue": catalogue, "noise": noise_table(catalogue)}
    for name, artefact in artefacts.items():
        save(artefact, tmp_path / f"{name}.h5", Provenance("toy"))
    return {name: tmp_path / f"{name}.h5" for name in artefacts}


@pytest.fixture
def costs(tmp_path):
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(COSTS))
    return path


def popsed(*words):
    return cli.main([str(word) for word in words])


@pytest.mark.slow
def test_fits_are_measured_and_a_plan_made_of_it(files, tmp_path, capsys):
    output, table = tmp_path / "galaxies.json", tmp_path / "galaxies.md"
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    options += ["--config", ROOT / "config.yaml", ROOT / "config" / "smoke.yaml", "--device", "cpu"]
    options += ["--sizes", "300", "1e3", "--together", 2, "--repeats", 1, "--markdown", table]
    assert popsed("bench", "galaxies", "--survey", "table2_mock", *options, "--", output) == 0
    found = json.loads(output.read_text())
    assert found["galaxies"]["n"] == [300, 1000]
    assert found["together"]["n"] == [1, 2]
    for axis in ("galaxies", "together"):
        assert all(min(found[axis][key]) > 0 for key in ("setup_s", "step_s", "memory_mb"))
    assert found["machine"]["torch"] == torch.__version__
    assert "| 1,000 |" in table.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        *(path.name for path in files.values()), output.name, table.name,
    }  # fmt: skip
    capsys.readouterr()
    assert popsed("plan", "--galaxies", "1e4", "--costs", output) == 0
    told = capsys.readouterr().out
    assert told.startswith("10,000 galaxies, 10 members on 1 machine(s): ")
    assert "extrapolated 10-fold: measured up to 1,000 galaxies" in told


def test_an_enlarged_catalogue_is_like_the_one_it_was_made_from(files, tmp_path):
    enlarge(files["catalogue"], 20_000, 3, tmp_path / "large.h5")
    small, large = load(files["catalogue"], Catalogue), load(tmp_path / "large.h5", Catalogue)
    assert large.mag.shape == (20_000, 5)
    error = small.mag.std(axis=0) / len(small.mag) ** 0.5
    assert (abs(large.mag.mean(axis=0) - small.mag.mean(axis=0)) < error).all()
    assert len(set(large.mag[:, 0])) == 20_000  # no galaxy twice


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
