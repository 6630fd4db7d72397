"""``popsed bench step``: recipes side by side, emulated spectra included, and what it refuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from laws_tools import SDSS
from toy_world import GRID, base_catalogue, noise_table

from popsed_core import cli
from popsed_core.config.root import load
from popsed_core.costs.step import PARTS
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.emulator.untrained import untrained_emulator
from popsed_core.files.artefacts import Provenance, save
from popsed_core.photometry.synthetic import build_photometry

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "config.yaml", ROOT / "config" / "smoke.yaml"


@pytest.fixture
def files(tmp_path):
    catalogue = base_catalogue(400)
    artefacts = {"ssp": GRID, "catalogue": catalogue, "noise": noise_table(catalogue)}
    for name, artefact in artefacts.items():
        save(artefact, tmp_path / f"{name}.h5", Provenance())
    return {name: tmp_path / f"{name}.h5" for name in artefacts}


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


@pytest.mark.parametrize("inputs", ["literal", "physical"])
def test_an_untrained_emulator_predicts_finite_photometry_of_every_galaxy(inputs, tmp_path):
    overlay = tmp_path / "inputs.yaml"
    overlay.write_text(f"emulator: {{inputs: {inputs}}}\nspectra: {{engine: emulator}}\n")
    config = load(*OURS, overlay)
    segments = untrained_emulator(GRID, config)
    assert [segment["segment"] for segment in segments] == [0, 1]
    photometry = build_photometry(GRID, SDSS, config.spectra, (0.001, 0.8), segments).float()
    theta = draw_theta(config.parameters, 50, torch.Generator().manual_seed(1))
    maggies = photometry(theta)
    assert maggies.shape == (50, 5)
    assert torch.isfinite(maggies).all()
    assert (maggies > 0).all()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_gpu_s_bars_say_at_once_that_there_is_none():
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "benchmarks" / "gpu.sh"], env={**os.environ, "PATH": path, "POPSED_REHEARSAL": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "benchmarks/gpu.sh: torch finds no GPU" in done.stderr
