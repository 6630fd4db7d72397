"""Shared by the survey readers: columns by name, as float64, with clear errors."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.errors import InputError

ENTRY = re.compile(r"(.+)\[(\d+)\]")  # NAME[k]: entry k, from 0, of a column of vectors


def pick(table: Mapping[str, Any], name: str, path: str | Path) -> np.ndarray:
    """Return one column as native float64.

    Args:
        table: columns by name.
        name: the column, or ``NAME[k]`` for entry k, from 0, of a column of vectors.
        path: the table's file, for messages.

    Raises:
        InputError: there is no such column (the message lists close matches and all columns), or
            it does not hold numbers, or no such entry.
    """
    names = list(table)
    found = None if name in names else ENTRY.fullmatch(name)
    if found is not None:
        return _entry(pick(table, found[1], path), found[1], int(found[2]), path)
    if name not in names:
        close = difflib.get_close_matches(name.lower(), [item.lower() for item in names], n=3)
        similar = [item for item in names if item.lower() in close]
        hint = f"did you mean {', '.join(similar)}? " if similar else ""
        raise InputError(f"{path}: no column {name!r}; {hint}the table has {', '.join(names)}")
    try:
        return np.asarray(table[name]).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: column {name!r} does not hold numbers ({error})") from error


def _entry(values: np.ndarray, name: str, entry: int, path: str | Path) -> np.ndarray:
    if values.ndim != 2 or entry >= values.shape[1]:
        n_values = int(np.prod(values.shape[1:]))
        raise InputError(
            f"{path}: column {name!r} has no entry [{entry}]: it has {n_values} per row, counted "
            "from 0"
        )
    return values[:, entry]
