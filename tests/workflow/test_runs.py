"""Two at once, and clocks that are wrong: nothing is written twice, nothing runs for nothing."""

import os
import re
import shlex
import subprocess
import sys
import time

import pytest
from workflow_tools import SMOKE, TARGETS, call, pending

MEMBER = "results/table2_mock/members/member_1.pt"
LOG = "logs/table2_mock/fit_member_1.log"
POPSED = "import sys; from popsed_core.cli import main; sys.exit(main(sys.argv[1:]))"
SLOW = """
import logging
import pathlib
import time

_start = start_logging


def start_logging(*args, **options):
    _start(*args, **options)
    logging.getLogger().handlers[0].addFilter(_dawdle)


def _dawdle(record):
    time.sleep(1.5)
    while "epoch 2" in record.getMessage() and pathlib.Path("hold").exists():
        time.sleep(0.1)
    return True
"""


def start(repo, command, **options):
    """Start a command that takes 1.5 s for each line of its log, and waits where it shall hold."""
    path = repo / "popsed_core/cli.py"
    if SLOW not in path.read_text():
        path.write_text(path.read_text() + SLOW)
    env = dict(os.environ, PYTHONPATH=str(repo), OMP_NUM_THREADS="1")
    return subprocess.Popen([sys.executable, *command], cwd=repo, env=env, **options)


def wait_for(is_so, seconds=100):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_a_second_run_in_one_folder_is_refused_and_says_why(repo):
    for name in (MEMBER, LOG):
        (repo / name).unlink()
    words = ("--cores", "1", *SMOKE, "--", MEMBER)
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    (repo / "hold").touch()
    with start(repo, ["-m", "snakemake", *words], **nowhere) as first:
        try:
            wait_for(lambda: (repo / LOG).exists() and "epoch 1/3" in (repo / LOG).read_text())
            done = call(repo, *words, is_error=True)
        finally:
            (repo / "hold").unlink()
    assert "Directory cannot be locked" in done.stdout + done.stderr
    assert "--unlock" in done.stdout + done.stderr
    assert first.returncode == 0
    assert pending(repo) == {"summarise", "html_report"}, "they show what the member has cost"


@pytest.mark.slow
def test_a_second_fit_with_one_checkpoint_waits_and_finds_the_work_done(repo, built):
    (repo / MEMBER).unlink()
    plan = call(repo, "-n", "-p", *SMOKE, "--", MEMBER)
    (line,) = re.findall(r"popsed (fit member .*?) 2>&1", plan.stdout + plan.stderr)
    command = ["-c", POPSED, *shlex.split(line)]
    checkpoints = repo / "results/table2_mock/checkpoints"
    pipes = {"stderr": subprocess.PIPE, "text": True}
    with start(repo, command, **pipes) as first:
        wait_for(lambda: list(checkpoints.glob(".*.holder")))
        with start(repo, command, **pipes) as second:
            told = (first.communicate(timeout=200)[1], second.communicate(timeout=200)[1])
    assert (first.returncode, second.returncode) == (0, 0), told
    assert f"which process {first.pid} on " in told[1]
    assert "another process has trained the same meanwhile" in told[1]
    assert "epoch 3/3" in told[0]
    assert "epoch" not in told[1]
    assert (repo / MEMBER).read_bytes() == (built / MEMBER).read_bytes()


@pytest.mark.slow
def test_files_from_the_future_run_nothing(repo):
    later = time.time() + 10 * 365 * 86400
    for pattern in ("results/**/*.h5", "results/**/*.pt", "config.yaml", "tests/data/*"):
        for path in repo.glob(pattern):
            os.utime(path, (later, later))
    assert pending(repo) == set()
    done = call(repo, "--cores", "1", *SMOKE, "--", *TARGETS)
    assert "Nothing to be done" in done.stdout + done.stderr
