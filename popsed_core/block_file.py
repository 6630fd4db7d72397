"""Rows of float32 that grow block by block and survive a kill: a file that is resumed.

The file starts with a digest of what it is for; another digest starts it anew.  Whatever lies
beyond the last whole block is cut off.
"""

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from popsed_core.errors import InputError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FLOAT_BYTES = 4


class BlockFile:
    """Rows on disk, appended in blocks; a context manager."""

    def __init__(self, path: str | Path, purpose: str, n_columns: int, block_size: int) -> None:
        """Name the file.

        Args:
            path: the file to make or resume.
            purpose: whatever decides the rows' values.
            n_columns: numbers per row.
            block_size: rows per block; only the last may be shorter.
        """
        self.path = Path(path)
        self.digest = hashlib.sha256(purpose.encode()).digest()
        self.n_columns, self.block_bytes = n_columns, block_size * n_columns * FLOAT_BYTES
        self.row_bytes = n_columns * FLOAT_BYTES

    def __enter__(self) -> "BlockFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self.file = self.path.open("r+b")
        start = len(self.digest)
        is_ours = self.file.read(start) == self.digest
        size = self.path.stat().st_size - start
        self.n_rows = size // self.block_bytes * self.block_bytes // self.row_bytes
        if not is_ours:
            self.n_rows = 0
            self.file.seek(0)
            self.file.write(self.digest)
        self.file.truncate(start + self.n_rows * self.row_bytes)
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if not self.n_rows:
            self.path.unlink(missing_ok=True)

    def append(self, rows: Float32[np.ndarray, "row column"]) -> None:
        """Write one block at the end."""
        self.file.seek(len(self.digest) + self.n_rows * self.row_bytes)
        self.file.write(np.ascontiguousarray(rows).tobytes())
        self.file.flush()
        self.n_rows += len(rows)

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "row column"]:
        """Read rows ``start`` to ``stop``."""
        self.file.seek(len(self.digest) + start * self.row_bytes)
        data = self.file.read((stop - start) * self.row_bytes)
        return np.frombuffer(data, np.float32).reshape(-1, self.n_columns)


def check_space(path: str | Path, n_bytes: int) -> None:
    """Raise InputError unless the disk of ``path`` has room for ``n_bytes``."""
    folder = Path(path).absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise InputError(_too_full(path, n_bytes, f"has {free / 1e9:.2f} GB free"))


@contextmanager
def told_when_full(path: str | Path, n_bytes: int) -> Iterator[None]:
    """Turn the many errors of a full disk into one that says what to do.

    Raises:
        InputError: the disk (or the user's quota) is full; it names ``path`` and ``n_bytes``.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        # HDF5 hides the number in its text
        texts = [f"errno = {number}" for number in DISK_FULL]
        is_full = getattr(error, "errno", None) in DISK_FULL
        if not is_full and not any(text in str(error) for text in texts):
            raise
        raise InputError(_too_full(path, n_bytes, "is full")) from error


def _too_full(path: str | Path, n_bytes: int, what: str) -> str:
    return (
        f"{path}: needs {n_bytes / 1e9:.2f} GB, but the disk {what}; make room there, or lower "
        "training_set.chunk_size, and rerun"
    )
