"""The sections `training_set` and `emulator`."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, Count, Positive
from popsed_core.config.schedules import LearningRate


@dataclass(frozen=True, config=STRICT)
class TrainingSetConfig:
    """Restframe spectra to train an emulator on, drawn from the parameters' boxes."""

    method: Annotated[
        Literal["table", "fsps"],
        Field(description="exact sum over the SSP table, or python-fsps galaxy by galaxy"),
    ] = "table"
    draws: Annotated[
        Literal["uniform", "coordinates", "both"],
        Field(description="in the boxes (the paper), in the flow's coordinates, or half of each"),
    ] = "both"
    n_chunks: Annotated[Count, Field(description="to train on; more may be added later")] = 30
    n_validation_chunks: Annotated[Count, Field(description="never trained on")] = 1
    chunk_size: Annotated[Count, Field(description="spectra per chunk")] = 100_000
    grid: Annotated[
        Literal["log", "ssp"],
        Field(description="means over ln-wavelength pixels, or the SSP table's own wavelengths"),
    ] = "log"
    n_pixels: Annotated[int, Field(ge=50, description="of the grid `log`")] = 2000
    wave_low: Annotated[Positive, Field(description="[AA] rest frame")] = 1000.0
    wave_high: Annotated[
        Positive, Field(description="[AA] rest frame; cut to what the SSP table has")
    ] = 60000.0

    def __post_init__(self) -> None:
        if not self.wave_low < self.wave_high:
            raise ValueError(f"wave_low {self.wave_low} is not below wave_high {self.wave_high}")


@dataclass(frozen=True, config=STRICT)
class EmulatorConfig:
    """Networks that predict the principal components of each wavelength segment (appendix A)."""

    source: Annotated[
        Literal["fresh", "chunks"],
        Field(description="training spectra: fresh ones for every step, or those of training_set"),
    ] = "fresh"
    edges: Annotated[
        tuple[Positive, ...], Field(min_length=2, description="[AA] of the segments, increasing")
    ] = (1000.0, 2000.0, 3600.0, 5500.0, 7410.0, 60000.0)
    n_components: Annotated[
        tuple[Count, ...], Field(min_length=1, description="principal components per segment")
    ] = (80, 50, 50, 50, 50)
    n_hidden: Annotated[Count, Field(description="units per hidden layer")] = 256
    n_layers: Annotated[Count, Field(description="linear layers, the last one included")] = 5
    inputs: Annotated[
        Literal["physical", "literal"],
        Field(description="age, log t_burst, fractions and dust as they affect light; or theta"),
    ] = "physical"
    target: Annotated[
        Literal["behind_screen", "full"],
        Field(description="the light before the diffuse screen, which is then exact; or after it"),
    ] = "behind_screen"
    loss: Annotated[
        Literal["weighted", "unweighted"],
        Field(description="components weighted by their variance, or equally (the paper)"),
    ] = "weighted"
    n_epochs: Count = 12
    n_steps: Annotated[Count, Field(description="optimiser steps per epoch")] = 500
    batch_size: Annotated[Count, Field(description="spectra per step")] = 1000
    learning_rate: LearningRate = dataclasses.field(default_factory=LearningRate)
    patience: Annotated[
        Count, Field(description="epochs without a better validation loss before it stops")
    ] = 20

    def __post_init__(self) -> None:
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"edges: expected increasing wavelengths, got {list(self.edges)}")
        if len(self.n_components) != self.n_segments:
            raise ValueError(
                f"n_components: got {len(self.n_components)}, but edges make "
                f"{self.n_segments} segments"
            )

    @property
    def n_segments(self) -> int:
        """The number of wavelength segments."""
        return len(self.edges) - 1


def _check_segments(training: TrainingSetConfig, emulator: EmulatorConfig) -> None:
    if emulator.source == "chunks" and training.grid != "log":
        raise ValueError(
            f"emulator.source: chunks of training_set.grid {training.grid} hold values at single "
            "wavelengths, but photometry takes means over pixels; set training_set.grid to log, "
            "or the source to fresh"
        )
    low, high = emulator.edges[0], emulator.edges[-1]
    if not low <= training.wave_low < training.wave_high <= high:
        raise ValueError(
            f"emulator.edges: {low:g}-{high:g} AA do not enclose training_set.wave_low-wave_high, "
            f"{training.wave_low:g}-{training.wave_high:g} AA"
        )
    n_spectra = training.n_chunks * training.chunk_size
    if n_spectra <= max(emulator.n_components):
        raise ValueError(
            f"training_set: {n_spectra} spectra are too few for emulator.n_components, "
            f"{max(emulator.n_components)}"
        )
