"""Between astropy and the package: tables with units and descriptions, and theta from tables."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from astropy import units as u
from astropy.table import Column, Table

from popsed_core.diagnostics.columns import COLUMNS
from popsed_core.errors import InputError
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta


class Described(NamedTuple):
    """One column of a table.

    Attributes:
        name: of the column.
        values: one per row.
        unit: as astropy writes it; empty: none.
        description: one line.
    """

    name: str
    values: np.ndarray
    unit: str = ""
    description: str = ""


def make_table(columns: Iterable[Described], **meta: Any) -> Table:
    """Return a table with units and descriptions; ``QTable(table)`` holds Quantities."""
    made = [
        Column(
            column.values,
            name=column.name,
            unit=u.Unit(column.unit) if column.unit else None,
            description=column.description,
        )
        for column in columns
    ]
    return Table(made, meta=meta, copy=False)


def described(name: str, values: np.ndarray) -> Described:
    """Return a parameter or derived quantity as a column."""
    row = COLUMNS[name]
    return Described(name, values, row.unit, row.description)


def to_theta(table: Any) -> Theta:
    """Return the physical parameters of a table's rows, float64, in the package's units.

    Args:
        table: columns by name: astropy Table or QTable, mapping of arrays, structured array, or
            samples; more columns than the parameters do no harm. Columns with units are converted.

    Raises:
        InputError: a parameter is missing, of another length, not numbers or in a wrong unit.
    """
    names = list(table.keys()) if hasattr(table, "keys") else _fields_of(table)
    missing = [name for name in NAMES if name not in names]
    if missing:
        raise InputError(
            f"theta: no column {', '.join(missing)}; expected all of {', '.join(NAMES)}"
        )
    columns = {name: _values(table[name], name) for name in NAMES}
    sizes = {name: column.shape for name, column in columns.items()}
    if len(set(sizes.values())) != 1:
        raise InputError(f"theta: columns of different lengths: {sizes}; expected one table")
    return Theta(*(torch.from_numpy(columns[name].copy()) for name in NAMES))


def _fields_of(table: Any) -> tuple[str, ...]:
    names = getattr(getattr(table, "dtype", None), "names", None)
    if names is None:
        raise InputError(
            f"theta: got {type(table).__name__}, expected a table with the columns "
            f"{', '.join(NAMES)}"
        )
    return names


def _values(column: Any, name: str) -> np.ndarray:
    unit, target = getattr(column, "unit", None), COLUMNS[name].unit
    values = np.ma.asarray(getattr(column, "value", column))
    try:
        values = np.atleast_1d(values.astype(np.float64).filled(np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(f"theta: column {name!r} does not hold numbers ({error})") from error
    if values.ndim != 1:
        raise InputError(f"theta: column {name!r} has the shape {values.shape}, expected one axis")
    if unit is None or str(unit) == target:
        return values
    try:
        return u.Quantity(values << u.Unit(unit), subok=True).to(u.Unit(target)).value
    except (u.UnitsError, TypeError, ValueError) as error:
        raise InputError(
            f"theta: column {name!r} has the unit {unit}, expected {target or 'none'}; convert it"
        ) from error
