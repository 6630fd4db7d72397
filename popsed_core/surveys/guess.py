"""What the columns of an unknown table probably hold: bands, errors, zero point, redshift."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.errors import InputError
from popsed_core.surveys.conventions import (
    CONVENTIONS,
    GALACTIC,
    INFRARED,
    MASSES,
    OTHERS,
    REDSHIFTS,
    SDSS,
    SENTINELS,
    TELESCOPES,
    ZERO_POINTS,
    Convention,
)

USUAL_MISSING = (99.0, -99.0, -9999.0)  # what the configuration takes for no value anyway
PLAUSIBLE = (14.0, 29.0)  # [mag] of the median galaxy of a survey
TRIED = (22.5, 23.9, 31.4, 30.0, 25.0, 8.9, 0.0)  # [mag] zero points, the most usual first
UNITS_OF_ONE = "22.5 is nanomaggies, 23.9 uJy, 31.4 nJy, 8.9 Jy, 30 the counts of DES"
WANTED = (
    "write them yourself, as `g: {filter: decam2014-g, value: flux_g, error: flux_err_g}`; "
    "`popsed config describe --defaults` has all keys"
)


@dataclass(frozen=True)
class Band:
    """One band: its filter, columns, and why."""

    name: str
    filter: str
    value: str
    error: str
    extinction: str | None = None
    offset: float = 0.0
    why: str = ""


@dataclass(frozen=True)
class Guess:
    """What a table holds, each with the reason.

    Attributes:
        bands: in the order of the table.
        quantity: flux or mag.
        zero_point: AB magnitude of flux 1 [mag]; None for magnitudes.
        reference: column and reason of ``redshift`` and ``log_stellar_mass``.
        missing: values that mean no data, beyond the usual.
        reasons: why, by key of the configuration.
        unknown: columns that nothing was made of.
    """

    bands: tuple[Band, ...]
    quantity: str
    zero_point: float | None
    reference: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    missing: tuple[float, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def guess(columns: Mapping[str, Any], units: Mapping[str, str], path: Path) -> Guess:
    """Return what the columns of a table probably hold.

    Args:
        columns: by name.
        units: of some columns, as the table spells them.
        path: of the table, whose name may tell the survey.

    Raises:
        InputError: no column is recognised as a band with an error.
    """
    names = [name for name, values in columns.items() if _is_numeric(values)]
    found = [(each, bands) for each in CONVENTIONS if (bands := _bands(each, names))]
    if not found:
        raise InputError(
            f"{path}: no columns with a flux or magnitude and its error are recognised among "
            f"{', '.join(list(columns)[:20])}; {WANTED}"
        )
    convention, bands = max(found, key=lambda item: len(item[1]))
    bands, survey = _with_filters(convention, bands, [path.stem, *names])
    if not bands:
        columns_found = ", ".join(band.value for band in found[0][1])
        raise InputError(f"{path}: no filter is known for the columns {columns_found}; {WANTED}")
    zero_point, why = _zero_point(convention, bands, columns, units)
    reference = _reference(names, {column for band in bands for column in (band.value, band.error)})
    used = {c for band in bands for c in (band.value, band.error, band.extinction)}
    used |= {column for column, _ in reference.values()}
    reasons = {"quantity": _why_quantity(convention, bands), "zero_point": why, "filters": survey,
               "notes": convention.notes}  # fmt: skip
    return Guess(
        bands,
        convention.quantity,
        zero_point,
        reference,
        _missing(columns, bands),
        reasons,
        tuple(name for name in columns if name not in used),
    )


def _is_numeric(values: Any) -> bool:
    return values.ndim == 1 and np.issubdtype(values.dtype, np.number)


def _bands(convention: Convention, names: Sequence[str]) -> list[Band]:
    """Return the bands of one convention: columns that fit its pattern and have an error."""
    by_lower = {name.lower(): name for name in names}
    found = []
    for name in names:
        match = re.fullmatch(convention.value, name) or re.fullmatch(
            convention.value, name, re.IGNORECASE
        )
        if match is None:
            continue
        band = match["band"]
        error = _first(convention.errors, band, by_lower)
        if error is not None and error != name:
            extinction = _first((*convention.extinctions, *GALACTIC), band, by_lower)
            found.append(Band(band, "", name, error, extinction))
    return found


def _first(templates: Sequence[str], band: str, by_lower: Mapping[str, str]) -> str | None:
    wanted = (template.format(band=band).lower() for template in templates)
    return next((by_lower[name] for name in wanted if name in by_lower), None)


def _with_filters(
    convention: Convention, bands: Sequence[Band], words: Sequence[str]
) -> tuple[tuple[Band, ...], str]:
    """Return the bands that have a filter, and where the filters come from."""
    filters, survey = dict(convention.filters), f"columns are named as in {convention.name}"
    if not filters:
        text = " ".join(words).lower()
        telescope = next(
            (word for word in TELESCOPES if re.search(rf"(?<![a-z]){word}(?![a-z])", text)), None
        )
        filters = {**OTHERS, **(TELESCOPES[telescope] if telescope else SDSS)}
        survey = (
            f"the name {telescope!r} stands in the table"
            if telescope
            else "ASSUMED: nothing says which telescope; these are SDSS's, change them"
        )
    found = []
    for band in bands:
        spelled = next(
            (b for b in (band.name, band.name.lower(), band.name.upper()) if b in filters), None
        )
        if spelled is None:
            continue
        why = "a Vega magnitude needs an offset to AB" if _may_be_vega(convention, band) else ""
        offset = convention.offsets.get(spelled, 0.0)
        name = spelled if convention.name != "COSMOS2020" else spelled.replace("_CH", "")
        found.append(replace(band, name=name, filter=filters[spelled], offset=offset, why=why))
    return tuple(found), survey


def _may_be_vega(convention: Convention, band: Band) -> bool:
    return not convention.name and convention.quantity == "mag" and band.name in INFRARED


def _why_quantity(convention: Convention, bands: Sequence[Band]) -> str:
    return f"by the name of {bands[0].value}"


def _zero_point(
    convention: Convention,
    bands: Sequence[Band],
    columns: Mapping[str, Any],
    units: Mapping[str, str],
) -> tuple[float | None, str]:
    """Return the zero point of fluxes [mag] and where it comes from."""
    if convention.quantity == "mag":
        return None, ""
    unit = units.get(bands[0].value, "").strip()
    if (key := unit.lower().replace(" ", "")) in ZERO_POINTS:
        return ZERO_POINTS[key], f"the unit of {bands[0].value} is {unit}"
    if convention.zero_point is not None:
        return convention.zero_point, f"as {convention.name} publishes such columns"
    flux = np.asarray(columns[bands[len(bands) // 2].value], float)
    median = float(np.median(flux[flux > 0])) if (flux > 0).any() else 1.0
    fits = (zp for zp in TRIED if PLAUSIBLE[0] < zp - 2.5 * np.log10(median) < PLAUSIBLE[1])
    given = f"the unit {unit!r} is not known" if unit else "the table has no unit"
    why = f"ASSUMED: {given}; with it the median galaxy is plausible, but so it may be with others"
    return next(fits, TRIED[0]), f"{why}: {UNITS_OF_ONE}"


def _reference(names: Sequence[str], used: set[str]) -> dict[str, tuple[str, str]]:
    """Return the columns of redshift and mass to compare with."""
    free = [name for name in names if name not in used]
    found = {}
    for pattern, is_photometric in REDSHIFTS:
        column = next((name for name in free if re.fullmatch(pattern, name, re.IGNORECASE)), None)
        if column is not None:
            why = "photometric, so no truth" if is_photometric else "by its name"
            found["redshift"] = (column, why)
            break
    mass = next((name for name in free if re.fullmatch(MASSES, name, re.IGNORECASE)), None)
    return found | ({"log_stellar_mass": (mass, "by its name; [dex Msun]")} if mass else {})


def _missing(columns: Mapping[str, Any], bands: Sequence[Band]) -> tuple[float, ...]:
    """Return the values that stand for no data in several rows, if any are unusual."""
    seen = {
        value
        for value in SENTINELS
        for band in bands
        if (np.asarray(columns[band.value]) == value).sum() > 1
    }
    return tuple(sorted(seen | set(USUAL_MISSING))) if seen - set(USUAL_MISSING) else ()
