"""The training loop: interrupted and resumed equals uninterrupted, bit for bit."""

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

from popsed_core.errors import InputError
from popsed_core.running import loop


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


@pytest.mark.faults
def test_a_killed_process_is_resumed_bit_for_bit(checkpoint, uninterrupted):
    script = Path(__file__).parents[1] / "toy_job.py"
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


def damaged(data, how):
    """Return the bytes of a file, truncated or with one byte changed."""
    if how == "truncated":
        return data[:200]
    middle = data.index(b"\xff") if how == "flipped" else 0
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]


@pytest.mark.parametrize("how", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(checkpoint, uninterrupted, caplog, how):
    with pytest.raises(KeyboardInterrupt):
        loop.run(Walk(stop_after=5), checkpoint, CONFIG_HASH)
    checkpoint.write_bytes(b"" if how == "empty" else damaged(checkpoint.read_bytes(), how))
    resumed = Walk()
    with caplog.at_level(logging.INFO):
        loop.run(resumed, checkpoint, CONFIG_HASH)
    assert torch.equal(resumed.position, uninterrupted)
    told = "\n".join(caplog.messages)
    assert "walk.pt: unreadable checkpoint" in told
    assert "resumed from" in told
    assert "walk.pt.previous at epoch 4/" in told


def test_two_damaged_checkpoints_are_refused_by_name(checkpoint):
    loop.run(Walk(), checkpoint, CONFIG_HASH)
    for path in checkpoint.parent.glob("walk.pt*"):
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"walk\.pt\.previous: unreadable checkpoint"):
        loop.run(Walk(), checkpoint, CONFIG_HASH)


def test_a_kill_between_two_renames_costs_one_checkpoint(checkpoint, uninterrupted):
    with pytest.raises(KeyboardInterrupt):
        loop.run(Walk(stop_after=5), checkpoint, CONFIG_HASH)
    checkpoint.unlink()  # the older one has been renamed, the newer one not yet
    resumed = Walk()
    loop.run(resumed, checkpoint, CONFIG_HASH)
    assert torch.equal(resumed.position, uninterrupted)


def test_a_job_that_is_done_leaves_no_checkpoint(checkpoint):
    loop.run(Walk(), checkpoint, CONFIG_HASH)
    assert len(list(checkpoint.parent.iterdir())) == 2
    loop.delete_checkpoints(checkpoint)
    assert list(checkpoint.parent.iterdir()) == []


def test_a_clock_that_goes_backwards_changes_nothing(checkpoint, uninterrupted, monkeypatch):
    ticks = iter(range(10**6, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(ticks)))
    with pytest.raises(KeyboardInterrupt):
        loop.run(Walk(stop_after=5), checkpoint, CONFIG_HASH)
    os.utime(checkpoint, (4e9, 4e9))  # the year 2096
    resumed = Walk()
    loop.run(resumed, checkpoint, CONFIG_HASH)
    assert torch.equal(resumed.position, uninterrupted)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        loop.save_plain({"weights": torch.ones(3), "n": 1}, tmp_path / folder / "x.pt")
    script = "import torch; from popsed_core.running.loop import save_plain as save;"
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
