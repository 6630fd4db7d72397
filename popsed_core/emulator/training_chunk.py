"""One chunk of the emulator's training set on disk: log spectra, and the parameters of each.

Written in slices and verified by checksums, because a chunk may be as large as memory.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from popsed_core.emulator.training_blocks import Blocks
from popsed_core.files.artefacts import (
    Provenance,
    Stream,
    array,
    check_axes,
    load_except,
    load_slice,
    save_streamed,
)
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta

INPUTS = tuple(name for name in NAMES if name != "log_stellar_mass")  # spectra are per solar mass
ROWS, COLUMNS = 2000, 100  # of an HDF5 chunk: a wavelength segment is read without the others


@dataclass(frozen=True)
class TrainingChunk:
    """Spectra per solar mass formed, dust included, and the parameters they were made with.

    Attributes:
        wave: of each pixel [AA].
        wave_edges: of the pixels [AA].
        log_lnu: float32 log10 L_nu, the mean over the pixel or its value at ``wave``.
        theta: the parameters ``names``.
        names: ``INPUTS``.
        chunk: its number, from 1.
        method: ``table`` or ``fsps``.
        box: lowest and highest value of each parameter.
        ssp_sha256: of the SSP table.
        content_sha256: of theta and log_lnu.
    """

    wave: np.ndarray = array("Angstrom", "pixel")
    wave_edges: np.ndarray = array("Angstrom", "edge")
    log_lnu: np.ndarray = array("dex(Lsun / (Hz Msun))", "spectrum", "pixel")
    theta: np.ndarray = array("", "spectrum", "parameter")
    names: tuple[str, ...] = INPUTS
    chunk: int = 1
    method: str = "table"
    box: tuple[tuple[float, float], ...] = ()
    ssp_sha256: str = ""
    content_sha256: str = ""

    def __post_init__(self) -> None:
        check_axes(self)


def name_columns(inputs: Float[Tensor, "spectrum 10"]) -> Theta:
    """Return theta of one solar mass from columns in the order of ``INPUTS``."""
    columns = dict(zip(INPUTS, inputs.unbind(1), strict=True))
    return Theta(**columns, log_stellar_mass=torch.zeros_like(inputs[:, 0]))


def read_header(path: str | Path) -> dict[str, Any]:
    """Read all fields of a chunk but its spectra.

    Raises:
        InputError: the file is missing, truncated or not a chunk.
    """
    return load_except(path, TrainingChunk, "log_lnu")


def read_spectra(path: str | Path, rows: slice, pixels: slice) -> Float32[np.ndarray, "row pixel"]:
    """Read a rectangle of ``log_lnu``.

    Raises:
        InputError: the file is missing, truncated, not a chunk, or damaged.
    """
    return load_slice(path, TrainingChunk, "log_lnu", rows, pixels)


def write_chunk(
    path: str | Path, spectra: Blocks, fields: Mapping[str, Any], provenance: Provenance
) -> None:
    """Write a chunk from spectra that are read in slices.

    Args:
        path: the file to make or replace.
        spectra: log10 L_nu, read in slices.
        fields: all others, but for the checksum.
        provenance: recorded in the file's attributes.
    """
    n_spectra, n_pixels = len(fields["theta"]), len(fields["wave"])
    starts = range(0, n_spectra, ROWS)
    digest = hashlib.sha256(np.ascontiguousarray(fields["theta"]).tobytes())
    for start in starts:
        digest.update(spectra.rows(start, min(start + ROWS, n_spectra)).tobytes())
    chunks = (min(ROWS, n_spectra), min(COLUMNS, n_pixels))
    stream = Stream((n_spectra, n_pixels), "<f4", chunks)
    values = {**fields, "content_sha256": digest.hexdigest()}
    with save_streamed(TrainingChunk, path, provenance, values, log_lnu=stream) as datasets:
        for start in starts:
            stop = min(start + ROWS, n_spectra)
            datasets["log_lnu"][start:stop] = spectra.rows(start, stop)
