"""Nebular emission: light of gas ionised by young stars.

    Q = 1 / h  int_(wave < 911.8 AA) L_nu dln(wave),      L_gas = Q (1 - f_lost) s(Z, age, log U)

Q counts the photons of a node and s is the light per ionising photon, from tables that were
possibly computed for other stars (Byler et al. 2017 scale theirs in the same way).  f_lost, the
share lost to dust or out of the galaxy, is applied by the user of the table.
"""

from dataclasses import dataclass, replace

import numpy as np

from popsed_core.config.ssp import TiedIonisation
from popsed_core.constants import LYMAN_LIMIT, PLANCK
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import log_integral

FAINTEST = 1e-95  # [erg] per photon: no logarithm of zero (FSPS sps_setup.f90)
BEGINS = 300.0  # [AA] a table that begins beyond this lacks many of the ionising photons
LONGEST_IN_VACUUM = 2000.0  # [AA] beyond this, air wavelengths are the custom


@dataclass(frozen=True)
class PhotonSpectra:
    """The light of gas per ionising photon, at one ionisation parameter per metallicity.

    Attributes:
        lgmet: log10 of the metal mass fraction (metallicity), increasing [dex].
        log_age: log10 of the age of the stars (age), increasing [dex yr].
        wave: of the continuum (wave), increasing [AA].
        continuum: (metallicity, age, wave) [erg / Hz].
        line_wave: in vacuum (line) [AA].
        lines: (metallicity, age, line) [erg].
        name: tables and ionisation parameter.
    """

    lgmet: np.ndarray
    log_age: np.ndarray
    wave: np.ndarray
    continuum: np.ndarray
    line_wave: np.ndarray
    lines: np.ndarray
    name: str


def ionising_rate(wave: np.ndarray, lnu: np.ndarray, lsun: float) -> np.ndarray:
    """Return the rate of ionising photons, exact for a spectrum that is linear between nodes.

    Args:
        wave: increasing (wave,) [AA].
        lnu: luminosity (..., wave) [Lsun / Hz].
        lsun: the solar luminosity [erg / s].

    Returns:
        Photons below 911.8 AA (...) [1 / s]; zero if the table begins at too long a wavelength.
    """
    if wave[0] > BEGINS:
        return np.zeros(lnu.shape[:-1])
    n_used = int(np.searchsorted(wave, LYMAN_LIMIT)) + 1
    wave, lnu = wave[:n_used], np.asarray(lnu[..., :n_used], dtype=np.float64)
    return log_integral(wave, lnu, np.log([LYMAN_LIMIT]))[..., 0] * lsun / PLANCK


def log_ionisation(config: float | TiedIonisation, logzsol: np.ndarray) -> np.ndarray:
    """Return the ionisation parameter at each metallicity, both [dex]."""
    if isinstance(config, TiedIonisation):
        return config.zero + config.slope * logzsol
    return np.full(len(logzsol), float(config))


def describe(config: float | TiedIonisation) -> str:
    """Return the ionisation parameter in words."""
    if isinstance(config, TiedIonisation):
        return f"log U = {config.zero:g} {config.slope:+g} log Z/Zsun"
    return f"log U = {config:g}"


def in_vacuum(wave: np.ndarray) -> np.ndarray:
    """Return vacuum wavelengths of lines listed in the usual way, in air beyond 2000 AA.

    The index of refraction is that of Morton 1991 (ApJS 77, 119), all [AA].
    """
    vacuum = wave
    for _ in range(3):  # the index is a function of the vacuum wavelength
        inverse = (1e4 / vacuum) ** 2
        index = 1 + 2.735182e-4 + 1.314182e-6 * inverse + 2.76249e-8 * inverse**2
        vacuum = np.where(wave > LONGEST_IN_VACUUM, wave * index, wave)
    return vacuum


def with_nebular(grid: SSPGrid, photons: PhotonSpectra, standard: SSPGrid | None = None) -> SSPGrid:
    """Return a table with gas around its young nodes; ionising photons do not leave it.

    Args:
        grid: the stars.
        photons: light of gas per ionising photon.
        standard: a table whose ionising rates are used if ``grid`` has none.

    Raises:
        InputError: the ionising light is not known.
    """
    rate = _rates(grid, standard)[:, : grid.n_young] / grid.lsun
    ages = grid.ssp_lg_age_gyr[: grid.n_young] + 9
    lines = _at_nodes(photons, photons.lines, grid.ssp_lgmet, ages)
    continuum = _at_nodes(photons, photons.continuum, grid.ssp_lgmet, ages)
    position = np.interp(grid.ssp_wave, photons.wave, np.arange(len(photons.wave)))
    seen = _between(position, np.moveaxis(continuum, -1, 0))
    is_dark = grid.ssp_wave < LYMAN_LIMIT
    order = np.argsort(photons.line_wave)
    # ASSUME: all lines escape their gas, even Lyman alpha, which dust absorbs more than others.
    return replace(
        grid,
        ssp_flux=np.where(is_dark, np.float32(0), grid.ssp_flux),
        ionising_rate=_rates(grid, standard),
        nebular_continuum=_float(rate[..., None] * np.moveaxis(seen, 0, -1) * ~is_dark),
        line_wave=photons.line_wave[order],
        line_luminosity=_float(rate[..., None] * lines[..., order]),
        nebular=photons.name,
    )


def _rates(grid: SSPGrid, standard: SSPGrid | None) -> np.ndarray:
    if grid.ionising_rate.any():
        return grid.ionising_rate
    if standard is None:
        raise InputError(
            f"ssp.nebular: the SSP table ({grid.library}) has no light below {LYMAN_LIMIT} AA that "
            "could ionise gas; use a table that begins in the far UV, or set ssp.nebular to "
            "{kind: none}"
        )
    # ASSUME: stars of one age and metallicity ionise as much in any library.
    metals = np.interp(grid.ssp_lgmet, standard.ssp_lgmet, np.arange(len(standard.ssp_lgmet)))
    ages = np.interp(
        grid.ssp_lg_age_gyr, standard.ssp_lg_age_gyr, np.arange(len(standard.ssp_lg_age_gyr))
    )
    return _between(ages, _between(metals, standard.ionising_rate).T).T


def _at_nodes(
    photons: PhotonSpectra, values: np.ndarray, lgmet: np.ndarray, log_age: np.ndarray
) -> np.ndarray:
    """Interpolate (metallicity, age, ...), clamped: logarithms in metallicity, linear in age."""
    metals = np.interp(lgmet, photons.lgmet, np.arange(len(photons.lgmet)))
    ages = np.interp(log_age, photons.log_age, np.arange(len(photons.log_age)))
    young = np.moveaxis(_between(ages, np.moveaxis(values, 1, 0)), 0, 1)
    return 10 ** _between(metals, np.log10(young + FAINTEST))


def _between(position: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return rows of ``values`` at fractional positions."""
    low = np.clip(position.astype(int), 0, len(values) - 2)
    share = (position - low).reshape(-1, *[1] * (values.ndim - 1))
    return (1 - share) * values[low] + share * values[low + 1]


def _float(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
