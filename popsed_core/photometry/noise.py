"""The noise model: how uncertain a flux is, and noisy fluxes that are never negative.

Per band, a Gaussian quantity given the magnitude, measured in magnitude bins of the catalogue:
log10 flux error (ours), SNR (the paper's section 2.2) or log10 SNR (the released code).  The
paper redraws noise until the flux is positive; that is a truncated normal, drawn here in one go:
flux + sigma x with x = -ndtri(V ndtr(flux / sigma)), V uniform in (0, 1).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.artefacts import array, check_axes
from popsed_core.config import NoiseConfig
from popsed_core.constants import MAG_PER_LN
from popsed_core.errors import InputError
from popsed_core.photometry.catalogue import Catalogue

RANGE_QUANTILES = (0.005, 0.995)  # of the magnitudes that the bins span (released code: same)
TRIM_QUANTILES = (0.01, 0.99)  # of the values in a bin that its scatter uses (released code)
MIN_PER_BIN = 10  # galaxies; emptier bins are interpolated over
MIN_SNR = 0.05  # ASSUME: a Gaussian SNR (paper's form) below this is held there
MIN_MAGGIES = 1e-15  # flux floor before the logarithm (37.5 mag; released code: same)
UNIFORM_EDGE = 2.0**-24  # keeps a float32 uniform inside (0, 1)


@dataclass(frozen=True)
class NoiseTable:
    """Median and scatter of the noise quantity on a uniform magnitude grid per band.

    Attributes:
        mag: node magnitudes, uniform steps [mag].
        median: of the quantity at each node; unit by form.
        scatter: standard deviation of the quantity at each node.
        mag_range: brightest and faintest magnitude measured (band, 2); beyond is extrapolation.
        bands: band names.
        form: ``error_given_flux`` (log10 maggies), ``snr_given_flux`` (SNR) or
            ``log_snr_given_flux`` (dex).
        source: ``real``, ``mock`` or ``toy``.
    """

    mag: np.ndarray = array("mag(AB)", "band", "node")
    median: np.ndarray = array("by form", "band", "node")
    scatter: np.ndarray = array("by form", "band", "node")
    mag_range: np.ndarray = array("mag(AB)", "band", "end")
    bands: tuple[str, ...] = ()
    form: str = ""
    source: str = "real"

    def __post_init__(self) -> None:
        check_axes(self)


def noise_quantity(form: str, maggies: np.ndarray, mag_error: np.ndarray) -> np.ndarray:
    """Return the Gaussian quantity of a form for each galaxy and band."""
    snr = MAG_PER_LN / mag_error
    if form == "error_given_flux":
        return np.log10(maggies / snr)
    return snr if form == "snr_given_flux" else np.log10(snr)


def fit_noise(catalogue: Catalogue, config: NoiseConfig) -> NoiseTable:
    """Measure the noise model from the catalogue's own errors.

    Args:
        catalogue: magnitudes and errors.
        config: the form, and the number of magnitude bins.

    Raises:
        InputError: a band has too few galaxies to measure its noise.
    """
    quantity = noise_quantity(config.form, catalogue.maggies, catalogue.mag_error)
    rows = [
        _fit_band(name, catalogue.mag[:, band], quantity[:, band], config.n_bins)
        for band, name in enumerate(catalogue.bands)
    ]
    mag, median, scatter, mag_range = (np.stack(column) for column in zip(*rows, strict=True))
    return NoiseTable(
        mag, median, scatter, mag_range, catalogue.bands, config.form, catalogue.source
    )


def _fit_band(
    name: str, mag: np.ndarray, quantity: np.ndarray, n_bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    low, high = np.quantile(mag, RANGE_QUANTILES)
    edges = np.linspace(low, high, n_bins + 1)
    centres = 0.5 * (edges[1:] + edges[:-1])
    which = np.digitize(mag, edges) - 1
    members = [quantity[which == index] for index in range(n_bins)]
    is_filled = np.array([len(values) >= MIN_PER_BIN for values in members])
    if is_filled.sum() < 2:
        raise InputError(
            f"noise of band {name}: fewer than 2 of {n_bins} magnitude bins hold {MIN_PER_BIN} "
            f"galaxies ({len(mag)} in all); lower noise.n_bins or loosen the cuts"
        )
    filled = [values for values in members if len(values) >= MIN_PER_BIN]
    median = np.interp(centres, centres[is_filled], [np.median(v) for v in filled])
    scatter = np.interp(centres, centres[is_filled], [_trimmed_std(v) for v in filled])
    return centres, median, scatter, np.array([low, high])


def _trimmed_std(values: np.ndarray) -> float:
    low, high = np.quantile(values, TRIM_QUANTILES)
    return float(values[(values >= low) & (values <= high)].std())


class NoiseModel(nn.Module):
    """Adds noise to fluxes; differentiable in the flux."""

    def __init__(self, table: NoiseTable) -> None:
        super().__init__()
        self.form = table.form
        tables = {
            "first": table.mag[:, 0],
            "step": table.mag[:, 1] - table.mag[:, 0],
            "median": table.median,
            "scatter": table.scatter,
        }
        for name, values in tables.items():
            self.register_buffer(name, torch.as_tensor(values), persistent=False)

    def sigma(
        self, maggies: Float[Tensor, "galaxy band"], draw: Float[Tensor, "galaxy band"]
    ) -> Float[Tensor, "galaxy band"]:
        """Return the flux error [maggies]: median where ``draw`` is 0, 1 sigma up where it is 1.

        The tables are extrapolated linearly in magnitude; the scatter is held at its ends.
        """
        mag = -2.5 * torch.log10(maggies.clamp(min=MIN_MAGGIES))
        position = (mag - self.first) / self.step
        n_nodes = self.median.shape[1]
        cell = position.detach().floor().long().clamp(0, n_nodes - 2)
        share = position - cell
        value = _between(self.median, cell, share)
        value = value + draw * _between(self.scatter, cell, share.clamp(0, 1))
        if self.form == "error_given_flux":
            return 10**value
        snr = value.clamp(min=MIN_SNR) if self.form == "snr_given_flux" else 10**value
        return maggies / snr

    def forward(
        self, maggies: Float[Tensor, "galaxy band"], generator: torch.Generator, reduction: float
    ) -> Float[Tensor, "galaxy band"]:
        """Return noisy fluxes, positive [maggies].

        Args:
            maggies: noiseless fluxes.
            generator: a CPU stream.
            reduction: the factor R by which noise is reduced (annealing); 1 is the full noise.
        """
        shape = tuple(maggies.shape)
        draw = torch.randn(shape, generator=generator).to(maggies)
        uniform = torch.rand(shape, generator=generator).to(maggies)
        sigma = self.sigma(maggies, draw) / reduction
        return (maggies + sigma * positive_normal(maggies / sigma, uniform)).clamp(min=MIN_MAGGIES)


def positive_normal(
    snr: Float[Tensor, "galaxy band"], uniform: Float[Tensor, "galaxy band"]
) -> Float[Tensor, "galaxy band"]:
    """Return x ~ N(0, 1) conditioned on x > -snr, as a smooth map of a uniform draw."""
    upper = uniform.clamp(UNIFORM_EDGE, 1 - UNIFORM_EDGE) * torch.special.ndtr(snr)
    return -torch.special.ndtri(upper.clamp(max=1 - UNIFORM_EDGE))


def _between(table: Tensor, cell: Tensor, share: Tensor) -> Tensor:
    band = torch.arange(table.shape[0], device=table.device)
    low, high = table[band, cell], table[band, cell + 1]
    return low + share * (high - low)
