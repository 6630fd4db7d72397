"""Names of filters: patterns such as ``lsst2023-*`` are all that match among speclite's."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.resources import files

from popsed_core.errors import InputError
from popsed_core.photometry.filters import load_filter

WILD = set("*?[")


def expand_filters(patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the filters that names and patterns stand for, by wavelength within a pattern.

    Args:
        patterns: names as :func:`popsed_core.photometry.filters.load_filter` knows them, or
            patterns of speclite's names with ``*``, ``?`` or ``[...]``.

    Raises:
        InputError: nothing matches a pattern, or none is given.
    """
    if isinstance(patterns, str):
        patterns = [patterns]
    found: list[str] = []
    for pattern in patterns:
        names = _matching(pattern) if WILD & set(pattern) else [pattern]
        found += [name for name in names if name not in found]
    if not found:
        raise InputError("filters: got none, expected names such as 'sdss2010-r' or 'lsst2023-*'")
    return tuple(found)


def speclite_names() -> tuple[str, ...]:
    """Return the names of all filters that come with speclite."""
    folder = files("speclite") / "data" / "filters"
    return tuple(
        sorted(
            item.name.removesuffix(".ecsv")
            for item in folder.iterdir()
            if item.name.endswith(".ecsv")
        )
    )


def _matching(pattern: str) -> list[str]:
    known = speclite_names()
    names = [name for name in known if fnmatchcase(name, pattern)]
    if not names:
        groups = sorted({name.split("-")[0] for name in known})
        raise InputError(
            f"filters: no filter matches {pattern!r}; speclite's groups are {', '.join(groups)}"
        )
    return sorted(names, key=lambda name: load_filter(name).effective_wave)
