"""Surviving mass of an SSP, including remnants: the fit of Hearin et al. 2021 (DSPS).

With y = log10(age / yr) and S(y; y0, k, lo, hi) = lo + (hi - lo) / (1 + exp(-k (y - y0))):
slope = S(y; 8, 10^-0.5, d, 0.08), q = a + slope (y - 8), f = 1 - S(y; 6.5, 10^0.7, 0.005, q).
"""

import math
from typing import TypeVar

from popsed_core.errors import InputError

Values = TypeVar("Values")  # float, numpy array or torch tensor: arithmetic is all that is used

# (a, d): returned fraction at 10^8 yr and early slope per dex, Hearin et al. 2021
RETURN_FIT = {"Chabrier": (0.225, 0.145), "Kroupa": (0.211, 0.13), "Salpeter": (0.13, 0.055)}
LATE_SLOPE = 0.08  # [1 / dex] of the returned fraction long after PIVOT
EARLY_RETURN = 0.005  # returned fraction long before ONSET
PIVOT = 8.0  # [dex yr]
ONSET = 6.5  # [dex yr] first supernovae
SLOPE_STEEPNESS = 10**-0.5  # [1 / dex]
ONSET_STEEPNESS = 10**0.7  # [1 / dex]


def hearin21_surviving_fraction(log_age_yr: Values, imf: str) -> Values:
    """Return the surviving mass per unit mass formed; numpy, torch (differentiable) or float.

    Args:
        log_age_yr: log10 of the age, any shape [dex yr].
        imf: ``Chabrier``, ``Kroupa`` or ``Salpeter``.

    Raises:
        InputError: the fit does not exist for this initial mass function.
    """
    if imf not in RETURN_FIT:
        raise InputError(f"imf: got {imf!r}, the surviving-mass fit knows {list(RETURN_FIT)}")
    at_pivot, early_slope = RETURN_FIT[imf]
    slope = _step(log_age_yr, PIVOT, SLOPE_STEEPNESS, early_slope, LATE_SLOPE)
    late_return = at_pivot + slope * (log_age_yr - PIVOT)
    return 1 - _step(log_age_yr, ONSET, ONSET_STEEPNESS, EARLY_RETURN, late_return)


def _step(y: Values, centre: float, steepness: float, low: float, high: float | Values) -> Values:
    # a power of e, so that one line serves numpy and torch
    return low + (high - low) / (1 + math.e ** (-steepness * (y - centre)))
