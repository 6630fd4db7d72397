"""A synthetic SSP table: black bodies that cool and fade with age. For tests and the smoke run.

``L_nu = L pi B_nu(T) / (sigma T^4)`` with T falling and L fading smoothly with age, both lower
for more metals; roughly the magnitudes of real populations, but not for science.
"""

import numpy as np

from popsed_core.constants import LSUN_IAU, SPEED_OF_LIGHT, ZSUN_BC03
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import ionising_rate
from popsed_core.stellar.ssp.surviving_mass import hearin21_surviving_fraction

LOGZSOL = np.array([-2.2, -1.4, -0.7, 0.0, 0.4])  # [dex]
LOG_AGE = np.linspace(5.0, 10.3, 107)  # [dex yr] the nodes of FSPS
N_WAVE = 800
EXTREME_UV = np.geomspace(100.0, 1000.0, 200)  # [AA] where photons ionise
SECOND_RADIATION = 1.438776877e8  # [AA K] hc/k, CODATA 2018
BIRTH_TEMPERATURE = 4.5  # [dex K] at 10^5 yr
COOLING = 0.17  # [dex / dex] of temperature with age
LINE_BLANKETING = 0.05  # [dex / dex] of temperature with metallicity
BIRTH_LUMINOSITY = 3.0  # [dex Lsun / Msun]
FADING_AGE = 6.6  # [dex yr] when the massive stars die
METAL_FADING = 0.1  # [dex / dex] of luminosity with metallicity
MAX_EXPONENT = 700.0  # of exp() in float64; the light there is zero to any precision


def toy_grid(wave_range: tuple[float, float]) -> SSPGrid:
    """Return the synthetic table, ``source="toy"``.

    Args:
        wave_range: rest-frame limits; one pixel lies beyond each [AA].

    Returns:
        5 metallicities x 107 ages x 800 wavelengths, uniform in log wavelength.
    """
    low, high = np.log(wave_range)
    step = (high - low) / (N_WAVE - 3)
    wave = np.exp(low + step * np.arange(-1, N_WAVE - 1))
    logzsol, log_age = LOGZSOL[:, None], LOG_AGE[None, :]
    log_temperature = BIRTH_TEMPERATURE - COOLING * (log_age - 5) - LINE_BLANKETING * logzsol
    # log(1 + age / fading age) fades as 1 / age, with a smooth knee
    faded = np.logaddexp(0, np.log(10) * (log_age - FADING_AGE)) / np.log(10)
    luminosity = 10 ** (BIRTH_LUMINOSITY - faded - METAL_FADING * logzsol)
    shape = _black_body(wave, 10 ** log_temperature[..., None])
    ionising = luminosity[..., None] * _black_body(EXTREME_UV, 10 ** log_temperature[..., None])
    surviving = hearin21_surviving_fraction(LOG_AGE, "Chabrier")
    return SSPGrid(
        ssp_lgmet=LOGZSOL + np.log10(ZSUN_BC03),
        ssp_lg_age_gyr=LOG_AGE - 9,
        ssp_wave=wave,
        ssp_flux=(luminosity[..., None] * shape).astype(np.float32),
        surviving_mass=np.tile(surviving, (LOGZSOL.size, 1)),
        library="toy black bodies",
        imf="Chabrier",
        log_zsun=float(np.log10(ZSUN_BC03)),
        lsun=LSUN_IAU,
        source="toy",
        ionising_rate=ionising_rate(EXTREME_UV, ionising, LSUN_IAU),
    )


def _black_body(wave: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Return the spectrum of unit luminosity [1 / Hz]: 15 / (pi^4 nu) x^4 / (exp(x) - 1)."""
    x = np.minimum(SECOND_RADIATION / (wave * temperature), MAX_EXPONENT)
    return 15 / np.pi**4 * wave / SPEED_OF_LIGHT * x**4 / np.expm1(x)
