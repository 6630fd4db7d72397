"""Toy stars for a toy FSPS library: power-law stars on a power-law clock, with black-body light.

Roughly the colours and luminosities of real stars, so that spectra depend on age, metallicity
and wavelength as real ones do; nothing to draw science from.
"""

import numpy as np

LOG_AGES = np.round(5.0 + 0.05 * np.arange(107), 2)  # [dex yr] the nodes FSPS is compiled with
LOG_MASSES = (-1.09, 2.08)  # [dex Msun] just below and at the limits of FSPS's initial masses
PLANCK, BOLTZMANN, LIGHT = 6.62607e-27, 1.380649e-16, 2.99792458e18  # cgs; light in [AA/s]
LOG_G_SUN = -10.61  # [dex] log g = log M - log L + 4 log T + this
MAIN_SEQUENCE, RED_GIANT = 0.0, 2.0  # phases in the isochrone files
GIANT_TIME = 0.1  # share of the main-sequence lifetime spent as a giant
BREAK, BREAK_WIDTH = 3950.0, 40.0  # [AA] a crude 4000 AA break


def isochrone(log_age, metals, n_dwarfs=60, n_giants=30):
    """Rows of one isochrone: the nine columns of the MIST files that FSPS reads.

    ``metals`` is log Z/Zsun.  Columns: log age, initial and present mass, log L, log Teff, log g,
    C/O, phase, log mass loss.
    """
    turn_off = _mass_of_lifetime(log_age, metals)
    x = np.linspace(LOG_MASSES[0], turn_off, n_dwarfs)
    spent = np.minimum(10 ** (log_age - _log_lifetime(x, metals)), 1)
    log_l = 3.5 * x - 0.4 * x**2 + 0.35 * spent
    log_t = np.maximum(3.76 + 0.5 * x - 0.06 * x**2 - 0.015 * metals - 0.04 * spent**3, 3.45)
    stars = [x, log_l, log_t, np.full(n_dwarfs, MAIN_SEQUENCE)]
    if turn_off < LOG_MASSES[1]:
        giants = _giants(log_age, metals, (turn_off, log_l[-1], log_t[-1]), n_giants)
        stars = [np.concatenate(pair) for pair in zip(stars, giants, strict=True)]
    x, log_l, log_t, phase = stars
    log_g = x - log_l + 4 * log_t + LOG_G_SUN
    ones = np.ones_like(x)
    return np.column_stack(
        [log_age * ones, 10**x, 10**x, log_l, log_t, log_g, 0.4 * ones, phase, -99 * ones]
    )


def _log_lifetime(x, metals):
    return 10 - 3.3 * x + 0.75 * x**2 + 0.04 * metals


def _mass_of_lifetime(log_age, metals):
    """Log mass of the stars at the end of the main sequence."""
    x = np.linspace(*LOG_MASSES, 4000)
    return float(np.interp(-log_age, -_log_lifetime(x, metals), x))


def _giants(log_age, metals, end, n):
    turn_off, log_l, log_t = end
    climbed = np.linspace(0, 1, n + 1)[1:]
    births = log_age - np.log10(1 + GIANT_TIME * climbed)
    x = np.array([_mass_of_lifetime(birth, metals) for birth in births])
    x = np.maximum(x, turn_off + 1e-6 * np.arange(1, n + 1))
    luminosity = log_l + climbed**2 * max(3.2 - log_l, 0.2)
    temperature = (1 - climbed) * log_t + climbed * (3.60 - 0.03 * metals)
    return [x, luminosity, temperature, np.full(n, RED_GIANT)]


def wave_grid(n):
    """``n`` increasing wavelengths, 91 AA to 1 cm, densest where galaxies are observed."""
    ends = np.array([91.0, 912.0, 3000.0, 10000.0, 1e5, 1e8])
    share = np.array([0.0, 0.05, 0.2, 0.75, 0.92, 1.0])
    return np.exp(np.interp(np.linspace(0, 1, n), share, np.log(ends)))


def atmospheres(wave, log_t, n_log_g, metals):
    """Eddington fluxes (wave, log T, log g) [erg/s/cm2/Hz/sr]: black bodies with a break."""
    t = 10.0 ** np.asarray(log_t)[None, :]
    frequency = LIGHT / wave[:, None]
    exponent = np.minimum(PLANCK * frequency / (BOLTZMANN * t), 600.0)
    flux = PLANCK * frequency**3 / (LIGHT * 1e-8) ** 2 / np.expm1(exponent) / 2
    cool = 1 / (1 + (t / 8000.0) ** 4)
    blue = 1 / (1 + np.exp(np.clip((wave[:, None] - BREAK) / BREAK_WIDTH, -50, 50)))
    flux = np.maximum(flux * np.exp(-(1 + 0.35 * metals) * cool * blue), 1e-35)
    return np.repeat(flux[:, :, None], n_log_g, axis=2).astype("<f4")
