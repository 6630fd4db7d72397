"""The emulator's training set: restframe spectra of galaxies drawn from the parameters' boxes.

Each chunk has its own random stream, so that its content depends on the seed, its number and
the settings, never on how many chunks there are.
"""

import dataclasses
import logging
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from popsed_core.config.base import to_json
from popsed_core.config.emulator import TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.training_blocks import Blocks
from popsed_core.emulator.training_chunk import INPUTS, name_columns, write_chunk
from popsed_core.emulator.training_draws import draw_inputs
from popsed_core.emulator.training_fsps import FSPSSpectra, FSPSTrainingSpectra
from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance
from popsed_core.running.runtime import generator
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import log_edges
from popsed_core.theta import Theta

log = logging.getLogger(__name__)

TOLERANCE = 1e-7  # of the factorised SSP table: 2e-6 dex rms, 3e-4 in the far UV of old stars
BLOCK = 1000  # spectra at a time, so that their temporaries stay in the cache


@runtime_checkable
class SpectraMaker(Protocol):
    """Makes the spectra of a block of galaxies.

    Attributes:
        wave: of the pixels [AA].
        wave_edges: of the pixels [AA].
        block_size: galaxies per call, after each of which the work so far is saved.
    """

    wave: np.ndarray
    wave_edges: np.ndarray
    block_size: int

    def __call__(self, theta: Theta) -> Float32[np.ndarray, "galaxy pixel"]:
        """Return log10 L_nu per solar mass, dust included [dex(Lsun / Hz / Msun)]."""


@dataclasses.dataclass(frozen=True)
class ChunkTask:
    """Everything that determines the content of a chunk, apart from the SSP table.

    Attributes:
        chunk: its number.
        seed: of the run.
        training: method, size and wavelengths.
        spectra: star formation, burst, cosmology.
        parameters: range and coordinate of each.
        sps_home: the FSPS data, for the method ``fsps``.
    """

    chunk: int
    seed: int
    training: TrainingSetConfig
    spectra: SpectraConfig
    parameters: Mapping[str, ParameterConfig]
    sps_home: str = ""

    @property
    def max_redshift(self) -> float:
        """The highest redshift that is drawn."""
        return self.parameters["redshift"].high


class TableSpectra:
    """The exact engine on the SSP table, in single precision; the screen in logarithms."""

    block_size = BLOCK

    def __init__(self, grid: SSPGrid, task: ChunkTask) -> None:
        grid, edges, self.wave, self.wave_edges = choose_pixels(grid, task.training)
        spectra = ExactSpectra(
            grid, task.spectra, edges, max_redshift=task.max_redshift, tolerance=TOLERANCE
        )
        self.spectra = spectra.float()

    @torch.no_grad()
    def __call__(self, theta: Theta) -> Float32[np.ndarray, "galaxy pixel"]:
        """Return log10 L_nu per solar mass, dust included [dex(Lsun / Hz / Msun)].

        Raises:
            FloatingPointError: stars of some age and metallicity give no light at a wavelength.
        """
        theta = Theta(*(column.float() for column in theta))
        light = self.spectra.behind_screen(theta)
        if not bool((light > 0).all()):
            dark = self.wave[(light <= 0).any(0).nonzero()[0].item()]
            raise FloatingPointError(
                f"training set: a galaxy has no light at {dark:.0f} AA; raise training_set.wave_low"
            )
        screen = self.spectra.dust.log_screen(theta.tau_ism, theta.dust_index)
        log_lnu = torch.log10(light).add_(self.spectra.log_unit)
        return log_lnu.add_(screen, alpha=math.log10(math.e)).numpy()


def choose_pixels(
    grid: SSPGrid, config: TrainingSetConfig
) -> tuple[SSPGrid, np.ndarray | None, np.ndarray, np.ndarray]:
    """Return the table of stars and the pixels of the training set.

    Returns:
        The SSP table (cut, where its own wavelengths are the pixels), the edges that
        ``ExactSpectra`` takes, and wavelengths and edges of the pixels [AA].

    Raises:
        InputError: the table is dark at some of the wavelengths.
    """
    grid = grid.stars()
    low = max(config.wave_low, float(grid.ssp_wave[0]))
    high = min(config.wave_high, float(grid.ssp_wave[-1]))
    is_dark = ~np.any(grid.ssp_flux > 0, axis=(0, 1)) & (grid.ssp_wave >= low)
    if is_dark.any():
        raise InputError(
            f"training_set.wave_low: {low:g} AA, but stars of the SSP table give no light below "
            f"{grid.ssp_wave[is_dark][-1]:.0f} AA; raise it above that"
        )
    if config.grid == "log":
        edges = log_edges(low, high, config.n_pixels)
        return grid, edges, np.exp(0.5 * (edges[1:] + edges[:-1])), np.exp(edges)
    keep = (grid.ssp_wave >= low) & (grid.ssp_wave <= high)
    wave = grid.ssp_wave[keep]
    cut = dataclasses.replace(grid, ssp_wave=wave, ssp_flux=grid.ssp_flux[..., keep])
    between = np.sqrt(wave[1:] * wave[:-1])
    return cut, None, wave, np.concatenate([wave[:1], between, wave[-1:]])


def _fsps_spectra(grid: SSPGrid, task: ChunkTask) -> FSPSTrainingSpectra:
    grid, edges, wave, wave_edges = choose_pixels(grid, task.training)
    spectra = FSPSSpectra(grid, task.spectra, Path(task.sps_home))
    return FSPSTrainingSpectra(spectra, edges, wave, wave_edges)


METHODS: dict[str, Callable[[SSPGrid, ChunkTask], SpectraMaker]] = {
    "table": TableSpectra,
    "fsps": _fsps_spectra,
}


def draw_chunk(task: ChunkTask) -> Float[Tensor, "spectrum 10"]:
    """Draw the parameters of a chunk; columns as in ``INPUTS``."""
    stream = generator(task.seed, "training_set", task.chunk)
    return draw_inputs(task.parameters, task.training.chunk_size, stream, task.training.draws)


def make_chunk(
    task: ChunkTask, grid: SSPGrid, path: Path, partial: Path, provenance: Provenance
) -> None:
    """Make a chunk, or resume an interrupted one, and write it.

    Args:
        task: what to make.
        grid: the SSP table.
        path: the chunk to write (HDF5).
        partial: the folder where the work so far is kept; removed in the end.
        provenance: recorded in the chunk; ``inputs`` holds the sha256 of the table, ``ssp``.

    Raises:
        InputError: the disk is too small or full, or FSPS cannot run.
        FloatingPointError: a spectrum has no light at some wavelength.
    """
    maker = METHODS[task.training.method](grid, task)
    inputs = draw_chunk(task)
    n_bytes = 2 * len(inputs) * len(maker.wave) * 4  # the work so far and, at most, the chunk
    _check_space(path, n_bytes)
    ssp = provenance.inputs["ssp"]
    blocks = Blocks(partial, to_json([task, ssp]))
    while blocks.n_rows < len(inputs):
        block = inputs[blocks.n_rows :][: maker.block_size]
        blocks.append(maker(name_columns(block)))
        log.debug("%d of %d spectra", blocks.n_rows, len(inputs))
    write_chunk(path, blocks, _fields(task, maker, inputs, ssp), provenance)
    blocks.delete()


def _check_space(path: Path, n_bytes: int) -> None:
    """Raise InputError unless the disk of ``path`` has room for ``n_bytes``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(path.parent).free
    if free < n_bytes:
        raise InputError(
            f"{path}: needs {n_bytes / 1e9:.2f} GB, but the disk has {free / 1e9:.2f} GB free; "
            "make room there, or lower training_set.chunk_size, and rerun"
        )


def _fields(
    task: ChunkTask, maker: SpectraMaker, inputs: Float[Tensor, "spectrum 10"], ssp: str
) -> dict[str, object]:
    return {
        "wave": maker.wave,
        "wave_edges": maker.wave_edges,
        "theta": inputs.numpy(),
        "names": INPUTS,
        "chunk": task.chunk,
        "method": task.training.method,
        "box": tuple((task.parameters[name].low, task.parameters[name].high) for name in INPUTS),
        "ssp_sha256": ssp,
    }
