"""Training data of the emulator: fresh galaxies from the prior, or the chunks of a training set.

Either source serves one wavelength segment: its pixels, its principal components, and blocks of
examples, which are inputs of the network and the corresponding log spectra.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.inputs import INPUTS
from popsed_core.emulator.pca import Moments, SpectrumBasis, leading_components
from popsed_core.emulator.target import make_target
from popsed_core.emulator.training_chunk import ROWS, name_columns
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.emulator.training_index import TrainingSet
from popsed_core.errors import InputError
from popsed_core.files.artefacts import load, load_provenance, sha256
from popsed_core.running.runtime import generator
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import log_edges
from popsed_core.theta import Theta

BLOCK = 2000  # spectra at a time, so that they stay in the cache
N_BASIS = 20_000  # fresh spectra from which the principal components are computed
N_VALIDATION = 5000  # spectra never trained on
LN10 = float(np.log(10))


@dataclass(frozen=True)
class SegmentTask:
    """What identifies the training of one segment, but for the SSP table.

    Attributes:
        segment: its index, from 0.
        seed: the run's seed.
        emulator, training, spectra: sections of the configuration.
        parameters: boxes of the training prior.
        device: ``auto``, ``cpu`` or ``cuda``; not part of the identity.
    """

    segment: int
    seed: int
    emulator: EmulatorConfig
    training: TrainingSetConfig
    spectra: SpectraConfig
    parameters: dict[str, ParameterConfig]
    device: str = "cpu"

    def stream(self, purpose: str) -> torch.Generator:
        """Return the random stream of this segment for a purpose."""
        return generator(self.seed, "emulator", self.segment, purpose)


class Examples(NamedTuple):
    """Features of galaxies, and log10 L_nu per solar mass [dex 10^log_unit Lsun/Hz]."""

    features: Float[Tensor, "galaxy input"]
    log_lnu: Float[Tensor, "galaxy pixel"]


class Components(NamedTuple):
    """Mean and orthonormal components of log spectra, and the scatter along each [dex]."""

    mean: Float[Tensor, "pixel"]
    components: Float[Tensor, "component pixel"]
    sigma: Float[Tensor, "component"]


@runtime_checkable
class Source(Protocol):
    """Examples of one segment.

    Attributes:
        edges: ln of the pixels' edges [AA].
        log_unit: of the spectra [dex(Lsun / Hz / Msun)].
    """

    edges: np.ndarray
    log_unit: float

    def blocks(self, n: int, stream: torch.Generator, device: torch.device) -> Iterator[Examples]:
        """Yield at least ``n`` examples to train on, a block at a time."""

    def basis(self, n: int) -> tuple[Components, Float[Tensor, "galaxy input"]]:
        """Return ``n`` principal components, and features to normalise by."""

    def validation(self, device: torch.device) -> Examples:
        """Return examples that :meth:`blocks` never yields."""


class FreshSpectra:
    """New galaxies from the prior for every step, with the exact spectra of the SSP table."""

    def __init__(self, task: SegmentTask, grid: SSPGrid) -> None:
        """Build the exact spectra on the segment's pixels.

        Raises:
            InputError: the segment has fewer pixels than components.
        """
        self.task = task
        self.edges = segment_edges(grid, task.training, task.emulator)[task.segment]
        self.has_screen = task.emulator.target == "full"
        redshift = task.parameters["redshift"].high
        self.spectra = ExactSpectra(grid.stars(), task.spectra, self.edges, max_redshift=redshift)
        self.log_unit = self.spectra.log_unit
        self.inputs = INPUTS[task.emulator.inputs](self.spectra, self.has_screen)
        self.spectra.float()
        self.inputs.float()

    def _log_lnu(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        light = torch.log10(self.spectra.behind_screen(theta))
        if not self.has_screen:
            return light
        return light + self.spectra.dust.log_screen(theta.tau_ism, theta.dust_index) / LN10

    @torch.no_grad()
    def _draw(self, n: int, stream: torch.Generator, device: torch.device) -> Examples:
        self.spectra.to(device)
        self.inputs.to(device)
        theta = draw_theta(self.task.parameters, n, stream, self.task.training.draws)
        theta = Theta(*(column.to(device) for column in theta))
        return Examples(self.inputs(theta, self.spectra), self._log_lnu(theta))

    def blocks(self, n: int, stream: torch.Generator, device: torch.device) -> Iterator[Examples]:
        """Yield at least ``n`` fresh examples, a block at a time."""
        for _ in range(-(-n // BLOCK)):
            yield self._draw(BLOCK, stream, device)

    def basis(self, n: int) -> tuple[Components, Float[Tensor, "galaxy input"]]:
        """Return the principal components of a separate set of spectra, and their features."""
        moments, features = Moments(), []
        for block in self.blocks(N_BASIS, self.task.stream("basis"), torch.device("cpu")):
            moments.add(block.log_lnu)
            features.append(block.features)
        mean, covariance = moments.result()
        components, variances = leading_components(covariance, n)
        return Components(mean, components, variances.sqrt()), torch.cat(features)

    def validation(self, device: torch.device) -> Examples:
        """Return examples from a separate random stream."""
        return _together(
            self.blocks(N_VALIDATION, self.task.stream("validate"), device), N_VALIDATION
        )


class ChunkSpectra:
    """The spectra of a training set on disk, computed from the table or by FSPS itself."""

    def __init__(
        self, task: SegmentTask, grid: SSPGrid, ssp_sha256: str, index: Path, basis: Path
    ) -> None:
        """Read the index and the basis of the segment.

        Args:
            task: settings.
            grid: the SSP table, for what galaxies are made of.
            ssp_sha256: of its file.
            index: of the training set.
            basis: the principal components of the segment.

        Raises:
            InputError: they do not belong together or to these settings.
        """
        self.task, self.has_screen = task, task.emulator.target == "full"
        self.training_set = TrainingSet(index)
        self.table = load(basis, SpectrumBasis)
        self._check(ssp_sha256, index, basis)
        n_pixels = len(self.table.wave)
        self.pixels = slice(self.table.first_pixel, self.table.first_pixel + n_pixels)
        edges = self.training_set.index.wave_edges
        self.edges = np.log(edges[self.pixels.start : self.pixels.stop + 1])
        self.log_unit = 0.0
        redshift = task.parameters["redshift"].high
        self.mixture = StellarMixture(grid, task.spectra, redshift)
        self.inputs = INPUTS[task.emulator.inputs](self.mixture, self.has_screen)
        self.mixture.float()
        self.inputs.float()

    def _check(self, ssp_sha256: str, index: Path, basis: Path) -> None:
        found, task = self.training_set.index, self.task
        if found.ssp_sha256 != ssp_sha256:
            raise InputError(
                f"{index}: made with the SSP table {found.ssp_sha256[:12]}, not with this one, "
                f"{ssp_sha256[:12]}; regenerate its chunks"
            )
        for name, (low, high) in zip(found.names, found.box, strict=True):
            box = task.parameters[name]
            if (low, high) != (box.low, box.high):
                raise InputError(
                    f"{index}: {name} was drawn in {low:g}-{high:g}, but parameters.{name} is "
                    f"{box.low:g}-{box.high:g}; regenerate its chunks"
                )
        if load_provenance(basis).inputs.get("training_set") != sha256(index):
            raise InputError(f"{basis}: of a training set other than {index}; regenerate it")
        wanted = (task.segment, task.emulator.target, task.emulator.n_components[task.segment])
        have = (self.table.segment, self.table.target, len(self.table.components))
        if have != wanted:
            raise InputError(
                f"{basis}: segment, target and number of components are {have}, expected "
                f"{wanted}; make it with `popsed spectra basis`"
            )

    def _features(self, inputs: Float[Tensor, "galaxy 10"]) -> Float[Tensor, "galaxy input"]:
        return self.inputs(name_columns(inputs.float()), self.mixture)

    @torch.no_grad()
    def _examples(self, parts: Iterator[tuple[Tensor, Tensor]], device: torch.device) -> Iterator:
        target = make_target(self.task.emulator.target, self.table.wave)
        for inputs, log_lnu in parts:
            features = self._features(inputs)
            yield Examples(features.to(device), target(inputs, log_lnu).to(device))

    def blocks(self, n: int, stream: torch.Generator, device: torch.device) -> Iterator[Examples]:
        """Yield at least ``n`` examples of random blocks; no block repeats before all were used."""
        n_spectra = self.training_set.index.n_spectra
        places = [
            (chunk, start)
            for chunk in self.training_set.chunks(False)
            for start in range(0, int(n_spectra[chunk]), ROWS)
        ]
        sizes = torch.tensor([min(ROWS, int(n_spectra[chunk]) - start) for chunk, start in places])
        seen = 0
        while seen < n:
            order = torch.randperm(len(places), generator=stream)
            n_blocks = int((sizes[order].cumsum(0) < n - seen).sum()) + 1
            chosen = sorted(places[index] for index in order[:n_blocks].tolist())
            for block in self._examples(self.training_set.blocks_at(chosen, self.pixels), device):
                seen += len(block.features)
                yield block

    def basis(self, n: int) -> tuple[Components, Float[Tensor, "galaxy input"]]:
        """Return the components of the basis, and the features of one chunk."""
        inputs = self.training_set.inputs(self.training_set.chunks(False)[0])[:N_BASIS]
        mean, components, variances = (
            torch.as_tensor(values)
            for values in (self.table.mean, self.table.components[:n], self.table.variances[:n])
        )
        return Components(mean, components, variances.sqrt()), self._features(inputs)

    def validation(self, device: torch.device) -> Examples:
        """Return the first spectra of the chunks that are for validation."""
        parts = self.training_set.blocks(True, self.pixels)
        return _together(self._examples(parts, device), N_VALIDATION)


def _together(blocks: Iterator[Examples], n: int) -> Examples:
    """Return the first ``n`` examples, or all where there are fewer."""
    parts, n_found = [], 0
    for block in blocks:
        parts.append(block)
        n_found += len(block.features)
        if n_found >= n:
            break
    features, log_lnu = zip(*parts, strict=True)
    return Examples(torch.cat(features)[:n], torch.cat(log_lnu)[:n])


def segment_edges(
    grid: SSPGrid, training: TrainingSetConfig, config: EmulatorConfig
) -> list[np.ndarray]:
    """Return the pixel edges of each segment, as ln(AA): one uniform grid, split at its pixels.

    Raises:
        InputError: a segment has fewer pixels than components.
    """
    low = max(training.wave_low, float(grid.ssp_wave[0]))
    high = min(training.wave_high, float(grid.ssp_wave[-1]))
    edges = log_edges(low, high, training.n_pixels)
    inner = np.searchsorted(edges, np.log(config.edges[1:-1]))
    cuts = [0, *inner.tolist(), training.n_pixels]
    parts = [edges[first : last + 1] for first, last in itertools.pairwise(cuts)]
    for index, (part, n) in enumerate(zip(parts, config.n_components, strict=True)):
        if len(part) - 1 < n:
            raise InputError(
                f"emulator.n_components: {n} in segment {index}, which has {len(part) - 1} pixels "
                f"between {low:.0f} and {high:.0f} AA; raise training_set.n_pixels"
            )
    return parts
