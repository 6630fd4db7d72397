"""Before a file is opened: is it there, is it a file, may it be read?"""

import os
from pathlib import Path

from popsed_core.errors import InputError


def require_file(path: str | Path, remedy: str = "") -> Path:
    """Return the path of a file that can be read.

    Args:
        path: the file.
        remedy: what to do when it is missing, if that is more than to correct the path.

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
