"""Rows of float32 that grow block by block and survive a kill: a file that is resumed.

The file starts with a digest of what it is for; another digest starts it anew.  Each block ends
with its checksum; whatever lies beyond the last whole block is cut off.
"""

import hashlib
import logging
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from popsed_core.errors import InputError
from popsed_core.files.atomic import told_when_unwritable

log = logging.getLogger(__name__)

FLOAT_BYTES = 4
SUM_BYTES = 4  # of a block's crc32


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
        self.n_columns, self.block_size = n_columns, block_size
        self.row_bytes = n_columns * FLOAT_BYTES
        self.block_bytes = block_size * self.row_bytes + SUM_BYTES

    def __enter__(self) -> "BlockFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        self.file = self.path.open("r+b")
        is_ours = self.file.read(len(self.digest)) == self.digest
        self.n_rows = self._n_whole() * self.block_size if is_ours else 0
        if not is_ours:
            self.file.seek(0)
            self.file.write(self.digest)
        self.file.truncate(self._place(self.n_rows))
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        if not self.n_rows:
            self.path.unlink(missing_ok=True)

    def append(self, rows: Float32[np.ndarray, "row column"]) -> None:
        """Write one block at the end."""
        data = np.ascontiguousarray(rows).tobytes()
        self.file.seek(self._place(self.n_rows))
        self.file.write(data + _checksum(data))
        self.file.flush()
        self.n_rows += len(rows)

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "row column"]:
        """Read rows ``start`` to ``stop``."""
        parts = []
        while start < stop:
            end = min(stop, (start // self.block_size + 1) * self.block_size)
            self.file.seek(self._place(start))
            parts.append(self.file.read((end - start) * self.row_bytes))
            start = end
        return np.frombuffer(b"".join(parts), np.float32).reshape(-1, self.n_columns)

    def _place(self, row: int) -> int:
        block, within = divmod(row, self.block_size)
        return len(self.digest) + block * self.block_bytes + within * self.row_bytes

    def _n_whole(self) -> int:
        """Count the blocks before the first that is cut off or damaged; the file is behind them."""
        number = 0
        while len(block := self.file.read(self.block_bytes)) == self.block_bytes:
            if block[-SUM_BYTES:] != _checksum(block[:-SUM_BYTES]):
                log.warning("%s: block %d is damaged; made again from there", self.path, number + 1)
                break
            number += 1
        return number


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(SUM_BYTES, "little")


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
    room = f"make room for {n_bytes / 1e9:.2f} GB, or lower training_set.chunk_size, and rerun"
    with told_when_unwritable(path, room):
        yield


def _too_full(path: str | Path, n_bytes: int, what: str) -> str:
    return (
        f"{path}: needs {n_bytes / 1e9:.2f} GB, but the disk {what}; make room there, or lower "
        "training_set.chunk_size, and rerun"
    )
