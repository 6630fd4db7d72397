"""The progress bar: drawn from the loop's log lines where somebody looks, and never elsewhere."""

import io
import logging
import sys

import pytest
from toy_job import N_EPOCHS, Walk

from popsed_core.running import loop
from popsed_core.running.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Somebody looks from here on: pytest has its own standard error for each phase of a test."""

    def look():
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return look


def lines(stream):
    return [line.strip() for line in stream.getvalue().split("\r") if line.strip()]


def test_a_line_per_epoch_up_to_the_end(terminal):
    stream = terminal()
    with progress_bar("mine"):
        loop.run(Walk())
    assert len(lines(stream)) == N_EPOCHS
    assert lines(stream)[-1] == f"mine [{30 * '#'}] 100%  epoch {N_EPOCHS}/{N_EPOCHS}"
    assert stream.getvalue().endswith("\n")


def test_a_part_of_the_work_is_a_part_of_the_bar(terminal):
    stream = terminal()
    with progress_bar("second of two", 0.5, 1.0):
        loop.run(Walk(n_epochs=2))
    assert "75%" in lines(stream)[0]


def test_nobody_looks_at_a_file(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("mine"):
        loop.run(Walk())
    assert stream.getvalue() == ""


def test_log_lines_of_the_user_stay_as_they_were(terminal):
    terminal()
    seen = logging.getLogger("popsed_core.running.loop")
    before = (seen.level, seen.propagate, list(seen.handlers))
    with pytest.raises(KeyboardInterrupt), progress_bar("mine"):
        loop.run(Walk(stop_after=2))
    assert (seen.level, seen.propagate, list(seen.handlers)) == before


def test_who_asked_for_log_lines_still_has_them(terminal, caplog):
    terminal()
    with caplog.at_level(logging.INFO), progress_bar("mine"):
        loop.run(Walk())
    assert sum("epoch" in record.getMessage() for record in caplog.records) == N_EPOCHS


def test_who_did_not_sees_none(terminal, caplog):
    terminal()
    with caplog.at_level(logging.WARNING), progress_bar("mine"):
        loop.run(Walk())
    assert not caplog.records
