"""A trained segment of the emulator, as it lies on disk: plain types."""

from typing import Any, TypedDict

from torch import Tensor


class EmulatorSegment(TypedDict, total=False):
    """Networks for one range of wavelengths, and what they were trained for.

    Attributes:
        segment: its number, from 0 at the shortest wavelengths.
        seed: of the run.
        edges: of its pixels (pixel + 1) [ln AA].
        network: weights of the network and its tables, by name.
        emulator: settings of the training (JSON of ``EmulatorConfig``).
        training_set: settings of the spectra that it learnt from (JSON of ``TrainingSetConfig``).
        spectra: the stellar-population model (JSON of ``SpectraConfig``).
        parameters: the box in which it is valid (JSON).
        ssp_sha256: of the SSP table.
        chunks_sha256: of the index of the training set; empty for fresh spectra.
        source: ``real`` or ``toy``.
        history: metrics of every epoch, by name.
        provenance: fields of ``Provenance``.
    """

    segment: int
    seed: int
    edges: Tensor
    network: dict[str, Tensor]
    emulator: str
    training_set: str
    spectra: str
    parameters: str
    ssp_sha256: str
    chunks_sha256: str
    source: str
    history: dict[str, list[float]]
    provenance: dict[str, Any]
