"""Checks of input files: existence, permission, damage."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from popsed_core.errors import InputError


def require_file(path: str | Path, remedy: str = "") -> Path:
    """Return the path of a file that can be read.

    Args:
        path: the file.
        remedy: what to do if it is missing, other than correcting the path.

    Raises:
        InputError: there is no such file, or it is a folder, or it may not be read.
    """
    found = Path(path)
    end = f"; {remedy}" if remedy else ""
    if found.is_dir():
        raise InputError(f"{path}: is a folder, expected a file{end}")
    if not found.is_file():
        raise InputError(f"{path}: no such file{end}")
    if not os.access(found, os.R_OK):
        raise InputError(f"{path}: no permission to read it; ask its owner, or chmod it")
    return found


# what libraries raise on malformed files
DAMAGE = (
    OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, IndexError, AttributeError,
    RuntimeError, OverflowError, MemoryError,
)  # fmt: skip


@contextmanager
def reraise_as_input_error(path: str | Path, remedy: str, *more: type[Exception]) -> Iterator[None]:
    """Reraise any error of a library reading a damaged file as one line; wrap only the reading.

    Args:
        path: the file.
        remedy: what to do.
        more: exceptions of the library's own.

    Raises:
        InputError: names the file.
    """
    try:
        yield
    except InputError:
        raise
    except (*DAMAGE, *more) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{path}: damaged ({text}); {remedy}") from error
