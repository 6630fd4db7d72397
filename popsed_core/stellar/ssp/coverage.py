"""Checks shared by the SSP readers: wavelengths, ages and luminosities of a table."""

from pathlib import Path

import numpy as np

from popsed_core.constants import SPEED_OF_LIGHT
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.grid import SSPGrid

YOUNGEST = 0.01  # [Gyr] stars up to this age sit in birth clouds (FSPS dust_tesc)
OLDEST = 13.8  # [Gyr] the oldest galaxies: time since the Big Bang, Planck 2015
# [Lsun / Msun] of a population of about 1 Gyr: a few, less what lies outside the wavelengths
FAINTEST, BRIGHTEST = 1e-4, 1e3
SLACK = 1e-3  # [dex] by which a tabulated age may be rounded


def trim(wave: np.ndarray, wave_range: tuple[float, float], path: str | Path) -> slice:
    """Return the pixels within ``wave_range`` and the next one beyond each end, if any.

    The extra pixels let an integral over the range interpolate up to its very ends.

    Args:
        wave: increasing wavelengths of the table [AA].
        wave_range: lowest and highest wavelength needed [AA].
        path: the table, for the message.

    Raises:
        InputError: the table does not cover the range.
    """
    low, high = wave_range
    if not wave[0] <= low < high <= wave[-1]:
        raise InputError(
            f"{path}: covers {wave[0]:g} to {wave[-1]:g} AA, but ssp.wave_low = {low:g} and "
            f"ssp.wave_high = {high:g}; choose limits inside the table"
        )
    first = max(int(np.searchsorted(wave, low, side="left")) - 1, 0)
    last = min(int(np.searchsorted(wave, high, side="right")), wave.size - 1)
    return slice(first, last + 1)


def check_ages(lg_age_gyr: np.ndarray, path: str | Path) -> None:
    """Check that a table covers the ages of the model.

    Args:
        lg_age_gyr: log10 of the ages, increasing [dex Gyr].
        path: the table, for the message.

    Raises:
        InputError: it begins too late or ends too early.
    """
    first, last = 10.0 ** lg_age_gyr[0], 10.0 ** lg_age_gyr[-1]
    slack = 10.0**SLACK
    if first > YOUNGEST * slack or last * slack < OLDEST:
        raise InputError(
            f"{path}: ssp_lg_age_gyr: has ages of {first:.3g} to {last:.3g} Gyr, but the model "
            f"needs {YOUNGEST:g} or less (birth clouds) to {OLDEST:g} (the oldest galaxies); use a "
            "table with more ages"
        )


def check_light(grid: SSPGrid, path: str | Path) -> None:
    """Check the unit by the luminosity of a population of about 1 Gyr.

    Raises:
        InputError: it is brighter or fainter by orders of magnitude.
    """
    middle = np.abs(grid.ssp_lg_age_gyr).argmin()
    frequency = SPEED_OF_LIGHT / grid.ssp_wave[::-1]
    light = np.trapezoid(grid.ssp_flux[:, middle, ::-1].astype(float), frequency, axis=-1)
    if not (light.min() > FAINTEST and light.max() < BRIGHTEST):
        raise InputError(
            f"{path}: ssp_flux: 1 Msun of age {10.0 ** grid.ssp_lg_age_gyr[middle]:.2g} Gyr emits "
            f"{light.min():.3g} to {light.max():.3g} Lsun, expected about 1; convert it to "
            "Lsun / Hz per Msun formed"
        )
