"""Principal components of one wavelength segment of the training set, in one exact pass.

Mean and covariance of the log spectra are summed in double precision over all chunks; the
components are the eigenvectors of the covariance.  Unlike incremental approximations, the result
does not depend on the order or the size of the blocks.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.emulator import EmulatorConfig
from popsed_core.emulator.target import make_target, relative_error
from popsed_core.emulator.training_index import TrainingSet
from popsed_core.errors import InputError
from popsed_core.files.artefacts import array, check_axes

log = logging.getLogger(__name__)

SMALLEST_VARIANCE = 1e-14  # [dex^2] of a component, so that it can be a unit
N_JUDGED = 20_000  # validation spectra on which the reconstruction is tested


@dataclass(frozen=True)
class SpectrumBasis:
    """Mean and components of the log spectra in a wavelength segment.

    Attributes:
        wave: of the segment's pixels [AA].
        mean: of the target, log10 L_nu.
        std: of the target at each pixel.
        components: orthonormal, largest variance first.
        variances: of each component over the training set.
        error_68: 68 % of the validation spectra are reconstructed better than this fraction.
        error_95: the same for 95 %.
        first_pixel: of the segment, in the pixels of the training set.
        segment: its number, from 0.
        target: ``behind_screen`` or ``full``.
        n_spectra: in the training set.
        source: ``real`` or ``toy``.
    """

    wave: np.ndarray = array("Angstrom", "pixel")
    mean: np.ndarray = array("dex(Lsun / (Hz Msun))", "pixel")
    std: np.ndarray = array("dex(Lsun / (Hz Msun))", "pixel")
    components: np.ndarray = array("", "component", "pixel")
    variances: np.ndarray = array("dex2", "component")
    error_68: np.ndarray = array("", "pixel")
    error_95: np.ndarray = array("", "pixel")
    first_pixel: int = 0
    segment: int = 0
    target: str = "behind_screen"
    n_spectra: int = 0
    source: str = "real"

    def __post_init__(self) -> None:
        check_axes(self)


class Projection(nn.Module):
    """From log spectra to coefficients and back."""

    def __init__(self, mean: np.ndarray, components: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean), persistent=False)
        self.register_buffer("components", torch.as_tensor(components.copy()), persistent=False)

    def project(
        self, log_lnu: Float[Tensor, "spectrum pixel"]
    ) -> Float[Tensor, "spectrum component"]:
        """Return the coefficients of log spectra [dex]."""
        return (log_lnu - self.mean) @ self.components.T

    def reconstruct(
        self, coefficients: Float[Tensor, "spectrum component"]
    ) -> Float[Tensor, "spectrum pixel"]:
        """Return the log spectra of coefficients [dex(Lsun / Hz / Msun)]."""
        return coefficients @ self.components + self.mean


class Moments:
    """Running mean and covariance in double precision, about the mean of the first block."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, values: Float[Tensor, "spectrum pixel"]) -> None:
        """Add a block."""
        values = values.double()
        if self.n == 0:
            self.origin = values.mean(0)
            self.sum = torch.zeros_like(self.origin)
            self.cross = torch.zeros(len(self.sum), len(self.sum), dtype=torch.float64)
        values = values - self.origin
        self.n += len(values)
        self.sum += values.sum(0)
        self.cross.addmm_(values.T, values)

    def result(self) -> tuple[Float[Tensor, "pixel"], Float[Tensor, "pixel pixel"]]:
        """Return mean and covariance."""
        shift = self.sum / self.n
        return self.origin + shift, self.cross / self.n - torch.outer(shift, shift)


def fit_basis(training_set: TrainingSet, segment: int, config: EmulatorConfig) -> SpectrumBasis:
    """Compute the principal components of a segment and test them on the validation chunks.

    Args:
        training_set: the spectra.
        segment: its number, from 0.
        config: edges, number of components, target.

    Raises:
        InputError: there is no such segment, a chunk cannot be read, or the segment has fewer
            pixels or spectra than components.
    """
    if not 0 <= segment < config.n_segments:
        raise InputError(f"segment: got {segment}, but emulator.edges make {config.n_segments}")
    pixels = training_set.pixels(*config.edges[segment : segment + 2])
    n_components = config.n_components[segment]
    wave = training_set.index.wave[pixels]
    _check_size(training_set, segment, len(wave), n_components)
    target, moments = make_target(config.target, wave), Moments()
    for block in training_set.blocks(False, pixels):
        moments.add(target(*block))
    mean, covariance = moments.result()
    components, variances = leading_components(covariance, n_components)
    basis = Projection(mean.numpy(), components.numpy())
    error_68, error_95 = _errors(training_set, pixels, config.target, basis)
    log.info("1 sigma error of the reconstruction: at most %.3g", error_68.max())
    return SpectrumBasis(
        wave=wave,
        mean=mean.numpy(),
        std=covariance.diagonal().sqrt().numpy(),
        components=components.numpy(),
        variances=variances.numpy(),
        error_68=error_68,
        error_95=error_95,
        first_pixel=pixels.start,
        segment=segment,
        target=config.target,
        n_spectra=moments.n,
    )


def _check_size(training_set: TrainingSet, segment: int, n_pixels: int, n_components: int) -> None:
    n_spectra = int(training_set.index.n_spectra[~training_set.index.is_validation].sum())
    if n_components > min(n_pixels, n_spectra):
        raise InputError(
            f"emulator.n_components: segment {segment} has {n_pixels} pixels and {n_spectra} "
            f"spectra, too few for {n_components} components; lower them, or raise "
            "training_set.n_pixels or chunk_size"
        )


def leading_components(
    covariance: Float[Tensor, "pixel pixel"], n: int
) -> tuple[Float[Tensor, "component pixel"], Float[Tensor, "component"]]:
    """Return orthonormal components, the largest variance first, and the variance along each."""
    values, vectors = torch.linalg.eigh(covariance)
    variances = values.flip(0)[:n].clamp(min=SMALLEST_VARIANCE)
    return _signed(vectors.flip(1)[:, :n].T), variances


def _signed(components: Float[Tensor, "component pixel"]) -> Float[Tensor, "component pixel"]:
    """Return the components with a positive largest element: eigenvectors have no sign."""
    largest = components.abs().argmax(1, keepdim=True)
    return components * components.gather(1, largest).sign()


def _errors(
    training_set: TrainingSet, pixels: slice, kind: str, basis: Projection
) -> tuple[np.ndarray, np.ndarray]:
    target, found, n_found = make_target(kind, training_set.index.wave[pixels]), [], 0
    for block in training_set.blocks(True, pixels):
        truth = target(*block).double()
        found.append(relative_error(basis.reconstruct(basis.project(truth)), truth).float())
        n_found += len(truth)
        if n_found >= N_JUDGED:
            break
    error_68, error_95 = np.quantile(torch.cat(found).numpy(), [0.68, 0.95], axis=0)
    return error_68.astype(float), error_95.astype(float)
