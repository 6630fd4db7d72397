"""Measure the noise model from a catalogue's own errors.

The quantity (see ``noise_forms.py``) is measured in magnitude bins, at the observed magnitudes as
in the paper, or at the intrinsic ones (``noise_intrinsic.py``).

Beyond the measured magnitudes the quantity is linear in magnitude.  The paper's and the released
forms extrapolate their last two bins.  Ours follows photon counting, SNR = N / sqrt(N + n_pix sky)
(Merline & Howell 1995): log10 error falls with magnitude by 0.2 / mag where the source's own
photons dominate and not at all where the sky does.  Towards faint fluxes the slope of the last
magnitude is kept between these.  Towards bright ones systematics may dominate, errors in proportion
to the flux: at most 0.4 / mag.  Within the bins, too, SNR is not allowed to rise with magnitude.
Bins end where the catalogue's cuts let fewer than one typical galaxy in twenty pass.

The scatter of ours is half the central 68.3 %, which a few per cent of wrong errors hardly move;
that of the other forms is a trimmed standard deviation, as in the released code.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import ndtr

from popsed_core.config.noise import NoiseConfig
from popsed_core.errors import InputError
from popsed_core.photometry.noise import NoiseTable
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.photometry.robust import robust_width
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_intrinsic import IMPLAUSIBLE, MIN_PASSING, Law, intrinsic_law

RANGE_QUANTILES = (0.005, 0.995)  # of the magnitudes that the bins span (released code: same)
TRIM_QUANTILES = (0.01, 0.99)  # of the values in a bin that its scatter uses (released code)
TRIMMED = 0.934  # a normal's standard deviation between these quantiles, over the whole one
MIN_PER_BIN = 10  # galaxies; emptier bins are interpolated over
POGSON = 0.4  # dex of flux per magnitude
FAINTER = 0.4  # of the span of the observed magnitudes, that intrinsic ones may lie beyond it
END_SPAN = 1.0  # [mag] of bins at either end that set the slope beyond
# physical slopes of log10 error with magnitude [dex / mag]: (steepest, flattest)
BRIGHT_SLOPES = (-POGSON, 0.0)  # systematics (constant SNR) to sky
FAINT_SLOPES = (-POGSON / 2, 0.0)  # the source's photons to sky


class Recipe(NamedTuple):
    """How the noise of a form is measured.

    Attributes:
        spread: scatter of the values of the quantity in a bin.
        spread_of_normal: what ``spread`` gives for a standard normal.
        shape: magnitude of bins, medians, numbers of galaxies: the medians to use, and the slopes
            beyond the first and the last.
    """

    spread: Callable[[np.ndarray], float]
    spread_of_normal: float
    shape: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def fit_noise(catalogue: Catalogue, config: NoiseConfig) -> NoiseTable:
    """Measure the noise model from the catalogue's own errors.

    Args:
        catalogue: magnitudes and errors.
        config: the form, and the number of magnitude bins.

    Raises:
        InputError: a band has too few galaxies to measure its noise.
    """
    quantity = FORMS[config.form].measure(catalogue.maggies, catalogue.mag_error)
    measure = MEASURES[config.flux]
    rows = []
    for band, name in enumerate(catalogue.bands):
        edges, law = measure(catalogue, band, quantity[:, band], config)
        rows.append(_fit_band(name, edges, law, config, len(quantity)))
    mag, median, scatter, mag_range = (np.stack(column) for column in zip(*rows, strict=True))
    is_cut = config.truncation == "cuts"
    return NoiseTable(
        mag, median, scatter, mag_range, catalogue.bands, config.form, catalogue.source,
        min_snr=catalogue.min_snr if is_cut else 0.0,
        max_mag=catalogue.max_mag if is_cut else (),
    )  # fmt: skip


def _observed(
    catalogue: Catalogue, band: int, quantity: np.ndarray, config: NoiseConfig
) -> tuple[np.ndarray, Law]:
    """Return edges and contents of the bins of observed magnitudes."""
    mag, n_bins = catalogue.mag[:, band], config.n_bins
    low, high = np.quantile(mag, RANGE_QUANTILES)
    edges = np.linspace(low, high, n_bins + 1)
    which = np.digitize(mag, edges) - 1
    counts = np.bincount(which[(mag >= low) & (mag < high)], minlength=n_bins)
    members = [quantity[which == index] for index in range(n_bins)]
    spread = RECIPES[config.form].spread
    rows = [(np.median(x), spread(x)) if len(x) else (np.nan, np.nan) for x in members]
    median, scatter = np.array(rows).T
    return edges, Law(counts.astype(float), median, scatter)


def _intrinsic(
    catalogue: Catalogue, band: int, quantity: np.ndarray, config: NoiseConfig
) -> tuple[np.ndarray, Law]:
    """Return edges and contents of the bins of intrinsic magnitudes."""
    low, high = np.quantile(catalogue.mag[:, band], RANGE_QUANTILES)
    n_bins = config.n_bins
    step = (high - low) / n_bins
    edges = low + step * np.arange(n_bins + 1 + round(FAINTER * n_bins))
    flux, error = catalogue.maggies[:, band], 10**quantity
    bound = np.full(len(flux), catalogue.min_snr)
    if catalogue.max_mag:
        bound = np.maximum(bound, 10 ** (-POGSON * catalogue.max_mag[band]) / error)
    law = intrinsic_law(flux, error, bound, edges)
    least = 10 ** (-POGSON * catalogue.max_mag[band]) if catalogue.max_mag else 0.0
    return edges, law._replace(counts=law.counts * _is_seen(edges, law, catalogue.min_snr, least))


def _is_seen(edges: np.ndarray, law: Law, min_snr: float, least: float) -> np.ndarray:
    """Return the bins in which typical galaxies pass the cuts often enough to be measured.

    Beyond a limit at which SNR is high only galaxies with the largest errors are left, and would
    be taken for typical: errors are not allowed to rise with magnitude, as the sky's do not.
    """
    error = 10 ** np.fmin.accumulate(law.median)
    snr = 10 ** (-POGSON * (edges[1:] + edges[:-1]) / 2) / error
    is_seen = ndtr(snr - np.maximum(min_snr, least / error)) > MIN_PASSING
    return np.logical_and.accumulate(is_seen | np.isnan(error))


def _fit_band(
    name: str, edges: np.ndarray, law: Law, config: NoiseConfig, n_galaxies: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    filled = _filled(law.counts, config.n_bins)
    if len(filled) < 2:
        raise InputError(
            f"noise of band {name}: fewer than 2 of {config.n_bins} magnitude bins hold "
            f"{MIN_PER_BIN} galaxies ({n_galaxies} in all); lower noise.n_bins or loosen the cuts"
        )
    step = (edges[-1] - edges[0]) / (len(edges) - 1)
    nodes = edges[0] + step * (np.arange(-1, len(edges)) + 0.5)
    at, median, counts = nodes[filled + 1], law.median[filled], law.counts[filled]
    median, slopes = RECIPES[config.form].shape(at, median, counts)
    scatter = np.interp(nodes, at, law.scatter[filled])
    return nodes, _extended(nodes, at, median, slopes), scatter, edges[filled[[0, -1]] + [0, 1]]


def _filled(counts: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the bins with enough galaxies; beyond the ``n_bins`` observed ones without a gap."""
    is_filled = counts >= MIN_PER_BIN
    is_filled[n_bins:] = np.logical_and.accumulate(is_filled[n_bins - 1 :])[1:]
    return np.flatnonzero(is_filled)


def _photon_counting(
    mag: np.ndarray, log_error: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    held = _never_gaining(mag, log_error, counts)
    return held, _physical_slopes(mag, held, counts)


def _straight(
    mag: np.ndarray, median: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return median, np.diff(median)[[0, -1]] / np.diff(mag)[[0, -1]]


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


def _plausible_width(log_error: np.ndarray) -> float:
    return robust_width(log_error[np.abs(log_error - np.median(log_error)) < IMPLAUSIBLE])


def _trimmed_std(values: np.ndarray) -> float:
    low, high = np.quantile(values, TRIM_QUANTILES)
    return float(values[(values >= low) & (values <= high)].std())


MEASURES = {"intrinsic": _intrinsic, "observed": _observed}
RELEASED = Recipe(_trimmed_std, TRIMMED, _straight)
RECIPES = {
    "error_given_flux": Recipe(_plausible_width, 1.0, _photon_counting),
    "snr_given_flux": RELEASED,
    "log_snr_given_flux": RELEASED,
}
