"""`snakemake --profile slurm` on a real Slurm: nothing is lost, and nobody waits for ever."""

import re
from concurrent.futures import ThreadPoolExecutor

import cluster_cases as cases
import pytest
from slurm_tools import slurm as find_slurm
from workflow_tools import SMOKE, TARGETS, call, pending, snakemake

from popsed_core.files.artefacts import sha256

pytestmark = [pytest.mark.slow, pytest.mark.cluster]
LOCAL = (  # jobs of seconds stay here
    "figure_", "write_", "html_report", "training_index", "assemble_emulator", *TARGETS,
)  # fmt: skip


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A Slurm for this module's tests."""
    cluster = find_slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def runs(slurm, checkout, request, tmp_path_factory):
    """All cases at once, as they wait most of the time; each is looked at by its own test."""
    folder = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(6) as pool:
        found = {"whole": pool.submit(cases.whole_workflow, slurm, checkout, folder / "whole")}
        built = request.getfixturevalue("built")
        for case in (
            cases.little_time, cases.killed, cases.little_memory, cases.interrupted,
            cases.always_fails,
        ):  # fmt: skip
            name = case.__name__
            found[name] = pool.submit(case, slurm, built, folder / name)
        yield found


def test_a_failing_job_is_tried_three_times_and_its_log_is_shown(runs):
    ended = runs["always_fails"].result()
    assert ended.code == 1
    assert ended.states() == ["FAILED"] * 3
    told = "popsed: error: tests/data/toy_survey.csv: no column 'mag_r'"
    assert len(re.findall(told, ended.text)) >= 3
    log = (ended.folder / "logs/toy_survey/build_catalogue.log").read_text()
    assert told in log
    assert "Traceback" not in ended.text


def test_a_job_that_was_killed_for_memory_asks_for_twice_as_much(runs, slurm):
    ended = runs["little_memory"].result()
    assert ended.code == 0, ended.text
    assert ended.states() == ["FAILED", "COMPLETED"]
    (log,) = ended.folder.glob(".snakemake/slurm_logs/rule_fit_member/*/*.log")
    assert "exceeded memory limit" in log.read_text()
    asked = sorted(slurm.memory(job["JobId"]) for job in ended.jobs)
    assert asked == [cases.LITTLE, 2 * cases.LITTLE]


def test_ctrl_c_leaves_no_job_behind(runs):
    ended, is_begun, before, after = runs["interrupted"].result()
    assert is_begun
    assert len(before) == 2
    assert after == []
    assert ended.code == 1
    assert set(ended.states()) == {"CANCELLED"}


def test_a_job_over_its_time_limit_goes_on_from_its_checkpoint(runs, built, tmp_path):
    ended = runs["little_time"].result()
    assert ended.code == 0, ended.text
    assert ended.states()[0] == "TIMEOUT"
    assert ended.states()[-1] == "COMPLETED"
    log = (ended.folder / "logs/table2_mock/fit_member_1.log").read_text()
    assert re.search(rf"resumed from .* at epoch \d+/{cases.N_EPOCHS}", log)
    undisturbed = cases.alone(built, tmp_path / "alone", cases.N_EPOCHS)
    assert (ended.folder / cases.MEMBER).read_bytes() == undisturbed.read_bytes()


def test_a_killed_snakemake_is_recovered_as_the_guide_says(runs, built, tmp_path):
    still, locked, ended = runs["killed"].result()
    assert len(still) == 1, "the job goes on without Snakemake"
    assert locked.code == 1
    assert "--unlock" in locked.text
    assert ended.code == 0, ended.text
    assert ended.states() == ["COMPLETED", "COMPLETED"]
    log = (ended.folder / "logs/table2_mock/fit_member_1.log").read_text()
    assert "another process has trained the same meanwhile" in log
    undisturbed = cases.alone(built, tmp_path / "alone", cases.N_SLOW)
    assert (ended.folder / cases.MEMBER).read_bytes() == undisturbed.read_bytes()


def test_a_cluster_without_accounts_is_told_before_the_first_job(slurm, repo):
    (repo / cases.NOISE).unlink()
    done = call(
        repo, "--profile", "slurm", "--slurm-status-command", "sacct",
        *SMOKE, "--", cases.NOISE, is_error=True,
    )  # fmt: skip
    assert "slurm-status-command: got sacct, but this cluster keeps no accounts" in done.stderr
    assert slurm.ended(repo) == []


def test_the_whole_workflow_runs_on_the_cluster(runs, built):
    ended = runs["whole"].result()
    assert ended.code == 0, ended.text
    assert set(ended.states()) == {"COMPLETED"}
    assert pending(ended.folder) == set()
    for name in ("results/ssp.h5", "results/table2_mock/samples.h5", cases.MEMBER, cases.OTHER):
        assert sha256(ended.folder / name) == sha256(built / name), name
    plan = snakemake(ended.folder, "-n", "--forceall", *SMOKE, "--", *TARGETS)
    table = re.findall(r"^(\w+) +(\d+)$", plan.split("Job stats:")[1].split("total")[0], re.M)
    n_remote = sum(int(count) for name, count in table if not name.startswith(LOCAL))
    assert len(ended.jobs) == n_remote > 8


def test_two_members_train_on_two_devices(runs, slurm):
    ended = runs["whole"].result()
    used = [slurm.devices()[job["JobId"]] for job in ended.jobs]
    assert sorted(item for item in used if item[0] == "gpu") == [("gpu", "0"), ("gpu", "1")]
    assert {item for item in used if item[0] != "gpu"} == {("cpu", "none")}
