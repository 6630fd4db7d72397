"""How far a sample of one quantity is from its reference, in the numbers usually quoted.

Ensemble and prior are compared with the reference by the same function, so that each number of a
fit can be shown beside that of the prior: what the prior alone gives is no merit of the fit.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from popsed_core.diagnostics.metrics import (
    ONE_SIGMA,
    kolmogorov_smirnov,
    mean_offset,
    median_offset,
    quantile_offset,
    std_offset,
    wasserstein1,
    width_ratio,
)

TAIL = 0.99  # quantile of the reference beyond which draws are a tail
NEAR = 0.02  # redshift below which draws are a near tail: surveys have next to no galaxies there

Draws = Float[np.ndarray, "draw"]
Known = Float[np.ndarray, "galaxy"]


@dataclass(frozen=True, kw_only=True)
class Closeness:
    """One sample against the reference in one quantity; offsets are sample minus reference.

    Attributes:
        w1: Wasserstein-1 distance.
        w1_over_std: the same over the standard deviation of the reference.
        ks: Kolmogorov-Smirnov statistic.
        mean_offset: of the mean.
        std_offset: of the standard deviation.
        mean_offset_1pz: of redshift, the mean offset over 1 + (mean redshift of the reference), as
            requirements on n(z) are written; None for other quantities.
        std_offset_1pz: the same of the standard deviation.
        median_offset: of the 50% quantile.
        q16_offset: of the 16% quantile.
        q84_offset: of the 84% quantile.
        width_ratio: central 68% width over that of the reference.
        share_beyond: of the sample beyond the ``TAIL`` quantile of the reference: 0.01 if alike.
        share_near: of redshift, the share of the sample below ``NEAR``; None for others.
    """

    w1: float
    w1_over_std: float
    ks: float
    mean_offset: float
    std_offset: float
    mean_offset_1pz: float | None
    std_offset_1pz: float | None
    median_offset: float
    q16_offset: float
    q84_offset: float
    width_ratio: float
    share_beyond: float
    share_near: float | None


def closeness(name: str, values: Draws, known: Known) -> Closeness:
    """Compare a sample of the quantity ``name`` with its reference values, none of them NaN."""
    w1 = wasserstein1(values, known)
    mean, std = mean_offset(values, known), std_offset(values, known)
    stretch = 1 + float(known.mean()) if name == "redshift" else None
    return Closeness(
        w1=w1,
        w1_over_std=w1 / float(known.std()),
        ks=kolmogorov_smirnov(values, known),
        mean_offset=mean,
        std_offset=std,
        mean_offset_1pz=mean / stretch if stretch else None,
        std_offset_1pz=std / stretch if stretch else None,
        median_offset=median_offset(values, known),
        q16_offset=quantile_offset(values, known, ONE_SIGMA[0]),
        q84_offset=quantile_offset(values, known, ONE_SIGMA[1]),
        width_ratio=width_ratio(values, known),
        share_beyond=float((values > np.quantile(known, TAIL)).mean()),
        share_near=share_near(name, values),
    )


def share_near(name: str, values: Draws) -> float | None:
    """Return the share of redshifts below ``NEAR``; None for other quantities."""
    return float((values < NEAR).mean()) if name == "redshift" else None
