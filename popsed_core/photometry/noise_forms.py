"""The quantity that a noise table holds for each magnitude: the ``form`` of the noise.

It is normal given the magnitude: log10 flux error (ours), SNR (the paper's section 2.2) or log10
SNR (the released code).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from torch import Tensor

from popsed_core.constants import MAG_PER_LN

MIN_SNR = 0.05  # ASSUME: a Gaussian SNR (paper's form) below this is held there
MIN_MAGGIES = 1e-15  # flux floor before the logarithm (37.5 mag; released code: same)


class NoiseForm(NamedTuple):
    """Translates between flux errors and the quantity.

    Attributes:
        sign: 1 where the quantity rises with the error, -1 where it falls.
        measure: the quantity of galaxies, from fluxes [maggies] and errors [mag].
        sigma: the flux error [maggies], from values of the quantity and fluxes [maggies].
    """

    sign: int
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray]
    sigma: Callable[[Tensor, Tensor], Tensor]


def _error_at(snr: Tensor, maggies: Tensor) -> Tensor:
    return maggies.clamp(min=MIN_MAGGIES) / snr  # no light at all has an error, too


FORMS = {
    "error_given_flux": NoiseForm(
        sign=1,
        measure=lambda maggies, mag_error: np.log10(maggies / (MAG_PER_LN / mag_error)),
        sigma=lambda value, maggies: 10**value,
    ),
    "snr_given_flux": NoiseForm(
        sign=-1,
        measure=lambda maggies, mag_error: MAG_PER_LN / mag_error,
        sigma=lambda value, maggies: _error_at(value.clamp(min=MIN_SNR), maggies),
    ),
    "log_snr_given_flux": NoiseForm(
        sign=-1,
        measure=lambda maggies, mag_error: np.log10(MAG_PER_LN / mag_error),
        sigma=lambda value, maggies: _error_at(10**value, maggies),
    ),
}
