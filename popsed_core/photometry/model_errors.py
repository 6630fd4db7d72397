"""Model errors shared by bands: smooth in wavelength, as when a spectrum's slope is off."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def smooth_covariance(
    waves: Sequence[float] | Float[np.ndarray, "band"], sigma: float, length: float
) -> Float[np.ndarray, "band band"]:
    """Return sigma^2 exp(-(d ln wave)^2 / (2 length^2)) between bands [mag^2].

    Args:
        waves: effective wavelengths of the bands [AA].
        sigma: of the error in each band [mag].
        length: over which it changes, in ln(wave).
    """
    separation = np.subtract.outer(np.log(waves), np.log(waves)) / length
    return sigma**2 * np.exp(-0.5 * separation**2)
