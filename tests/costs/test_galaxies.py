"""`popsed bench galaxies`: measured costs of fits to more and more galaxies."""

import json
from pathlib import Path

import pytest
import torch

from popsed_core import cli
from popsed_core.costs.galaxies import enlarge
from popsed_core.files.artefacts import load
from popsed_core.surveys.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]


def popsed(*words):
    return cli.main([str(word) for word in words])


@pytest.mark.slow
@pytest.mark.benches
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
