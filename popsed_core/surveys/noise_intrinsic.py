"""Flux errors as a function of the noiseless flux, by a short deconvolution.

At SNR of one or two the observed flux says little about the true one, and a cut in SNR keeps the
galaxies whose flux scattered up and whose error came out small.  Binned by observed magnitude,
errors then look too small at the faint end.  Here the bins are of the true magnitude.  With
f_i, sigma_i the observed flux and error of galaxy i, and s_i = log10 sigma_i, expectation and
maximisation alternate (Dempster, Laird & Rubin 1977; as a deconvolution, Richardson 1972):

    p_ib  ~  n_b  N(s_i; mu_b, tau)  int_b N(f_i; f, sigma_i) df / width_b
    w_ib  =  p_ib / Phi(f_b / sigma_i - bound_i),        n_b = sum_i w_ib

and mu_b is the median of s weighted by w: the division by the probability of passing the cuts
restores the galaxies that did not.  Where SNR is high, this is plain binning.  tau is the scatter
in bins of the observed magnitude, the typical one: each bin's own would shrink from step to step,
as galaxies move to where their errors fit best.  Errors that are off by ``IMPLAUSIBLE`` in every
bin belong to none.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from popsed_core.photometry.robust import ONE_SIGMA

N_ITERATIONS = 20  # few enough that the counts stay smooth
MAX_GALAXIES = 50_000  # of which a catalogue's errors are measured; bounds time and memory
MIN_PASSING = 0.05  # floor of the probability of passing the cuts in a galaxy's weight
# [dex] ASSUME: an error ten times larger or smaller than others at its magnitude is wrong
IMPLAUSIBLE = 1.0
MIN_SCATTER = 0.01  # [dex] so that no galaxy has zero probability
TINY = 1e-300
NEGLIGIBLE = 1e-6  # of the largest weight

Galaxies = Float[np.ndarray, "galaxy"]
Bins = Float[np.ndarray, "bin"]
Edges = Float[np.ndarray, "edge"]
Weights = Float[np.ndarray, "galaxy bin"]
Shares = Weights | Bool[np.ndarray, "galaxy bin"]


class Law(NamedTuple):
    """Errors in a magnitude bin.

    Attributes:
        counts: galaxies of the catalogue in the bin; fractions where the flux is uncertain.
        median: of log10 error [dex maggies]; NaN in an empty bin.
        scatter: of log10 error, half its central 68.3 % [dex]; NaN in an empty bin.
    """

    counts: Bins
    median: Bins
    scatter: Bins


def intrinsic_law(flux: Galaxies, error: Galaxies, bound: Galaxies, edges: Edges) -> Law:
    """Return the distribution of the errors in bins of the true magnitude.

    Args:
        flux: observed, positive [maggies].
        error: its error [maggies].
        bound: the least flux over error with which each galaxy would have passed the cuts.
        edges: of the bins, increasing; brighter and fainter galaxies have separate bins [mag].
    """
    step = -(-len(flux) // MAX_GALAXIES)
    flux, error, bound = flux[::step], error[::step], bound[::step]
    high, low = _flux_edges(flux, edges)
    log_error = np.log10(error)
    passing = ndtr(((high + low) / 2) / error[:, None] - bound[:, None]).clip(MIN_PASSING)
    kernel = _kernel(flux, error, high, low)
    order = np.argsort(log_error)
    observed = (flux[:, None] > low) & (flux[:, None] <= high)
    typical = _typical(_measure(log_error, observed, observed, order))
    share = kernel / kernel.sum(axis=1, keepdims=True).clip(TINY)
    law = _measure(log_error, share, share, order)
    for _ in range(N_ITERATIONS):
        density = (share / passing).sum(axis=0) / (high - low)
        share = kernel * (high - low) * density * _normal(log_error, law, typical)
        share /= share.sum(axis=1, keepdims=True).clip(TINY)
        law = _measure(log_error, share, share / passing, order)
    counts, median, scatter = (values[1:-1] for values in law)
    return Law(step * counts, median, scatter)


def _flux_edges(flux: Galaxies, edges: Edges) -> tuple[Bins, Bins]:
    """Return the brighter and the fainter flux edge of each bin, with one more on either side."""
    inner = 10 ** (-0.4 * edges)
    brightest = 1.001 * max(inner[0], flux.max())
    fluxes = np.concatenate([[brightest], inner, [0.0]])
    return fluxes[:-1], fluxes[1:]


def _kernel(flux: Galaxies, error: Galaxies, high: Bins, low: Bins) -> Weights:
    """Return the mean over each bin of the probability density of the observed flux, per error."""
    above, below = ((edge - flux[:, None]) / error[:, None] for edge in (high, low))
    # from the nearer side, where the difference of two numbers close to one would be lost
    is_bright = below > 0
    inside = np.where(is_bright, ndtr(-below) - ndtr(-above), ndtr(above) - ndtr(below))
    return inside / (high - low)


def _typical(law: Law) -> float:
    """Return the scatter of the typical galaxy's bin."""
    order = np.argsort(law.scatter)[: np.isfinite(law.scatter).sum()]
    counts = law.counts[order]
    rank = (counts.cumsum() - counts / 2) / counts.sum()
    return max(float(np.interp(0.5, rank, law.scatter[order])), MIN_SCATTER)


def _normal(log_error: Galaxies, law: Law, scatter: float) -> Weights:
    """Return the density of each error in each bin, up to a constant."""
    at = np.flatnonzero(law.counts > 1)
    median = np.interp(np.arange(len(law.counts)), at, law.median[at])
    offset = log_error[:, None] - median
    return np.where(np.abs(offset) < IMPLAUSIBLE, np.exp(-0.5 * (offset / scatter) ** 2), 0)


def _measure(values: Galaxies, share: Shares, weights: Shares, order: np.ndarray) -> Law:
    rows = [_weighted(values[order], column[order]) for column in weights.T]
    median, scatter = np.array(rows).T
    return Law(share.sum(axis=0), median, scatter)


def _weighted(
    values: Galaxies, weights: Galaxies | Bool[np.ndarray, "galaxy"]
) -> tuple[float, float]:
    """Return median and half the central 68.3 % of sorted values with weights."""
    is_in = weights > NEGLIGIBLE * weights.max()
    if not is_in.any():
        return np.nan, np.nan
    values, weights = values[is_in], weights[is_in]
    rank = (weights.cumsum() - weights / 2) / weights.sum()
    low, median, high = np.interp((ONE_SIGMA[0], 0.5, ONE_SIGMA[1]), rank, values)
    return float(median), float(high - low) / 2
