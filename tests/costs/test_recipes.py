"""`popsed bench step`: recipes side by side, emulated spectra included, and what it refuses."""

import json
from pathlib import Path

import pytest
import torch

from popsed_core import cli
from popsed_core.costs.step import PARTS

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "config.yaml", ROOT / "config" / "smoke.yaml"


@pytest.fixture
def emulated(tmp_path):
    path = tmp_path / "emulated.yaml"
    path.write_text("spectra: {engine: emulator}\n")
    return path


def bench(files, tmp_path, *words):
    options = [str(word) for name, path in files.items() for word in (f"--{name}", path)]
    words = [str(word) for word in (*words, tmp_path / "costs.json")]
    return cli.main(["bench", "step", "--survey", "table2_mock", *options, *words])


@pytest.mark.slow
@pytest.mark.benches
def test_two_recipes_are_timed_side_by_side(files, emulated, tmp_path, capsys):
    ours = ",".join(map(str, OURS))
    recipes = ("--recipe", f"ours={ours}", "--recipe", f"emulated={ours},{emulated}")
    size = ("--sizes", 100, 50, "--repeats", 1, "--device", "cpu")
    assert bench(files, tmp_path, *recipes, *size) == 0
    costs = json.loads((tmp_path / "costs.json").read_text())
    assert list(costs["recipes"]) == ["emulated", "ours"]  # keys are sorted in the file
    for found in costs["recipes"].values():
        assert found["n_samples"] == [50, 100]
        assert set(found["seconds"]) == {*PARTS, "step"}
        assert all(value > 0 for value in found["seconds"]["step"])
        assert min(found["memory_mb"]) > 50
        assert "step" in found["exponent"]
    assert costs["machine"]["torch"] == torch.__version__
    told = capsys.readouterr().out
    assert "| emulated | 100 |" in told
    assert "| ours | exponent of N |" in told


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("ours", "--recipe: got 'ours', expected NAME=config.yaml,OVERLAY..."),
        ("=config.yaml", "--recipe: got '=config.yaml', expected"),
        ("ours=nowhere.yaml", "--recipe: no such file nowhere.yaml"),
    ],
)
def test_a_bad_recipe_is_refused(files, tmp_path, capsys, recipe, message):
    assert bench(files, tmp_path, "--recipe", recipe) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "costs.json").exists()
