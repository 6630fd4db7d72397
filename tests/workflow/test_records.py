"""Every file of a run says where it comes from, and what it says is true."""

import base64
import csv
import io
import json
import time

import pytest
from crate_tools import required_issues
from workflow_tools import SMOKE, call, snakemake

from popsed_core.figures.names import FIGURES
from popsed_core.files.artefacts import sha256
from popsed_core.provenance.sidecars import FOLDER, read_record
from popsed_core.provenance.tree import tree_of
from popsed_core.provenance.verbs import code_of

SURVEY = "results/table2_mock"
TABLE = "tests/data/toy_survey.csv"


def made_files(folder):
    """The files of a run, from Snakemake's own list."""
    text = call(folder, "--summary", *SMOKE).stdout
    return sorted({line.split("\t")[0] for line in text.splitlines()[1:]})


def params_of(folder, file):
    """The parameters with which Snakemake ran the rule that made a file."""
    name = base64.b64encode(file.encode()).decode()
    return json.loads((folder / ".snakemake" / "metadata" / name).read_text())["params"]


@pytest.mark.slow
def test_every_file_of_the_run_carries_its_record(built):
    files = made_files(built)
    assert len(files) > 40
    for file in files:
        record = read_record(built / file)
        assert record is not None, file
        found = record.provenance
        assert found.code, file
        assert found.command, file
        assert {"popsed", "python"} <= found.versions.keys(), file
        assert found.inputs.keys() == found.paths.keys(), file
        assert str(built) not in str(found), file


@pytest.mark.slow
def test_the_recorded_checksums_are_those_of_the_files(built):
    for file in made_files(built):
        record = read_record(built / file)
        assert record.sha256 in (None, sha256(built / file)), file
        for role, path in record.provenance.paths.items():
            assert record.provenance.inputs[role] == sha256(built / path), (file, path)


@pytest.mark.slow
def test_the_recorded_inputs_are_those_of_the_rule(built):
    table = call(built, "--detailed-summary", *SMOKE).stdout
    for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
        asked = {file for file in row["input-file(s)"].split(",") if file and file != "-"}
        told = set(read_record(built / row["output_file"]).provenance.paths.values())
        assert told == asked, row["output_file"]


@pytest.mark.slow
def test_the_recorded_code_is_the_code_that_snakemake_tracks(built):
    for file in made_files(built):
        found = read_record(built / file).provenance
        assert repr(found.code) in params_of(built, file), file
        if found.command != "snakemake --report":
            assert found.code == code_of(found.command), file


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FIGURES))
@pytest.mark.parametrize("end", ["pdf", "png"])
def test_the_tree_of_a_figure_reaches_the_table_of_the_survey(built, name, end):
    nodes = list(tree_of(built / SURVEY / "figures" / f"{name}.{end}").walk())
    assert {node.state for node in nodes} <= {"here", "see above"}
    leaves = {node.file: node.sha256 for node in nodes if node.provenance is None}
    assert leaves[TABLE] == sha256(built / TABLE)
    made = {node.file for node in nodes if node.provenance is not None}
    assert "results/toy_survey/catalogue.h5" in made


@pytest.mark.slow
def test_the_tree_of_the_report_has_every_file_of_the_survey_that_it_shows(built):
    files = {node.file for node in tree_of(built / SURVEY / "report.html").walk()}
    shown = {f"{SURVEY}/figures/{name}.{end}" for name in FIGURES for end in ("pdf", "png")}
    members = {f"{SURVEY}/members/member_{k}.{end}" for k in (1, 2) for end in ("pt", "json")}
    assert shown | members | {TABLE, "results/ssp.h5", f"{SURVEY}/summary.md"} <= files


@pytest.mark.slow
def test_one_changed_byte_upstream_is_marked_below(repo):
    table = repo / TABLE
    table.write_bytes(table.read_bytes().replace(b"1", b"2", 1))
    states = {node.file: node.state for node in tree_of(repo / SURVEY / "samples.fits").walk()}
    assert states.pop(TABLE) == "changed since"
    assert set(states.values()) <= {"here", "see above"}


@pytest.mark.slow
def test_a_lost_record_is_made_again_with_its_file(repo):
    file = f"{SURVEY}/samples.csv"
    (repo / SURVEY / FOLDER / "samples.csv.json").unlink()
    assert read_record(repo / file) is None
    (repo / file).unlink()
    snakemake(repo, "--cores", "1", *SMOKE, "--", file)
    assert read_record(repo / file) is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["provenance/verbs.py", "commands/provenance.py"])
def test_code_that_records_reruns_nothing(repo, name):
    path = repo / "popsed_core" / name
    path.write_text(path.read_text() + "\nEXTRA = 1\n")
    assert "Nothing to be done" in snakemake(repo, "-n", *SMOKE)


@pytest.mark.slow
def test_the_crate_of_the_run_is_valid_and_made_in_seconds(repo, monkeypatch):
    start = time.monotonic()
    snakemake(repo, "--cores", "1", *SMOKE, "--", "crate")
    assert time.monotonic() - start < 60  # 6 s on an idle machine
    folder = repo / SURVEY / "crate"
    assert required_issues(folder, "workflow-run-crate-0.5", monkeypatch) == []
    entities = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    files = {entity["@id"]: entity for entity in entities if "File" in entity["@type"]}
    for name, entity in files.items():
        assert sha256(folder / name) == entity["sha256"]
    # of the survey whose noise it borrows only what was used: not its reference
    own = {file for file in made_files(repo) if file.startswith(SURVEY)}
    used = {"results/ssp.h5", "results/toy_survey/noise.h5", TABLE}
    assert own | used | {"Snakefile", "config/smoke.yaml"} <= files.keys()
    assert "results/toy_survey/reference.h5" not in files
    assert read_record(folder / "ro-crate-metadata.json") is not None
    assert "Nothing to be done" in snakemake(repo, "-n", *SMOKE, "--", "crate")
