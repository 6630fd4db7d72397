"""The long loop: interrupted and resumed is uninterrupted, bit for bit."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from toy_job import CONFIG_HASH, N_EPOCHS, Walk

from popsed_core import loop
from popsed_core.errors import InputError


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    return tmp_path / "checkpoints" / "walk.pt"


@pytest.fixture
def uninterrupted():
    job = Walk()
    loop.run(job)
    return job.position


@pytest.mark.parametrize("stop", [1, 5, N_EPOCHS - 1])
def test_resumed_is_uninterrupted_bit_for_bit(checkpoint, uninterrupted, stop):
    with pytest.raises(KeyboardInterrupt):
        loop.run(Walk(stop_after=stop), checkpoint, CONFIG_HASH)
    resumed = Walk()
    loop.run(resumed, checkpoint, CONFIG_HASH)
    assert torch.equal(resumed.position, uninterrupted)


def test_a_killed_process_is_resumed_bit_for_bit(checkpoint, uninterrupted):
    script = Path(__file__).with_name("toy_job.py")
    child = subprocess.Popen([sys.executable, script, checkpoint])
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert 0 < loop.load_plain(checkpoint)["epoch"] < N_EPOCHS
    resumed = Walk()
    loop.run(resumed, checkpoint, CONFIG_HASH)
    assert torch.equal(resumed.position, uninterrupted)


def test_a_finished_job_is_not_run_again(checkpoint, uninterrupted):
    loop.run(Walk(), checkpoint, CONFIG_HASH)
    again = Walk(stop_after=0)
    loop.run(again, checkpoint, CONFIG_HASH)
    assert torch.equal(again.position, uninterrupted)


def test_a_checkpoint_of_another_configuration_is_refused_and_kept(checkpoint):
    loop.run(Walk(), checkpoint, "other")
    before = checkpoint.read_bytes()
    with pytest.raises(InputError, match=r"walk\.pt: belongs to another configuration.*delete"):
        loop.run(Walk(), checkpoint, CONFIG_HASH)
    assert checkpoint.read_bytes() == before


def test_a_truncated_checkpoint_is_refused_by_name(checkpoint):
    loop.run(Walk(), checkpoint, CONFIG_HASH)
    checkpoint.write_bytes(checkpoint.read_bytes()[:200])
    with pytest.raises(InputError, match=r"walk\.pt: unreadable checkpoint"):
        loop.run(Walk(), checkpoint, CONFIG_HASH)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        loop.save_plain({"weights": torch.ones(3), "n": 1}, tmp_path / folder / "x.pt")
    script = "import torch; from popsed_core.loop import save_plain as save;"
    script += f"save({{'weights': torch.ones(3), 'n': 1}}, {str(tmp_path / 'c' / 'x.pt')!r})"
    subprocess.run([sys.executable, "-c", script], check=True)
    contents = {(tmp_path / folder / "x.pt").read_bytes() for folder in "abc"}
    assert len(contents) == 1


def test_pickled_code_is_never_run(tmp_path):
    torch.save(Walk(), tmp_path / "evil.pt")
    with pytest.raises(InputError, match="unreadable"):
        loop.load_plain(tmp_path / "evil.pt")


def test_checkpoints_are_as_far_apart_as_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 3600.0)
    path = tmp_path / "walk.pt"
    with pytest.raises(KeyboardInterrupt):
        loop.run(Walk(stop_after=5), path, CONFIG_HASH)
    assert not path.exists()
    loop.run(Walk(), path, CONFIG_HASH)
    assert loop.load_plain(path)["epoch"] == N_EPOCHS


def test_every_epoch_reports_its_numbers_and_the_time_left(caplog):
    with caplog.at_level(logging.INFO):
        loop.run(Walk(n_epochs=3))
    assert len(caplog.messages) == 3
    assert caplog.messages[0].startswith("epoch 1/3  position ")
    assert "ETA 0:00" in caplog.messages[-1]
