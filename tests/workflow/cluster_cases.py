"""Cases of runs on a cluster: each has its own copy, and all run in parallel."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import yaml
from workflow_tools import SMOKE, TARGETS, copy_tree

PROFILE = (
    "--profile", "slurm", "--slurm-status-command", "squeue", "--latency-wait", "5",
    "--slurm-init-seconds-before-status-checks", "5",
)  # fmt: skip
MEMBER = "results/table2_mock/members/member_1.pt"
OTHER = "results/table2_mock/members/member_2.pt"
NOISE = "results/toy_survey/noise.h5"
TIMEOUT = 900  # [s] of one case
N_EPOCHS = 100  # of the fit that outlasts its limit
N_SLOW = 80  # of fits that are interrupted
DAWDLE = 0.9  # [s] per line of its log
OFTEN = 2.0  # [s] between checkpoints, so that a slow start leaves time for one
SLOW = f"""
import logging
import sys
import time

_start = start_logging


def start_logging(*args, **options):
    _start(*args, **options)
    logging.getLogger().handlers[0].addFilter(_dawdle)


_seconds = {DAWDLE}


def _dawdle(record):
    global _seconds
    if "resumed from" in record.getMessage():  # the second try need not take long
        _seconds = 0
    if loop := sys.modules.get("popsed_core.running.loop"):
        loop.CHECKPOINT_SECONDS = {OFTEN}
    time.sleep(_seconds)
    return True
"""
LITTLE = 603  # [MB] too little for a fit beside Snakemake


class Ended(NamedTuple):
    """A finished run: its exit status, its output, and Slurm's record of its jobs."""

    folder: Path
    code: int
    text: str
    jobs: list[dict[str, str]]

    def states(self):
        """Return how its jobs ended, in their order."""
        return [job["JobState"] for job in sorted(self.jobs, key=lambda job: int(job["JobId"]))]


class Case:
    """A copy of a tree in which Snakemake runs on a cluster."""

    def __init__(self, slurm, source, folder):
        self.slurm, self.folder = slurm, folder / "popsed"
        folder.mkdir()
        copy_tree(source, self.folder)
        shutil.rmtree(self.folder / "logs", ignore_errors=True)  # of the run that was copied
        self.log = folder / "log.txt"

    def start(self, *words):
        """Start Snakemake."""
        env = dict(os.environ, PYTHONPATH=str(self.folder), OMP_NUM_THREADS="1")
        # a shell that runs tests in the background lets its children ignore Ctrl-C
        command = ["env", "--default-signal=INT", sys.executable, "-m", "snakemake"]
        with self.log.open("a") as stream:
            return subprocess.Popen(
                [*command, *PROFILE, *SMOKE, *words],
                cwd=self.folder, env=env, stdout=stream, stderr=stream, start_new_session=True,
            )  # fmt: skip

    def run(self, *words):
        """Run Snakemake to its end."""
        return self.ended(self.start(*words))

    def ended(self, process):
        """Wait for Snakemake's end."""
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        text = self.log.read_text()
        # Slurm writes its record a moment after the end
        known = {int(job) for job in re.findall(r"SLURM jobid '?(\d+)", text)}
        self.wait_for(lambda: known <= {int(job["JobId"]) for job in self.jobs()}, 20)
        return Ended(self.folder, code, text, self.jobs())

    def jobs(self):
        return self.slurm.ended(self.folder)

    def wait_for(self, is_so, seconds=200):
        """Wait for a condition; return whether it is met."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if is_so():
                return True
            time.sleep(0.2)
        return False

    def is_training(self):
        log = self.folder / "logs/table2_mock/fit_member_1.log"
        return log.exists() and "epoch 3/" in log.read_text()

    def without(self, *names):
        for name in names:
            (self.folder / name).unlink()

    def set_epochs(self, number):
        """Train for a number of epochs."""
        overlay = self.folder / SMOKE[1]
        tree = yaml.safe_load(overlay.read_text())
        tree["fit"]["n_epochs"] = number
        overlay.write_text(yaml.safe_dump(tree, sort_keys=False))

    def dawdle(self):
        """Slow all jobs down without using the CPU; logging changes no number."""
        path = self.folder / "popsed_core/cli.py"
        path.write_text(path.read_text() + SLOW)


def whole_workflow(slurm, checkout, folder):
    """Every rule, in partitions that fit the jobs; members on GPUs."""
    case = Case(slurm, checkout, folder)
    partitions = ("--slurm-partition-config", "profiles/slurm/partitions.yaml")
    return case.run(*partitions, "--set-resources", "fit_member:gpu=1", "--", *TARGETS)


def little_memory(slurm, built, folder):
    """A fit that requests too little memory at first."""
    case = Case(slurm, built, folder)
    case.without(MEMBER, OTHER)
    words = ("--set-resources", f"fit_member:mem_mb={LITTLE}*attempt", "--", MEMBER)
    return case.run(*words)


def little_time(slurm, built, folder):
    """A fit that takes longer than its limit of one minute, and gets two when retried."""
    case = Case(slurm, built, folder)
    case.set_epochs(N_EPOCHS)
    case.dawdle()
    return case.run("--set-resources", "fit_member:runtime=attempt", "--", MEMBER)


def always_fails(slurm, built, folder):
    """A job that always fails."""
    case = Case(slurm, built, folder)
    table = case.folder / "tests/data/toy_survey.csv"
    table.write_text(table.read_text().replace("mag_r", "mag_R", 1))
    return case.run("--", NOISE)


def interrupted(slurm, built, folder):
    """Ctrl-C while two fits are training; returns the run and the jobs that are left."""
    case = Case(slurm, built, folder)
    case.set_epochs(N_SLOW)
    case.dawdle()
    process = case.start("--", MEMBER, OTHER)
    is_begun = case.wait_for(case.is_training)
    before = slurm.jobs_of(case.folder)
    os.kill(process.pid, signal.SIGINT)
    ended = case.ended(process)
    case.wait_for(lambda: not slurm.jobs_of(case.folder), 30)
    return ended, is_begun, before, slurm.jobs_of(case.folder)


def killed(slurm, built, folder):
    """A killed Snakemake, and a second run while the job of the first continues."""
    case = Case(slurm, built, folder)
    case.set_epochs(N_SLOW)
    case.dawdle()
    process = case.start("--", MEMBER)
    case.wait_for(case.is_training)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    still = slurm.jobs_of(case.folder)
    case.log.unlink()
    locked = case.run("--", MEMBER)
    case.log.unlink()
    case.run("--unlock")
    return still, locked, case.run("--", MEMBER)


def alone(source, folder, n_epochs):
    """The same fit on this machine, without a cluster and without dawdling."""
    case = Case(None, source, folder)
    case.set_epochs(n_epochs)
    env = dict(os.environ, PYTHONPATH=str(case.folder), OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *SMOKE, "--", MEMBER]
    subprocess.run(command, cwd=case.folder, env=env, check=True, capture_output=True)
    return case.folder / MEMBER
