"""The settings and the data of a fit."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from popsed_core.config.base import to_json
from popsed_core.config.fit import FitConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.emulator import fingerprint_of
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.model_errors import smooth_covariance
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.synthetic import build_photometry
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue


@dataclass(frozen=True)
class FitTask:
    """Everything that identifies a fit, except its input files.

    Attributes:
        survey: name of the survey; with member and seed it names the random streams.
        member: index within the ensemble.
        seed: the run's seed.
        fit: training settings.
        spectra: stellar-population model.
        parameters: box, coordinate and prior of each parameter.
        device: ``auto``, ``cpu`` or ``cuda``; not part of the identity.
    """

    survey: str
    member: int
    seed: int
    fit: FitConfig
    spectra: SpectraConfig
    parameters: dict[str, ParameterConfig]
    device: str = "cpu"

    @property
    def pair(self) -> tuple[int, float]:
        """The member whose draws of calibration and prior this one shares, and their sign.

        Members 2k - 1 and 2k have opposite draws (antithetic variates, Hammersley & Morton 1956):
        over an even number of members their mean is the prior's own, not that of a few draws.
        """
        return self.member - (self.member - 1) % 2, 1.0 if self.member % 2 else -1.0


@dataclass(frozen=True)
class FitInputs:
    """The input files of a fit; the emulator if ``spectra.engine`` requires it."""

    grid: SSPGrid
    catalogue: Catalogue
    noise: NoiseTable
    emulator: Sequence[EmulatorSegment] | None = None


def build_forward(
    task: FitTask, survey: FitInputs, device: torch.device, dtype: torch.dtype = torch.float32
) -> ForwardModel:
    """Build the forward model of a survey over the redshift range of the parameters.

    Raises:
        InputError: a filter is unknown or not covered by the spectra, or there is no emulator.
    """
    redshift = task.parameters["redshift"]
    photometry = build_photometry(
        survey.grid, survey.catalogue.filters, task.spectra, (redshift.low, redshift.high),
        survey.emulator,
    )  # fmt: skip
    waves = [load_filter(name).effective_wave for name in survey.catalogue.filters]
    fit = task.fit
    shared = smooth_covariance(waves, fit.colour_error, fit.colour_error_length)
    model = ForwardModel(
        photometry, NoiseModel(survey.noise), fit.model_error, torch.from_numpy(shared)
    )
    return model.to(device=device, dtype=dtype)


def fingerprint(tasks: Sequence[FitTask], survey: FitInputs) -> str:
    """Return a hash of everything a checkpoint depends on: settings and data, not the device."""
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(to_json(replace(task, device="")).encode())
    for artefact in (survey.grid, survey.catalogue, survey.noise):
        for item in fields(artefact):
            value = getattr(artefact, item.name)
            digest.update(item.name.encode())
            digest.update(_bytes(value) if isinstance(value, np.ndarray) else repr(value).encode())
    digest.update(fingerprint_of(survey.emulator or ()).encode())
    return digest.hexdigest()[:16]


def _bytes(values: np.ndarray) -> np.ndarray:
    """Return a view of the bytes: a map of a file is read, not copied."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)
