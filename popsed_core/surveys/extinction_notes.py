"""Was Galactic extinction forgotten?  Hints from the columns of a table.

Foreground dust reddens galaxies, and a fit attributes that to their dust, age or redshift: with
A_g = 0.2 mag, common at high latitudes, colours move by several times their calibration error.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from popsed_core.config.surveys import TableSurvey

EXTINCTION = re.compile(
    r"a_?[a-z]\d?|a_?v|.*e[_(]?b[_-]?v\)?.*|(gal_?)?ext(inction)?([_\[].*)?|.*_ext(inction)?"
    r"|.*extinction.*|mw_?transmission.*|sfd.*",
    re.IGNORECASE,
)
SKY = re.compile(
    r"(.*_)?(ra|dec|raj2000|dej2000|decj2000|alpha(_?j2000)?|delta(_?j2000)?|glon|glat)"
    r"(_?deg)?",
    re.IGNORECASE,
)
CORRECTED = re.compile(r"dered|corr|unred|extcor|_0$|noext", re.IGNORECASE)
IDENTIFIERS = {  # column, lower case: the survey whose catalogues have it
    "specobjid": "SDSS",
    "objid": "SDSS",
    "cataid": "GAMA",
    "brickid": "the Legacy Surveys",
    "brickname": "the Legacy Surveys",
    "coadd_object_id": "DES",
    "coadd_objects_id": "DES",
}
NAMES = ("sdss", "boss", "gama", "decals", "legacy", "des", "desi", "hsc", "kids", "cfhtls",
         "cosmos", "panstarrs", "ps1", "skymapper", "euclid", "wise", "galex",
         "candels")  # fmt: skip
FURTHER = "ignore this if the values are corrected already"


def extinction_notes(survey: TableSurvey, columns: Iterable[str]) -> tuple[str, ...]:
    """Return a note if bands have no extinction that they seem to need; at most one.

    Args:
        survey: the column map.
        columns: names of all columns of the table.
    """
    used = {name for band in survey.bands.values() for name in (band.value, band.error)}
    bare = [
        name
        for name, band in survey.bands.items()
        if band.extinction is None and not CORRECTED.search(band.value)
    ]
    if not bare:
        return ()
    reason = _reason(survey, sorted(set(columns) - used), bare)
    if not reason:
        return ()
    return (
        f"bands {' '.join(bare)}: no Galactic extinction is subtracted, but {reason}; set "
        f"bands.{bare[0]}.extinction to a column of A [mag]; {FURTHER}",
    )


def _reason(survey: TableSurvey, columns: list[str], bare: list[str]) -> str:
    """Return the strongest hint that extinction is missing; empty if there is none."""
    if others := [name for name in survey.bands if name not in bare]:
        return f"it is in {' '.join(others)}"
    if found := [name for name in columns if EXTINCTION.fullmatch(name)]:
        return f"the table has {', '.join(found[:3])}, by the name a column of it"
    if found := [name for name in columns if SKY.fullmatch(name)]:
        return f"the table has positions ({', '.join(found[:2])}), so it is of the real sky"
    if found := [IDENTIFIERS[name.lower()] for name in columns if name.lower() in IDENTIFIERS]:
        return f"it looks like a table of {found[0]}"
    words = re.split(r"[^a-z0-9]+", Path(survey.path).stem.lower())
    return next((f"its name says {name}" for name in NAMES if name in words), "")
