"""Spectra of a chunk that is being made: a folder with one checkpoint per block.

A job that was killed continues after the last whole block.
"""

import logging
import shutil
from bisect import bisect_left, bisect_right
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from popsed_core.errors import InputError
from popsed_core.running.loop import load_plain, save_plain

log = logging.getLogger(__name__)


class Blocks:
    """Rows on disk, appended in blocks of any size.

    Blocks made for another purpose, or behind one that is damaged, are replaced.

    Args:
        folder: where the blocks are; made with the first.
        purpose: whatever decides the values of the rows.
    """

    def __init__(self, folder: str | Path, purpose: str) -> None:
        self.folder, self.purpose = Path(folder), purpose
        self._ends: list[int] = []  # row behind each block
        while (rows := self._read_whole(len(self._ends))) is not None:
            self._ends.append(self.n_rows + len(rows))

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self._ends[-1] if self._ends else 0

    def append(self, rows: Float32[np.ndarray, "row column"]) -> None:
        """Write one block, whole or not at all.

        Raises:
            InputError: the disk is full or read-only.
        """
        block = {"purpose": self.purpose, "rows": torch.from_numpy(rows)}
        save_plain(block, self._path(len(self._ends)))
        self._ends.append(self.n_rows + len(rows))

    def rows(self, start: int, stop: int) -> Float32[np.ndarray, "row column"]:
        """Read rows ``start`` to ``stop``.

        Raises:
            InputError: a block has been damaged or removed since.
        """
        first, last = bisect_right(self._ends, start), bisect_left(self._ends, stop)
        blocks = [load_plain(self._path(k))["rows"].numpy() for k in range(first, last + 1)]
        offset = self._ends[first - 1] if first else 0
        return np.concatenate(blocks)[start - offset : stop - offset]

    def delete(self) -> None:
        """Remove all blocks."""
        shutil.rmtree(self.folder)

    def _path(self, number: int) -> Path:
        return self.folder / f"block_{number + 1}.pt"

    def _read_whole(self, number: int) -> Float32[np.ndarray, "row column"] | None:
        path = self._path(number)
        if not path.exists():
            return None
        try:
            block = load_plain(path)
        except InputError as error:
            log.warning("%s; the spectra from there on are made again", error)
            return None
        return block["rows"].numpy() if block["purpose"] == self.purpose else None
