"""The doorway to HDF5 files: readable, and with everything in the file itself.

A file that others made may hold links to other files, arrays that lie in other files, or groups
within themselves: whoever reads it would read, and publish, what nobody has given them.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py

from popsed_core.errors import InputError
from popsed_core.files.inputs import require_file

PATIENCE = 20  # [s] for a text of any length
READ_TEXT = """
import sys, h5py
with h5py.File(sys.argv[1], "r") as file:
    sys.stdout.buffer.write(file[sys.argv[2]].attrs[sys.argv[3]].encode(errors="replace"))
"""


def open_hdf5(path: str | Path) -> h5py.File:
    """Open any HDF5 file for reading.

    Raises:
        InputError: the file is missing, is no readable HDF5, or leads to other files.
    """
    require_file(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"{path}: not a readable HDF5 file ({error}); delete it and rerun to make it again"
        ) from error
    try:
        _check_group(file, path, set())
    except (KeyError, OSError, RuntimeError, TypeError, ValueError) as error:
        file.close()
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: damaged ({error}); delete it and rerun") from error
    return file


def _check_group(group: h5py.Group, path: str | Path, seen: set[int]) -> None:
    """Raise InputError where anything in a group lies elsewhere; a group is looked at once."""
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise InputError(
                f"{path}: {name} is a link to {link.filename}; copy its content into the file"
            )
        if not isinstance(link, h5py.HardLink):
            continue  # to a place in this file, which is looked at there
        item = group[name]
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            raise InputError(
                f"{path}: the values of {name} lie in other files; copy them into this one"
            )
        address = h5py.h5o.get_info(item.id).addr
        if isinstance(item, h5py.Group) and address not in seen:
            seen.add(address)
            _check_group(item, path, seen)


def read_attribute(owner: h5py.Group | h5py.Dataset, name: str, default: Any) -> Any:
    """Return an attribute of a file that others made, or the default where there is none.

    Text of variable length lies in a heap in which HDF5 may look for ever once it is damaged, and
    nothing in this process could stop it: a child reads it.

    Raises:
        InputError: the text cannot be read, or not in PATIENCE.
    """
    if name not in owner.attrs:
        return default
    kind = owner.attrs.get_id(name).get_type()
    if not kind.detect_class(h5py.h5t.VLEN) and not _is_variable_text(kind):
        return owner.attrs[name]
    path = owner.file.filename
    command = [sys.executable, "-c", READ_TEXT, path, owner.name, name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise InputError(
            f"{path}: attribute {name} is damaged or no text; replace the file by a complete copy"
        ) from error
    return done.stdout.decode()


def _is_variable_text(kind: h5py.h5t.TypeID) -> bool:
    return isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
