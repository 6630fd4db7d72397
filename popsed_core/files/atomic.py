"""Atomic writes: to a temporary file in the same folder, then renamed.

A kill at any moment leaves the old file or the new one.  The bytes are on disk before the rename,
so that a power failure does not leave an empty file under the final name.
"""

import contextlib
import errno
import io
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from popsed_core.errors import InputError

ROOM = "make room there and rerun"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskError(InputError):
    """A disk cannot be written to; retrying, or another address, does not help."""


class atomic_path:  # noqa: N801  (reads as a function: `with atomic_path(path) as partial`)
    """Context manager: yields a partial path and renames it on success, removes it on failure.

    The partial name is unique to this process, also among machines that share a file system.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        mine = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.partial = self.path.with_name(f".{self.path.name}.{mine}.partial")

    def __enter__(self) -> Path:
        if self.path.is_dir():
            raise InputError(f"{self.path}: is a folder, expected the name of a file to write")
        with explain_write_error(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.partial

    def __exit__(self, kind: Any, value: Any, trace: Any) -> None:
        try:
            if value is None:
                self._rename()
            elif isinstance(value, OSError | RuntimeError):
                with explain_write_error(self.path):
                    raise value
        finally:
            with contextlib.suppress(OSError):  # a read-only disk has none to remove
                self.partial.unlink()

    def _rename(self) -> None:
        with explain_write_error(self.path):
            _to_disk(self.partial)
            self.partial.replace(self.path)
        with contextlib.suppress(OSError):  # some file systems cannot; the content is safe
            _to_disk(self.path.parent)


@contextlib.contextmanager
def explain_write_error(path: str | Path, remedy: str = ROOM) -> Iterator[None]:
    """Reraise the errors of a full or read-only disk as one that says what to do.

    Raises:
        DiskError: the disk (or the user's quota) is full, or nothing may be written there; it
            names ``path``.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = _number(error)
        if number in DISK_FULL:
            raise DiskError(f"{path}: the disk is full; {remedy}") from error
        if number == errno.EROFS:
            raise DiskError(
                f"{path}: cannot be written, the disk is read-only; give another place"
            ) from error
        if number == errno.EACCES:
            raise DiskError(
                f"{path}: no permission to write there; ask the folder's owner, or chmod it"
            ) from error
        raise


class DiskFile(io.FileIO):
    """A file that keeps its first write error, for writers that drop it.

    HDF5 drops an error that occurs while it closes a file, and leaves half of it behind.
    """

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of the data; report success even if they could not be written."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view) and self.error is None:
                done += super().write(view[done:])
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the size; report success even if that failed."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def check(self) -> None:
        """Raise the error that was kept."""
        if self.error is not None:
            raise self.error


def _number(error: BaseException | None) -> int | None:
    """Return the errno of an error; HDF5 and torch hide it in their message or in its cause."""
    while error is not None:
        for number in (*DISK_FULL, errno.EROFS, errno.EACCES):
            texts = (f"errno = {number},", os.strerror(number))
            if getattr(error, "errno", None) == number or any(t in str(error) for t in texts):
                return number
        error = error.__cause__ or error.__context__
    return None


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
