"""The chunks of a training set and which of them are for validation; chunks are not merged.

Every chunk is identified by its size and content checksum, and read block by block.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from popsed_core.emulator.training_chunk import INPUTS, ROWS, read_header, read_spectra
from popsed_core.errors import InputError
from popsed_core.files.artefacts import array, check_axes, load, load_provenance

SAME = ("names", "method", "box", "ssp_sha256")  # in all chunks of a set


@dataclass(frozen=True)
class TrainingIndex:
    """The chunks of a training set.

    Attributes:
        wave: of the pixels [AA].
        wave_edges: of the pixels [AA].
        number: of each chunk.
        n_spectra: in each chunk.
        n_bytes: of each file [B].
        is_validation: chunks that are never trained on.
        paths: of the chunks, relative to the index.
        sha256s: of the chunks' contents.
        names: of the parameters.
        method: ``table`` or ``fsps``.
        box: lowest and highest value of each parameter.
        ssp_sha256: of the SSP table.
    """

    wave: np.ndarray = array("Angstrom", "pixel")
    wave_edges: np.ndarray = array("Angstrom", "edge")
    number: np.ndarray = array("", "chunk")
    n_spectra: np.ndarray = array("", "chunk")
    n_bytes: np.ndarray = array("byte", "chunk")
    is_validation: np.ndarray = array("", "chunk")
    paths: tuple[str, ...] = ()
    sha256s: tuple[str, ...] = ()
    names: tuple[str, ...] = INPUTS
    method: str = "table"
    box: tuple[tuple[float, float], ...] = ()
    ssp_sha256: str = ""

    def __post_init__(self) -> None:
        check_axes(self)


def make_index(paths: Sequence[Path], n_validation: int, folder: Path) -> TrainingIndex:
    """Gather chunks into a training set; those of the highest numbers are for validation.

    Args:
        paths: the chunks, in any order.
        n_validation: how many are never trained on.
        folder: where the index will be, so that the set can be moved.

    Raises:
        InputError: a chunk is missing, unreadable, duplicated, or made with other settings than
            the rest; or none is left to train on.
    """
    headers = sorted(((read_header(path), path) for path in paths), key=_number)
    if not 0 < n_validation < len(headers):
        raise InputError(
            f"training_set.n_validation_chunks: {n_validation} of {len(headers)} chunks leave "
            "nothing to train on, or nothing to validate with"
        )
    _check_same(headers)
    first, numbers = headers[0][0], [header["chunk"] for header, _ in headers]
    return TrainingIndex(
        wave=first["wave"],
        wave_edges=first["wave_edges"],
        number=np.array(numbers),
        n_spectra=np.array([len(header["theta"]) for header, _ in headers]),
        n_bytes=np.array([path.stat().st_size for _, path in headers]),
        is_validation=np.arange(len(headers)) >= len(headers) - n_validation,
        paths=tuple(os.path.relpath(path, folder) for _, path in headers),
        sha256s=tuple(header["content_sha256"] for header, _ in headers),
        **{name: first[name] for name in SAME},
    )


def _number(pair: tuple[dict[str, Any], Path]) -> tuple[int, str]:
    return pair[0]["chunk"], str(pair[1])


def _check_same(headers: Sequence[tuple[dict[str, Any], Path]]) -> None:
    first, first_path = headers[0]
    made = load_provenance(first_path)
    for (before, path_before), (header, path) in pairwise(headers):
        if header["chunk"] == before["chunk"]:
            raise InputError(f"{path}: is chunk {header['chunk']}, as is {path_before}; remove one")
        found = load_provenance(path)
        is_same = (found.config, found.seed) == (made.config, made.seed)
        is_same &= all(header[name] == first[name] for name in SAME)
        if not is_same or not np.array_equal(header["wave"], first["wave"]):
            raise InputError(
                f"{path}: was made with other settings or another SSP table than {first_path}; "
                "delete the older one and rerun"
            )


class Block(NamedTuple):
    """Parameters and log spectra of some galaxies."""

    inputs: Float[Tensor, "spectrum 10"]
    log_lnu: Float32[Tensor, "spectrum pixel"]


class TrainingSet:
    """The spectra behind an index, read block by block."""

    def __init__(self, path: str | Path) -> None:
        """Read the index.

        Raises:
            InputError: the file is missing or not an index.
        """
        self.index = load(path, TrainingIndex)
        self.folder = Path(path).parent

    def chunks(self, is_validation: bool) -> list[int]:
        """Return the positions, in the index, of the chunks to train on or to validate with."""
        return np.flatnonzero(self.index.is_validation == is_validation).tolist()

    def pixels(self, low: float, high: float) -> slice:
        """Return the pixels at ``low`` <= wave < ``high`` [AA]."""
        first, last = np.searchsorted(self.index.wave, [low, high])
        return slice(int(first), int(last))

    def inputs(self, chunk: int) -> Float[Tensor, "spectrum 10"]:
        """Return the parameters of a chunk, after checking that it is the one in the index.

        Raises:
            InputError: the chunk is missing or has changed since the index was made.
        """
        path = self.path(chunk)
        if not path.exists():
            raise InputError(f"{path}: this chunk of the training set is missing; rerun to make it")
        is_same = path.stat().st_size == self.index.n_bytes[chunk]
        header = read_header(path) if is_same else {}
        if header.get("content_sha256") != self.index.sha256s[chunk]:
            raise InputError(
                f"{path}: this chunk was changed after the training set was indexed; "
                "delete it and rerun"
            )
        return torch.as_tensor(header["theta"])

    def path(self, chunk: int) -> Path:
        """Return the file of a chunk."""
        return self.folder / self.index.paths[chunk]

    def blocks(self, is_validation: bool, pixels: slice, size: int = ROWS) -> Iterator[Block]:
        """Yield the spectra, in order, ``size`` at a time.

        Raises:
            InputError: a chunk is missing, damaged, or another than when the index was made.
        """
        places = (
            (chunk, start)
            for chunk in self.chunks(is_validation)
            for start in range(0, int(self.index.n_spectra[chunk]), size)
        )
        yield from self.blocks_at(places, pixels, size)

    def blocks_at(
        self, places: Iterable[tuple[int, int]], pixels: slice, size: int = ROWS
    ) -> Iterator[Block]:
        """Yield the spectra at some places, pairs of a chunk's position and a first row.

        A chunk's parameters are read once for all of its places that follow each other.

        Raises:
            InputError: a chunk is missing, damaged, or another than when the index was made.
        """
        for chunk, group in groupby(places, key=itemgetter(0)):
            inputs = self.inputs(chunk)
            for _, start in group:
                rows = slice(start, start + size)
                spectra = read_spectra(self.path(chunk), rows, pixels)
                yield Block(inputs[rows], torch.as_tensor(spectra))
