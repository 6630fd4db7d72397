"""The noise model: how uncertain a flux is, and noisy fluxes that are never negative.

Per band, a Gaussian quantity given the magnitude, measured in magnitude bins of the catalogue:
log10 flux error (ours), SNR (the paper's section 2.2) or log10 SNR (the released code).  The
paper redraws noise until the flux is positive; that is a truncated normal, drawn here in one go:
flux + sigma x with x = -ndtri(V ndtr(flux / sigma)), V uniform in (0, 1).

Beyond the measured magnitudes the quantity is linear in magnitude.  The paper's and the released
forms go on along their last two bins.  Ours follows photon counting, SNR = N / sqrt(N + n_pix sky)
(Merline & Howell 1995): log10 error falls with magnitude by 0.2 / mag where the source's own
photons rule and not at all where the sky does.  Towards faint fluxes the slope of the last
magnitude is held between these.  Towards bright ones systematics may rule, errors in proportion
to the flux: at most 0.4 / mag.  Within the bins too SNR is held from rising with magnitude.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import isotonic_regression
from torch import Tensor, nn

from popsed_core.artefacts import array, check_axes
from popsed_core.config import NoiseConfig
from popsed_core.constants import MAG_PER_LN
from popsed_core.errors import InputError
from popsed_core.photometry.catalogue import Catalogue

RANGE_QUANTILES = (0.005, 0.995)  # of the magnitudes that the bins span (released code: same)
TRIM_QUANTILES = (0.01, 0.99)  # of the values in a bin that its scatter uses (released code)
MIN_PER_BIN = 10  # galaxies; emptier bins are interpolated over
POGSON = 0.4  # dex of flux per magnitude
END_SPAN = 1.0  # [mag] of bins at either end that set the slope beyond
# physical slopes of log10 error with magnitude [dex / mag]: (steepest, flattest)
BRIGHT_SLOPES = (-POGSON, 0.0)  # systematics (constant SNR) to sky
FAINT_SLOPES = (-POGSON / 2, 0.0)  # the source's photons to sky
MIN_SNR = 0.05  # ASSUME: a Gaussian SNR (paper's form) below this is held there
MIN_MAGGIES = 1e-15  # flux floor before the logarithm (37.5 mag; released code: same)
UNIFORM_EDGE = 2.0**-24  # keeps a float32 uniform inside (0, 1)


@dataclass(frozen=True)
class NoiseTable:
    """Median and scatter of the noise quantity on a uniform magnitude grid per band.

    Attributes:
        mag: node magnitudes, uniform steps; one more at either end than bins, so that the line
            through the two last nodes is the extrapolation [mag].
        median: of the quantity at each node; unit by form.
        scatter: standard deviation of the quantity at each node.
        mag_range: edges of the bins with galaxies enough (band, 2); beyond is extrapolation.
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
        _fit_band(name, catalogue.mag[:, band], quantity[:, band], config)
        for band, name in enumerate(catalogue.bands)
    ]
    mag, median, scatter, mag_range = (np.stack(column) for column in zip(*rows, strict=True))
    return NoiseTable(
        mag, median, scatter, mag_range, catalogue.bands, config.form, catalogue.source
    )


def _fit_band(
    name: str, mag: np.ndarray, quantity: np.ndarray, config: NoiseConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    low, high = np.quantile(mag, RANGE_QUANTILES)
    edges, step = np.linspace(low, high, config.n_bins + 1, retstep=True)
    which = np.digitize(mag, edges) - 1
    counts = np.bincount(which[(mag >= low) & (mag < high)], minlength=config.n_bins)
    filled = np.flatnonzero(counts >= MIN_PER_BIN)
    if len(filled) < 2:
        raise InputError(
            f"noise of band {name}: fewer than 2 of {config.n_bins} magnitude bins hold "
            f"{MIN_PER_BIN} galaxies ({len(mag)} in all); lower noise.n_bins or loosen the cuts"
        )
    nodes = low + step * (np.arange(-1, config.n_bins + 1) + 0.5)
    at, members = nodes[filled + 1], [quantity[which == index] for index in filled]
    median = np.array([np.median(values) for values in members])
    if config.form == "error_given_flux":
        median = _never_gaining(at, median, counts[filled])
        slopes = _physical_slopes(at, median, counts[filled])
    else:
        slopes = np.diff(median)[[0, -1]] / np.diff(at)[[0, -1]]
    scatter = np.interp(nodes, at, [_trimmed_std(values) for values in members])
    return nodes, _extended(nodes, at, median, slopes), scatter, edges[filled[[0, -1]] + [0, 1]]


def _never_gaining(mag: np.ndarray, log_error: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the closest log10 errors at which SNR does not rise with magnitude."""
    log_flux = -POGSON * mag
    log_snr = isotonic_regression(log_flux - log_error, weights=counts, increasing=False).x
    return log_flux - log_snr


def _physical_slopes(mag: np.ndarray, log_error: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the slopes beyond the bright and the faint end [dex / mag]; see the module."""
    near = [mag <= max(mag[0] + END_SPAN, mag[1]), mag >= min(mag[-1] - END_SPAN, mag[-2])]
    bounds = (BRIGHT_SLOPES, FAINT_SLOPES)
    fits = [np.polyfit(mag[k], log_error[k], 1, w=np.sqrt(counts[k]))[0] for k in near]
    return np.array([np.clip(slope, *ends) for slope, ends in zip(fits, bounds, strict=True)])


def _extended(
    nodes: np.ndarray, mag: np.ndarray, median: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
    """Return the medians at all nodes: linear between bins, along the slopes beyond them."""
    before, after = np.minimum(nodes - mag[0], 0), np.maximum(nodes - mag[-1], 0)
    return np.interp(nodes, mag, median) + slopes[0] * before + slopes[1] * after


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

        Beyond the tables, the line through the last two nodes; the scatter is held at its ends.
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
        """Return noisy fluxes, positive [maggies]; arguments as for :meth:`observe`."""
        return self.observe(maggies, generator, reduction)[0]

    def observe(
        self, maggies: Float[Tensor, "galaxy band"], generator: torch.Generator, reduction: float
    ) -> tuple[Float[Tensor, "galaxy band"], Float[Tensor, "galaxy band"]]:
        """Return noisy fluxes, positive, and the errors that they were drawn with [maggies].

        Args:
            maggies: noiseless fluxes.
            generator: a CPU stream.
            reduction: the factor R by which noise is reduced (annealing); 1 is the full noise.
        """
        shape = tuple(maggies.shape)
        draw = torch.randn(shape, generator=generator).to(maggies)
        uniform = torch.rand(shape, generator=generator).to(maggies)
        sigma = self.sigma(maggies, draw) / reduction
        noisy = maggies + sigma * positive_normal(maggies / sigma, uniform)
        return noisy.clamp(min=MIN_MAGGIES), sigma


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
