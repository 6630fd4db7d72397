"""Distances and offsets between two samples of one quantity.

Every function takes two one-dimensional samples, which may differ in size; the sign of an offset
is that of the first sample minus the second.
"""

import numpy as np
from jaxtyping import Float
from scipy import stats

First = Float[np.ndarray, "first"]
Second = Float[np.ndarray, "second"]

ONE_SIGMA = (0.16, 0.84)  # quantiles that bound the central 68%


def wasserstein1(a: First, b: Second) -> float:
    """Return the Wasserstein-1 distance, the integral of |F_a - F_b| [unit of the samples]."""
    return float(stats.wasserstein_distance(a, b))


def kolmogorov_smirnov(a: First, b: Second) -> float:
    """Return the two-sample Kolmogorov-Smirnov statistic, the largest |F_a - F_b|."""
    a, b = np.sort(a), np.sort(b)
    points = np.concatenate([a, b])
    share_a = np.searchsorted(a, points, side="right") / a.size
    share_b = np.searchsorted(b, points, side="right") / b.size
    return float(np.abs(share_a - share_b).max())


def mean_offset(a: First, b: Second) -> float:
    """Return mean(a) - mean(b) [unit of the samples]."""
    return float(np.mean(a, dtype=np.float64) - np.mean(b, dtype=np.float64))


def std_offset(a: First, b: Second) -> float:
    """Return std(a) - std(b) [unit of the samples]."""
    return float(np.std(a, dtype=np.float64) - np.std(b, dtype=np.float64))


def quantile_offset(a: First, b: Second, quantile: float) -> float:
    """Return the difference of the same quantile of both samples [unit of the samples]."""
    return float(np.quantile(a, quantile) - np.quantile(b, quantile))


def median_offset(a: First, b: Second) -> float:
    """Return median(a) - median(b) [unit of the samples]."""
    return quantile_offset(a, b, 0.5)


def width(a: First) -> float:
    """Return the distance between the 16% and 84% quantiles [unit of the sample]."""
    low, high = np.quantile(a, ONE_SIGMA)
    return float(high - low)


def width_ratio(a: First, b: Second) -> float:
    """Return width(a) / width(b); infinite where the second sample has no width."""
    return width(a) / width(b) if width(b) > 0 else float("inf")
