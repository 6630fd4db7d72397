"""A file is whole or not there, whatever happens while it is written."""

import errno
import os

import h5py
import pytest

from popsed_core.errors import InputError
from popsed_core.files.atomic import DiskError, DiskFile, atomic_path, explain_write_error


def test_a_file_appears_with_its_folders_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a" / "b" / "x.txt"
    with atomic_path(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [file.name for file in path.parent.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_half_written(tmp_path, failure):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail():
        with atomic_path(path) as partial:
            partial.write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


def test_two_writers_of_one_file_do_not_share_a_partial_one(tmp_path):
    with atomic_path(tmp_path / "x.txt") as one, atomic_path(tmp_path / "x.txt") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "x.txt").read_text() == "one", "the last to end"


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"is a folder, expected the name of a file"):
        atomic_path(tmp_path).__enter__()


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "the disk is full; make room"),
        (errno.EDQUOT, "the disk is full; make room"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "no permission to write there"),
    ],
)
@pytest.mark.parametrize("how", ["number", "text", "cause"])
def test_an_error_of_the_disk_is_known_however_it_is_wrapped(number, told, how):
    system = OSError(number, os.strerror(number))

    def fail():
        if how == "number":
            raise system
        if how == "text":  # HDF5's way
            raise RuntimeError(f"write failed, errno = {number}, message")
        raise RuntimeError("cannot write") from system

    with pytest.raises(DiskError, match=rf"x\.h5: .*{told}"), explain_write_error("x.h5"):
        fail()


def test_an_error_that_is_not_the_disk_s_stays_what_it_is():
    with pytest.raises(RuntimeError, match="shapes differ"), explain_write_error("x.h5"):
        raise RuntimeError("shapes differ")


def test_hdf5_on_a_disk_that_fills_up_tells_of_it_in_the_end(tmp_path):
    """HDF5 itself forgets an error that it meets while it closes."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with DiskFile(tmp_path / "x.h5", "w+b") as stream:
        with h5py.File(stream, "w") as file:
            file["values"] = range(1000)
            stream.error = full  # from here on nothing is written
        with pytest.raises(OSError, match="No space left"):
            stream.check()
