"""One chunk: its bytes are decided by its number alone, and it is whole or not there."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from chunks import make, make_task

from popsed_core.emulator.training_blocks import Blocks
from popsed_core.emulator.training_chunk import read_spectra
from popsed_core.emulator.training_set import (
    TableSpectra,
    draw_chunk,
)
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.toy import toy_grid

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


def test_a_chunk_depends_on_its_number_and_not_on_how_many_there_are(tmp_path, grid):
    few, many = (make_task(n_chunks=n) for n in (2, 200))
    a, b = (draw_chunk(task) for task in (few, many))
    assert torch.equal(a, b)
    assert not torch.equal(a, draw_chunk(make_task(chunk=2)))
    assert not torch.equal(a, draw_chunk(make_task(seed=2)))


def test_the_same_chunk_twice_has_the_same_bytes(tmp_path, grid):
    first, second = (make(tmp_path / name, grid, make_task()) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


class Killed(BaseException):
    """Like kill -9: no code of the package catches it."""


@pytest.fixture
def killer(monkeypatch):
    """Make the writer die at its second block, in the middle of a write."""
    append = Blocks.append

    def die(self, rows):
        if self.n_rows:
            (self.folder / ".block_2.pt.host-1-a.partial").write_bytes(rows[:7].tobytes())
            raise Killed
        append(self, rows)

    monkeypatch.setattr(Blocks, "append", die)
    return lambda: monkeypatch.setattr(Blocks, "append", append)


@pytest.mark.faults
def test_a_killed_writer_goes_on_and_ends_with_the_same_bytes(tmp_path, grid, killer):
    with pytest.raises(Killed):
        make(tmp_path, grid, make_task())
    assert [path.name for path in tmp_path.iterdir()] == ["partial_1"]
    killer()
    calls = []
    table = TableSpectra.__call__

    def counted(self, theta):
        calls.append(len(theta.redshift))
        return table(self, theta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableSpectra, "__call__", counted)
        resumed = make(tmp_path, grid, make_task())
    assert sum(calls) == 1500  # of 2500: the first block was safe
    assert not (tmp_path / "partial_1").exists()
    assert resumed.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


@pytest.mark.faults
@pytest.mark.slow
def test_kill_9_leaves_no_half_chunk_and_the_rest_is_made_to_the_same_bytes(tmp_path, grid):
    child = subprocess.Popen([sys.executable, HERE / "killable_chunk.py", tmp_path])
    partial = tmp_path / "partial_1"
    while not (partial / "block_1.pt").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["partial_1"]
    resumed = make(tmp_path, grid, make_task())
    assert resumed.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


def test_what_was_begun_with_other_settings_is_not_gone_on_with(tmp_path, grid, killer):
    with pytest.raises(Killed):
        make(tmp_path, grid, make_task(seed=2))
    killer()
    path = make(tmp_path, grid, make_task())
    assert path.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


def test_a_damaged_chunk_is_refused_when_it_is_read(tmp_path, grid):
    path = make(tmp_path, grid, make_task())
    data = bytearray(path.read_bytes())
    for i in range(len(data) // 2, len(data) // 2 + 64):
        data[i] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"chunk_1\.h5: field log_lnu cannot be read"):
        read_spectra(path, slice(None), slice(None))
