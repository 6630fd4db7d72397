"""Tables in memory as surveys: astropy Tables and QTables, or columns by name, with their units.

Units are held to what the configuration says of the columns: fluxes (Jy and its multiples, maggies)
are converted to its zero point, magnitudes must be AB.  Columns without a unit count as they are.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u

from popsed_core.config.surveys import TableSurvey
from popsed_core.errors import InputError
from popsed_core.surveys.catalogue import SurveyTable
from popsed_core.surveys.columns import ENTRY
from popsed_core.surveys.table import photometry_of

AB_FLUX = u.zero_point_flux(3631.0 * u.Jy)  # of magnitude 0 (Oke & Gunn 1983)
FLUXES = "Jy, mJy, uJy, nJy or maggies"
MAGNITUDES = (u.mag, u.ABmag, u.mag(u.AB))


def read_memory(table: Any, survey: TableSurvey, name: str) -> SurveyTable:
    """Return the photometry of a table in memory.

    Args:
        table: columns by name: astropy Table or QTable, mapping, or anything with ``keys()``;
            entries may be Quantities, and masked.
        survey: the column map.
        name: of the survey, for messages.

    Raises:
        InputError: a column is missing, of another length, holds no numbers or has a unit that does
            not fit ``quantity``.
    """
    where = Path(f"surveys.{name}: table in memory")
    wanted = _units(survey)
    columns = {
        column: _plain(table[column], wanted.get(column), f"{where}: column {column!r}")
        for column in _names(table, where)
    }
    return photometry_of(columns, survey, where)


def _names(table: Any, where: Path) -> Iterable[str]:
    if hasattr(table, "keys"):
        return [str(name) for name in table.keys()]  # noqa: SIM118 (tables iterate over rows)
    names = getattr(getattr(table, "dtype", None), "names", None)
    if names is None:
        raise InputError(
            f"{where}: got {type(table).__name__}, expected an astropy Table or columns by name"
        )
    return names


def _units(survey: TableSurvey) -> Mapping[str, tuple[str, float]]:
    """Return what each column holds: ``flux`` or ``mag``, and the zero point of fluxes [mag]."""
    found: dict[str, tuple[str, float]] = {}
    for band in survey.bands.values():
        found |= {band.value: (survey.quantity, survey.zero_point)}
        found |= {band.error: (survey.quantity, survey.zero_point)}
        found |= {band.extinction: ("mag", 0.0)} if band.extinction else {}
    found |= {column: ("mag", 0.0) for column in (survey.j_mag, survey.k_mag) if column}
    return {_without_entry(column): held for column, held in found.items()}


def _without_entry(column: str) -> str:
    found = ENTRY.fullmatch(column)
    return found[1] if found else column


def _plain(column: Any, held: tuple[str, float] | None, where: str) -> Any:
    """Return a column as an array in the configuration's units; masked entries are NaN."""
    unit = getattr(column, "unit", None)
    values = np.ma.asarray(getattr(column, "value", column))
    if values.dtype.kind in "fiu" and np.ma.is_masked(values):
        values = values.astype(float).filled(np.nan)
    values = np.asarray(values)
    if unit is None or held is None:
        return values
    kind, zero_point = held
    return _flux(values, unit, zero_point, where) if kind == "flux" else _mag(values, unit, where)


def _flux(values: np.ndarray, unit: Any, zero_point: float, where: str) -> np.ndarray:
    try:
        if hasattr(unit, "function_unit"):  # magnitudes, whose errors are no fluxes
            raise u.UnitConversionError(f"{unit} is logarithmic")
        maggies = u.Unit(unit).to(u.mgy, values.astype(float), equivalencies=AB_FLUX)
    except (u.UnitsError, TypeError) as error:
        raise InputError(
            f"{where}: has the unit {unit}, expected a flux density ({FLUXES}), as quantity is "
            "flux; convert it, or set quantity to mag"
        ) from error
    return maggies * 10 ** (0.4 * zero_point)


def _mag(values: np.ndarray, unit: Any, where: str) -> np.ndarray:
    if unit not in MAGNITUDES:
        raise InputError(
            f"{where}: has the unit {unit}, expected AB magnitudes (ABmag or mag), as quantity is "
            "mag; convert it, or set quantity to flux"
        )
    return values
