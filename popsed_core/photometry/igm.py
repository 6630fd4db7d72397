"""Mean transmission of the intergalactic medium (Inoue et al. 2014).

Hydrogen between a galaxy and us absorbs at every redshift below the galaxy's: in the lines of the
Lyman series, each blueward of its own wavelength in the galaxy's frame, and below the Lyman limit.
Both the Lyman alpha forest (LAF) and damped systems (DLA) take part (MNRAS 442, 1805, eqs. 20-29).
"""

import numpy as np

from popsed_core.photometry.lyman_series import LYMAN_SERIES

LYMAN_ALPHA = LYMAN_SERIES[0].wave  # [AA] redward of it nothing is absorbed
LYMAN_LIMIT = 911.8  # [AA] Inoue et al. 2014
# rest-frame wavelengths where the transmission jumps [AA]
JUMPS = np.array(sorted([LYMAN_LIMIT, *(line.wave for line in LYMAN_SERIES)]))
# ratios of observed to rest wavelength where the number of absorbers changes its slope, and slopes
FOREST_BREAKS, FOREST_SLOPES = (2.2, 5.7), (1.2, 3.7, 5.5)
DAMPED_BREAKS, DAMPED_SLOPES = (3.0,), (2.0, 3.0)


def transmission(wave_observed: np.ndarray, redshift: np.ndarray | float) -> np.ndarray:
    """Return the mean share of light that arrives [-].

    Args:
        wave_observed: observed wavelengths [AA].
        redshift: of the sources; any shape that broadcasts with the wavelengths.
    """
    wave, stretch = np.broadcast_arrays(wave_observed, 1.0 + np.asarray(redshift, dtype=float))
    depth = np.zeros(wave.shape)
    for line in LYMAN_SERIES:
        ratio = wave / line.wave
        is_seen = (ratio > 1) & (ratio < stretch)
        ratio = ratio[is_seen]
        depth[is_seen] += _power(ratio, line.forest, FOREST_BREAKS, FOREST_SLOPES)
        depth[is_seen] += _power(ratio, line.damped, DAMPED_BREAKS, DAMPED_SLOPES)
    ratio = wave / LYMAN_LIMIT
    is_seen = (ratio > 1) & (ratio < stretch)
    ratio, stretch = ratio[is_seen], stretch[is_seen]
    # the printed coefficients are rounded: at the limit itself they give depths down to -0.005
    depth[is_seen] += np.maximum(_forest_continuum(ratio, stretch), 0)
    depth[is_seen] += np.maximum(_damped_continuum(ratio, stretch), 0)
    return np.exp(-depth)


def transmission_at_rest(wave_rest: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Return the transmission at rest-frame wavelengths of a galaxy [-].

    Args:
        wave_rest: wavelengths in the galaxy's frame (wave,) [AA].
        stretch: 1 + redshift of the galaxies (galaxy,).

    Returns:
        One row per galaxy (galaxy, wave); zero below the Lyman limit.
    """
    factor = stretch[:, None]
    # ASSUME: hydrogen in the galaxy itself takes all light below the Lyman limit.
    return np.where(wave_rest < LYMAN_LIMIT, 0.0, transmission(wave_rest * factor, factor - 1))


def _power(
    ratio: np.ndarray,
    factors: tuple[float, ...],
    breaks: tuple[float, ...],
    slopes: tuple[float, ...],
) -> np.ndarray:
    """Return factor x ratio^slope of the range that each ratio is in (eqs. 21 and 22)."""
    part = np.searchsorted(breaks, ratio, side="right")
    return np.take(factors, part) * ratio ** np.take(slopes, part)


def _forest_continuum(ratio: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Return the optical depth of the forest below the Lyman limit (eqs. 25-27)."""
    near = 0.325 * (ratio**1.2 - stretch**-0.9 * ratio**2.1)
    middle = 2.55e-2 * stretch**1.6 * ratio**2.1 + np.where(
        ratio < 2.2, 0.325 * ratio**1.2 - 0.250 * ratio**2.1, -2.55e-2 * ratio**3.7
    )
    far = 5.22e-4 * stretch**3.4 * ratio**2.1 + np.select(
        [ratio < 2.2, ratio < 5.7],
        [0.325 * ratio**1.2 - 3.14e-2 * ratio**2.1, 0.218 * ratio**2.1 - 2.55e-2 * ratio**3.7],
        -5.22e-4 * ratio**5.5,
    )
    return np.select([stretch < 2.2, stretch < 5.7], [near, middle], far)


def _damped_continuum(ratio: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Return the optical depth of damped systems below the Lyman limit (eqs. 28 and 29)."""
    near = 0.211 * stretch**2 - 7.66e-2 * stretch**2.3 * ratio**-0.3 - 0.135 * ratio**2
    far = 4.70e-2 * stretch**3 - 1.78e-2 * stretch**3.3 * ratio**-0.3
    far = far + np.where(
        ratio < 3.0, 0.634 - 0.135 * ratio**2 - 0.291 * ratio**-0.3, -2.92e-2 * ratio**3
    )
    return np.where(stretch < 3.0, near, far)
