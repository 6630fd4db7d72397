"""One process at a time works on a file."""

import logging
import multiprocessing
import os
import signal
import threading

import pytest

from popsed_core.files import lock as module
from popsed_core.files.lock import one_writer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "POLL", 0.02)


def hold(path, pipe):
    with one_writer(path):
        pipe.send("holds")
        signal.pause()


@pytest.fixture
def holder(tmp_path):
    """Another process that works on a file, until it is killed."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("fork")
    child = context.Process(target=hold, args=(tmp_path / "x.pt", theirs))
    child.start()
    assert ours.poll(20)
    yield child
    if child.is_alive():
        os.kill(child.pid, signal.SIGKILL)
    child.join(20)


def test_whoever_is_alone_does_not_wait(tmp_path):
    for _ in range(2):
        with one_writer(tmp_path / "new" / "x.pt") as has_waited:
            assert not has_waited


def test_the_second_waits_until_the_first_is_killed_and_says_for_whom(tmp_path, holder, caplog):
    found = []

    def second():
        with one_writer(tmp_path / "x.pt") as has_waited:
            found.append(has_waited)

    with caplog.at_level(logging.INFO):
        waiting = threading.Thread(target=second)
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        os.kill(holder.pid, signal.SIGKILL)
        waiting.join(20)
    assert found == [True]
    assert f"which process {holder.pid} on " in caplog.messages[0]
    assert "continuing" in caplog.messages[1]


def test_another_file_is_free(tmp_path, holder):
    with one_writer(tmp_path / "y.pt") as has_waited:
        assert not has_waited


def test_an_error_frees_the_file(tmp_path):
    with pytest.raises(RuntimeError, match="diverged"), one_writer(tmp_path / "x.pt"):
        raise RuntimeError("diverged")
    with one_writer(tmp_path / "x.pt") as has_waited:
        assert not has_waited


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, caplog):
    def refuse(*_, **__):
        raise NotImplementedError

    monkeypatch.setattr(module.FileLock, "acquire", refuse)
    with one_writer(tmp_path / "x.pt") as has_waited:
        assert not has_waited
    assert "has no locks" in caplog.text
