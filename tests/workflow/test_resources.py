"""What jobs ask for: enough for what was measured, more when tried again, the same everywhere."""

import json

import pytest
from plans import requests
from workflow_tools import ROOT, SMOKE, call, snakemake

MEASURED = json.loads((ROOT / "results/bars/job_costs.json").read_text())
TARGETS = ("demo", "mock", "emulator", "training_set")
SNAKEMAKE_MB = 450  # [MB] within a job of Slurm, measured
ROOM = 1.3
LOCAL = {"write_tables", "write_provenance", "assemble_emulator", "training_index", "html_report"}

THREADED = {
    "fit_member", "sample_ensemble", "train_segment", "validate_emulator", "spectrum_basis",
    "training_chunk", "observe_mock",
}  # fmt: skip


@pytest.fixture(scope="module")
def asked(checkout):
    return requests(checkout, TARGETS)


@pytest.mark.parametrize("rule", MEASURED)
def test_a_job_asks_for_more_than_was_measured(asked, rule):
    cost = MEASURED[rule]
    assert asked[rule]["mem_mb"] >= ROOM * cost["memory_mb"] + SNAKEMAKE_MB
    assert asked[rule]["runtime"] >= 3 * cost["minutes"]


def test_every_job_of_a_cluster_was_measured(asked):
    assert set(asked) == set(MEASURED)


def test_jobs_of_seconds_are_not_sent_to_a_cluster(asked):
    assert not {name for name in asked if name.startswith("figure_") or name in LOCAL}


@pytest.mark.parametrize("attempt", [2, 3])
def test_a_job_that_is_tried_again_asks_for_so_many_times_as_much(checkout, asked, attempt):
    again = requests(checkout, TARGETS, attempt=attempt)
    for rule, first in asked.items():
        assert again[rule]["mem_mb"] == attempt * first["mem_mb"], rule
        assert again[rule]["runtime"] == attempt * first["runtime"], rule
        assert again[rule]["cores"] == first["cores"]


def test_more_galaxies_more_flows_or_larger_ones_ask_for_more_memory(checkout):
    small = requests(checkout, ["demo"])["fit_member"]
    fits = (
        {"n_samples": 10_000},
        {"flow": {"n_blocks": 20, "n_bins": 60}},
        {"distance": {"kind": "sinkhorn"}, "n_samples": 2000},
    )
    for fit in fits:
        larger = requests(checkout, ["demo"], values={"fit": fit})["fit_member"]
        assert larger["mem_mb"] > small["mem_mb"]
    together = requests(checkout, ["demo"], values={"fit": {"members_per_job": 8}})
    assert together["fit_members_sdss_demo_1"]["mem_mb"] > small["mem_mb"]
    assert together["fit_members_sdss_demo_1"]["runtime"] > small["runtime"]


@pytest.mark.parametrize(
    ("device", "alone", "together"), [("cpu", 0, 0), ("auto", 0, 1), ("cuda", 1, 1)]
)
def test_only_jobs_that_train_ask_for_a_gpu(checkout, device, alone, together):
    values = {"runtime": {"device": device}}
    for rule, found in requests(checkout, TARGETS, values=values).items():
        is_training = rule in ("fit_member", "train_segment")
        assert (found["gpu"] or 0) == (alone if is_training else 0), rule
    values["fit"] = {"members_per_job": 8}
    groups = requests(checkout, ["demo"], values=values)
    assert groups["fit_members_sdss_demo_1"]["gpu"] == together


def test_threads_are_those_of_the_configuration(checkout):
    found = requests(checkout, TARGETS, values={"runtime": {"n_threads": 3}})
    assert {name for name, item in found.items() if item["cores"] == 3} == THREADED
    assert {item["cores"] for item in found.values()} == {1, 3}


@pytest.mark.parametrize("profile", ["slurm", "profiles/slurm", "profiles/gpu"])
def test_a_profile_works_from_a_fresh_clone(checkout, profile):
    words = ("-n", "--profile", profile, *SMOKE)
    assert "This was a dry-run" in snakemake(checkout, *words)


def test_the_profile_of_gpus_lets_no_more_train_than_there_are(checkout):
    text = (checkout / "profiles/gpu/config.yaml").read_text()
    for rule in ("fit_member", "fit_member_engine", "train_segment"):
        assert f"  {rule}: {{gpu: 1}}\n" in text
    assert 'resources: ["gpu=1"]' in text


def test_a_module_of_another_workflow_plans_the_same_jobs(checkout, tmp_path):
    overlay = (checkout / SMOKE[1]).read_text()
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text(overlay)
    (tmp_path / "tests").symlink_to(checkout / "tests")
    (tmp_path / "Snakefile").write_text(
        'configfile: "config/config.yaml"\n\n\n'
        f'module popsed:\n    snakefile:\n        "{checkout}/workflow/Snakefile"\n'
        "    config:\n        config\n\n\nuse rule * from popsed\n"
    )
    plan = call(tmp_path, "-n", "all", PYTHONPATH=str(checkout)).stdout
    own = snakemake(checkout, "-n", *SMOKE)
    tables = [text.split("Job stats:")[1].split("total")[0].split() for text in (plan, own)]
    assert sorted(tables[0]) == sorted(tables[1])


def test_a_module_s_wrong_configuration_stops_with_one_line(checkout, tmp_path):
    (tmp_path / "Snakefile").write_text(
        f'module popsed:\n    snakefile:\n        "{checkout}/workflow/Snakefile"\n'
        '    config:\n        {"fit": {"n_epoch": 3}}\n\n\nuse rule * from popsed\n'
    )
    done = call(tmp_path, "-n", "all", is_error=True, PYTHONPATH=str(checkout))
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line]
    assert line.startswith("popsed: error: configuration: fit.n_epoch: unknown key")
