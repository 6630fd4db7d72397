"""Survey reader: the 10,000 SDSS galaxies that ship with kcorrect (Blanton & Roweis 2007).

Model fluxes in nanomaggies (m = 22.5 - 2.5 log10 f) with inverse variances, Galactic extinction
of Schlegel et al. 1998 [mag], spectroscopic redshift, 2MASS extended-source J, H, K (Vega).
"""

from pathlib import Path

import numpy as np
from astropy.io import fits

from popsed_core.config.surveys import KcorrectSurvey
from popsed_core.errors import InputError
from popsed_core.files.fits import hdu_data, open_fits
from popsed_core.surveys.catalogue import SurveyTable
from popsed_core.surveys.columns import pick

HDU = "GSTTEST"
BANDS = KcorrectSurvey.bands
FILTERS = tuple(f"sdss2010-{band}" for band in BANDS)
ZERO_POINT = 22.5  # [mag] AB of one nanomaggie
SDSS_TO_AB = np.array([-0.04, 0.0, 0.0, 0.0, 0.02])  # [mag] SDSS photometric flux calibration notes
J_VEGA_TO_AB = 0.91  # [mag] Blanton & Roweis 2007, Table 1
K_VEGA_TO_AB = 1.85  # [mag] Blanton & Roweis 2007, Table 1


def read_kcorrect_sdss(survey: KcorrectSurvey, path: Path) -> SurveyTable:
    """Read the table: AB maggies, corrected for extinction.

    Args:
        survey: the survey's configuration (its cuts are applied later).
        path: the FITS table.

    Raises:
        InputError: the file is missing or damaged, or lacks a column.
    """
    with open_fits(path) as hdus:
        data = hdu_data(hdus, HDU, path)
    if not isinstance(data, fits.FITS_rec):
        raise InputError(f"{path}: HDU {HDU} is an image, expected a table")
    table = {name: data[name] for name in data.names}
    flux, variance = _per_band(table, "MODELFLUX", path), _variance(table, path)
    extinction = _per_band(table, "EXTINCTION", path)
    to_ab = 10 ** (-0.4 * (ZERO_POINT - extinction + SDSS_TO_AB))
    return SurveyTable(
        maggies=flux * to_ab,
        maggies_error=np.sqrt(variance) * to_ab,
        bands=BANDS,
        filters=FILTERS,
        reference={"redshift": pick(table, "Z", path)},
        j_minus_k=_j_minus_k(table, path),
        path=str(path),
    )


def _per_band(table: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    values = pick(table, name, path)
    if values.ndim != 2 or values.shape[1] != len(BANDS):
        shape = values.shape[1:]
        raise InputError(f"{path}: column {name!r} has {shape} values per row, expected (5,)")
    return values


def _variance(table: dict[str, np.ndarray], path: Path) -> np.ndarray:
    """Return NaN where the inverse variance is zero, which marks missing measurements."""
    inverse = _per_band(table, "MODELFLUX_IVAR", path)
    return 1 / np.where(inverse > 0, inverse, np.nan)


def _j_minus_k(table: dict[str, np.ndarray], path: Path) -> np.ndarray:
    """Return J - K on the AB system, in which GAMA's star cut is defined; NaN where missing."""
    j_mag, k_mag = pick(table, "J_M_EXT", path), pick(table, "K_M_EXT", path)
    # ASSUME: rows that 2MASS did not measure (magnitude 0) are kept as galaxies.
    is_known = (j_mag > 0) & (k_mag > 0)
    return np.where(is_known, j_mag + J_VEGA_TO_AB - k_mag - K_VEGA_TO_AB, np.nan)
