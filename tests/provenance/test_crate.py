"""A finished run as an RO-Crate: everything is named, linked and valid."""

import json
import shutil
from pathlib import Path

import pytest
from crate_tools import required_issues
from rocrate.rocrate import ROCrate

from popsed_core import cli
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, sha256
from popsed_core.provenance.crate import METADATA, Run, write_crate
from popsed_core.provenance.sidecars import write_beside

pytestmark = pytest.mark.crate

ROOT = Path(__file__).resolve().parents[2]
CITATION = {
    "authors": [{"name": "The makers"}],
    "preferred-citation": {
        "title": "A paper", "doi": "10.1/x", "year": 2024,
        "authors": [{"given-names": "A.", "family-names": "B"}],
    },
}  # fmt: skip
FOLDER = Path("results/x/crate")


def made(command, **inputs):
    return Provenance(
        source="mock", config='{"n_bins": 8}', seed=7, command=command, code="0123456789abcdef",
        arguments='{"survey": "x", "redshift": [0.1, 0.2]}', versions={"popsed": "1", "numpy": "2"},
        inputs={role: sha256(path) for role, path in inputs.items()},
        paths={role: str(path) for role, path in inputs.items()},
    )  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Two external tables, one file made from both, two more made from that in one job."""
    monkeypatch.chdir(tmp_path)
    for name in ("Snakefile", "config.yaml", "data/a.csv", "data/b.csv",
                 "results/x/one.csv", "results/x/two.csv", "results/x/two.md"):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(name)
    one, two, text = (Path(f"results/x/{name}") for name in ("one.csv", "two.csv", "two.md"))
    write_beside(made("noise fit", a=Path("data/a.csv"), b=Path("data/b.csv")), one)
    write_beside(made("products tables", one=one), two, text)
    return Run("x", [two, text], [Path("Snakefile"), Path("config.yaml")], CITATION)


def graph(folder=FOLDER):
    entities = json.loads((folder / METADATA).read_text())["@graph"]
    return {entity["@id"]: entity for entity in entities}


def ids(value):
    return {item["@id"] for item in (value if isinstance(value, list) else [value])}


def jobs(entities):
    return {
        entity["name"]: entity for entity in entities.values() if entity["@type"] == "CreateAction"
    }


@pytest.mark.parametrize("profile", ["process-run-crate-0.5", "workflow-run-crate-0.5"])
def test_a_crate_is_valid(run, profile, monkeypatch):
    write_crate(run, FOLDER)
    assert required_issues(FOLDER, profile, monkeypatch) == []


def test_the_validator_finds_what_is_missing(run, monkeypatch):
    write_crate(run, FOLDER)
    path = FOLDER / METADATA
    path.write_text(path.read_text().replace('"instrument"', '"tool"'))
    (FOLDER / "data/a.csv").unlink()
    found = " ".join(required_issues(FOLDER, "workflow-run-crate-0.5", monkeypatch))
    assert "instrument" in found
    assert "data/a.csv" in found


def test_every_file_is_named_with_checksum_size_and_format(run):
    write_crate(run, FOLDER)
    entities = graph()
    for name in ("data/a.csv", "data/b.csv", "results/x/one.csv", "results/x/two.csv", "Snakefile"):
        assert entities[name]["sha256"] == sha256(name)
        assert entities[name]["contentSize"] == str(Path(name).stat().st_size)
    assert entities["results/x/two.md"]["encodingFormat"] == "text/markdown"
    assert entities["./"]["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert entities["./"]["citation"] == {"@id": "https://doi.org/10.1/x"}


def test_each_job_is_one_action_with_program_inputs_settings_and_results(run):
    write_crate(run, FOLDER)
    entities = graph()
    found = jobs(entities)
    assert set(found) == {
        "popsed noise fit: results/x/one.csv", "popsed products tables: results/x/two.csv",
        "run of x",
    }  # fmt: skip
    second = found["popsed products tables: results/x/two.csv"]
    assert ids(second["result"]) == {"results/x/two.csv", "results/x/two.md"}
    objects = [entities[name] for name in ids(second["object"])]
    assert "results/x/one.csv" in ids(second["object"])
    settings = {item["name"]: item["value"] for item in objects if "value" in item}
    assert settings["section"] == '{"n_bins": 8}'
    assert settings["seed"] == "7"
    program = entities[second["instrument"]["@id"]]
    assert "0123456789abcdef" in program["version"]
    assert ids(program["softwareRequirements"]) == {"#popsed-1", "#numpy-2"}
    whole = found["run of x"]
    assert whole["instrument"] == {"@id": "Snakefile"}
    assert ids(whole["object"]) == {"data/a.csv", "data/b.csv"}


def test_the_library_reads_it_back_and_a_copy_is_complete(run, tmp_path):
    write_crate(run, FOLDER)
    shutil.copytree(FOLDER, tmp_path / "copy")
    shutil.rmtree("data")
    crate = ROCrate(tmp_path / "copy")
    assert crate.mainEntity.id == "Snakefile"
    for entity in crate.get_by_type("File"):
        assert sha256(tmp_path / "copy" / entity.id) == entity["sha256"]


def test_nothing_is_copied(run):
    write_crate(run, FOLDER)
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert [path for path in files if not path.is_symlink()] == [FOLDER / METADATA]
    assert not any(Path(path.readlink()).is_absolute() for path in files if path.is_symlink())


def test_the_same_run_gives_the_same_bytes_and_old_links_go(run):
    write_crate(run, FOLDER)
    first = (FOLDER / METADATA).read_bytes()
    (FOLDER / "stale.csv").symlink_to("nowhere")
    write_crate(run, FOLDER)
    assert (FOLDER / METADATA).read_bytes() == first
    assert not (FOLDER / "stale.csv").is_symlink()


def test_an_input_that_is_not_here_is_named_without_a_file(run, monkeypatch):
    checksum = sha256("data/a.csv")
    Path("data/a.csv").unlink()
    write_crate(run, FOLDER)
    assert graph()[f"#{checksum}"]["sha256"] == checksum
    assert required_issues(FOLDER, "workflow-run-crate-0.5", monkeypatch) == []


def test_a_run_that_has_changed_is_refused(run):
    Path("data/a.csv").write_text("other")
    with pytest.raises(InputError, match=r"data/a\.csv: has changed since"):
        write_crate(run, FOLDER)
    assert not FOLDER.exists()


def test_a_workflow_beside_the_working_folder_has_a_path_within(run, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    for name in ("data", "results"):
        shutil.move(tmp_path / name, tmp_path / "run" / name)
    monkeypatch.chdir(tmp_path / "run")
    outside = [Path("../Snakefile"), Path("../config.yaml")]
    write_crate(Run("x", run.products, outside, CITATION), FOLDER)
    assert graph()["./"]["mainEntity"] == {"@id": "Snakefile"}
    assert (FOLDER / "Snakefile").read_text() == "Snakefile"


def test_the_command_line_writes_a_crate_with_its_record(run, capsys):
    words = ["crate", str(FOLDER / METADATA), "--survey", "x", "--citation"]
    words += [str(ROOT / "CITATION.cff"), "--products", *map(str, run.products)]
    assert cli.main([*words, "--workflow", *map(str, run.workflow)]) == 0
    assert cli.main(["provenance", str(FOLDER / METADATA)]) == 0
    assert "product_1: results/x/two.csv" in capsys.readouterr().out
    wrong = ["crate", "other.json", *words[2:], "--workflow", *map(str, run.workflow)]
    assert cli.main(wrong) == 1
    assert "other.json: the description of a crate is always called" in capsys.readouterr().err
