"""Survey reader: GAMA DR3 (Baldry et al. 2018), its tables joined on CATAID.

``ApMatchedCat`` holds matched-aperture photometry (r-defined Kron apertures, AB, not corrected for
Galactic extinction, fluxes of zero point 30 mag), ``StellarMasses`` (Taylor et al. 2011) redshifts
and masses; its rows are the sample.  ``GalacticExtinction``, where asked for, holds E(B-V) of
Schlegel, Finkbeiner & Davis (1998).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from popsed_core.config.surveys import GamaSurvey
from popsed_core.errors import InputError
from popsed_core.files.fits import open_fits
from popsed_core.surveys.catalogue import SurveyTable
from popsed_core.surveys.columns import pick
from popsed_core.surveys.table_files import Columns, read_columns

ZERO_POINT = 30.0  # [mag] AB of flux 1
STANDIN_KEY = "STANDIN"  # in the header of tables that PopSED made to replace GAMA's
MISSING = (99.0, -99.0, -9999.0)  # stand for no measurement
FILTERS = {
    **{band: f"sdss2010-{band}" for band in "ugriz"},
    **{band: f"vista_vircam_{band}" for band in "YJH"},
    "K": "vista_vircam_Ks",
}
# [mag] extinction per E(B-V) of Schlegel et al. 1998, R_V = 3.1 (Schlafly & Finkbeiner 2011, table
# 6: SDSS, UKIRT).  ASSUME: VISTA's J, H and K as UKIRT's. Y is not in the table.
EXTINCTION = {
    "u": 4.239, "g": 3.303, "r": 2.285, "i": 1.698, "z": 1.263,
    "J": 0.709, "H": 0.449, "K": 0.302,
}  # fmt: skip
REDDENING = "EBV"  # ASSUME: the column of E(B-V) [mag]; a different name raises InputError
UNCORRECTED = (
    "GAMA's magnitudes are not corrected for Galactic extinction, as in the paper; "
    "surveys.gama.extinction: {} corrects them"
)


def read_gama(
    survey: GamaSurvey, photometry: Path, masses: Path, extinction: Path | None = None
) -> SurveyTable:
    """Read the tables: AB maggies of all nine bands, redshift, and log formed mass [dex Msun].

    Args:
        survey: which bands are fitted; the others are kept for the cuts.
        photometry: ``ApMatchedCat``.
        masses: ``StellarMasses``; its order is that of the rows.
        extinction: ``GalacticExtinction``, to correct the fitted bands with; None: as observed.

    Raises:
        InputError: a file is missing, damaged, lacks a column or has a galaxy twice, or they have
            no galaxy in common.
    """
    seen, known = (read_columns(path, None) for path in (photometry, masses))
    at, rows = _join(_ids(seen, photometry), _ids(known, masses), photometry, masses)
    paths = [path for path in (photometry, masses, extinction) if path is not None]
    gain = 1.0
    if extinction is not None:
        gain = _dereddening(extinction, survey.bands, _ids(known, masses)[rows], masses)
    flux = {band: _flux(seen, band, at, photometry) for band in FILTERS}
    mag = {band: _column(seen, f"MAG_AUTO_{band}", at, photometry) for band in "JK"}
    mass = _column(known, "logmintsfh", rows, masses) + survey.mass_offset
    maggies, error = zip(*(flux[band] for band in survey.bands), strict=True)
    source = "stand-in" if any(map(_is_standin, paths)) else "real"
    return SurveyTable(
        maggies=gain * np.stack(maggies, axis=1),
        maggies_error=gain * np.stack(error, axis=1),
        bands=survey.bands,
        filters=tuple(FILTERS[band] for band in survey.bands),
        reference={"redshift": _column(known, "Z", rows, masses), "log_stellar_mass": mass},
        j_minus_k=mag["J"] - mag["K"],  # as observed, like the limit between stars and galaxies
        path=", ".join(map(str, paths)),
        note=f"log mass {survey.mass_offset:+g} dex" if survey.mass_offset else "",
        others={band: flux[band] for band in FILTERS if band not in survey.bands},
        source=source,
        notes=(UNCORRECTED,) if extinction is None and source == "real" else (),
    )


def _is_standin(path: Path) -> bool:
    with open_fits(path) as hdus:
        return any(hdu.header.get(STANDIN_KEY, False) for hdu in hdus)


def _ids(table: Columns, path: Path) -> np.ndarray:
    found = pick(table, "CATAID", path)
    values, counts = np.unique(found, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"{path}: CATAID {values[counts > 1][0]:.0f} is there {counts.max()} times, "
            "expected once; get the table again"
        )
    return found


def _join(
    first: np.ndarray, second: np.ndarray, path_to_first: Path, path_to_second: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of both tables that are the same galaxies, in the order of the second."""
    _, at, rows = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    if not len(rows):
        raise InputError(
            f"{path_to_first} and {path_to_second} have no CATAID in common; get both again"
        )
    order = np.argsort(rows)
    return at[order], rows[order]


def _dereddening(
    path: Path, bands: Sequence[str], ids: np.ndarray, path_to_ids: Path
) -> np.ndarray:
    """Return the factors of fluxes (galaxy, band); NaN where the table lacks the galaxy."""
    table = read_columns(path, None)
    at, rows = _join(_ids(table, path), ids, path, path_to_ids)
    reddening = np.full(len(ids), np.nan)
    reddening[rows] = _column(table, REDDENING, at, path)
    return 10 ** (0.4 * np.outer(reddening, [EXTINCTION[band] for band in bands]))


def _column(table: Columns, name: str, rows: np.ndarray, path: Path) -> np.ndarray:
    values = pick(table, name, path)[rows]
    values[np.isin(values, MISSING)] = np.nan
    return values


def _flux(table: Columns, band: str, rows: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return AB maggies and their error, NaN where the magnitude is missing."""
    to_ab = 10 ** (-0.4 * ZERO_POINT)
    is_missing = np.isnan(_column(table, f"MAG_AUTO_{band}", rows, path))
    names = (f"FLUX_AUTO_{band}", f"FLUXERR_AUTO_{band}")
    flux, error = (_column(table, name, rows, path) * to_ab for name in names)
    flux[is_missing] = np.nan
    return flux, error
