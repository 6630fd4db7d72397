"""Centre, covariance and width of data with a few wrong rows.

The covariance is the maximum-likelihood one of a multivariate Student's t (Kent & Tyler 1991), with
the four degrees of freedom that Lange, Little & Taylor (1989) recommend.  Rows x of p columns at
d^2 = (x - m)^T V^-1 (x - m) weigh w = (nu + p) / (nu + d^2), and

    m = sum w x / sum w,    V = sum w (x - m)(x - m)^T / sum w

is iterated (the division by sum w: Kent, Tyler & Vardi 1994).  It is unique and affine-equivariant,
and bounds the influence of a single row.  V is then scaled to be the covariance of
normal data.
"""

import functools

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr

DOF = 4.0  # Lange, Little & Taylor (1989)
N_ITERATIONS = 200  # some 20 are needed
TOLERANCE = 1e-6  # change of the covariance at which to stop, in units of itself
MAX_ROWS = 1 << 20  # of which a covariance is made; bounds time and memory
TINY = 1e-14  # variance over the largest, below which it counts as zero
N_NODES = 4000  # quantiles by which an expectation is taken
ONE_SIGMA = (float(ndtr(-1.0)), float(ndtr(1.0)))  # quantiles of a normal at -1 and 1 sigma

Rows = Float[np.ndarray, "row column"]
Centre = Float[np.ndarray, "column"]
Covariance = Float[np.ndarray, "column column"]


def robust_covariance(values: Rows) -> tuple[Centre, Covariance]:
    """Return centre and covariance; for normal data they agree with the plain ones.

    Directions without any width have variance zero.

    Args:
        values: finite; of very many, evenly spaced rows are used.
    """
    values = np.asarray(values[:: -(-len(values) // MAX_ROWS)], dtype=np.float64)
    n_columns = values.shape[1]
    centre = values.mean(axis=0)
    covariance = np.cov(values, rowvar=False, ddof=0).reshape(n_columns, n_columns)
    for _ in range(N_ITERATIONS):
        whitening = _whitening(covariance)
        squares = np.square((values - centre) @ whitening).sum(axis=1)
        weights = 1 / (DOF + squares)
        weights /= weights.sum()
        centre, before = weights @ values, covariance
        offset = values - centre
        covariance = (weights[:, None] * offset).T @ offset
        change = whitening.T @ (covariance - before) @ whitening
        if np.abs(change).max() < TOLERANCE:
            break
    return centre, covariance / _of_normal_data(n_columns)


def robust_width(values: Float[np.ndarray, "row"]) -> float:
    """Return half the central 68.3 %, the standard deviation of normal data."""
    low, high = np.quantile(values, ONE_SIGMA)
    return float(high - low) / 2


def _whitening(covariance: Covariance) -> Covariance:
    """Return the matrix that gives rows unit covariance, and drops directions without width."""
    variance, axes = np.linalg.eigh(covariance)
    is_wide = variance > TINY * variance[-1]
    return axes * np.where(is_wide, 1 / np.sqrt(np.where(is_wide, variance, 1)), 0)


@functools.cache
def _of_normal_data(n_columns: int) -> float:
    """Return V of standard normal data: the c at which the mean of w d^2 is their dimension."""
    share = (np.arange(N_NODES) + 0.5) / N_NODES
    squares = 2 * gammaincinv(n_columns / 2, share)  # quantiles of chi squared

    def excess(scale: float) -> float:
        weighted = (DOF + n_columns) * squares / (DOF * scale + squares)
        return float(weighted.mean()) - n_columns

    return float(brentq(excess, 0.1, 1.0))
