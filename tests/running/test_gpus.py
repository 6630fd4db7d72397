"""Each training process of a machine has its own GPU."""

import logging
import multiprocessing
import os
import signal
import threading

import pytest
import torch

from popsed_core.running import gpus

NAMES = ["GPU-a", "GPU-b"]


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with two GPUs: what processes take is listed."""
    taken = []
    for name in gpus.SCHEDULED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gpus, "_gpus", lambda: list(NAMES))
    monkeypatch.setattr(gpus, "WAIT", 0.01)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(gpus.tempfile, "gettempdir", lambda: str(tmp_path))
    return taken


def test_two_holders_have_two_gpus(machine):
    with gpus.one_gpu("auto"), gpus.one_gpu("cuda"):
        assert machine == [0, 1]


def test_a_gpu_is_free_again_when_its_holder_has_ended_or_failed(machine):
    with gpus.one_gpu("auto"):
        pass
    with pytest.raises(RuntimeError, match="diverged"), gpus.one_gpu("auto"):
        raise RuntimeError("diverged")
    with gpus.one_gpu("auto"):
        assert machine == [0, 0, 0]


def test_the_third_waits_for_the_first_of_two_to_end(machine, caplog):
    order = []

    def third():
        with gpus.one_gpu("auto"):
            order.append("third")

    with caplog.at_level(logging.INFO), gpus.one_gpu("auto"):
        waiting = threading.Thread(target=third)
        with gpus.one_gpu("auto"):
            waiting.start()
            waiting.join(0.2)
            assert waiting.is_alive()
            order.append("second ends")
        waiting.join(10)
    assert order == ["second ends", "third"]
    assert machine == [0, 1, 1]
    assert sum("waiting for a GPU" in message for message in caplog.messages) == 1


def hold(pipe):
    with gpus.one_gpu("auto"):
        pipe.send("holds")
        signal.pause()


def test_a_killed_holder_leaves_its_gpu(machine):
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=hold, args=(theirs,))
    child.start()
    assert ours.poll(20)
    with gpus.one_gpu("auto"):
        assert machine == [1]
    os.kill(child.pid, signal.SIGKILL)
    child.join(20)
    with gpus.one_gpu("auto"):
        assert machine == [1, 0]


@pytest.mark.parametrize("name", gpus.SCHEDULED)
def test_a_scheduler_s_choice_is_left_alone(machine, monkeypatch, name):
    monkeypatch.setenv(name, "7")
    with gpus.one_gpu("auto"):
        assert machine == []


def test_a_cpu_needs_no_gpu(machine, monkeypatch):
    with gpus.one_gpu("cpu"):
        assert machine == []
    monkeypatch.setattr(gpus, "_gpus", list)
    with gpus.one_gpu("auto"):
        assert machine == []
