"""The doorway to HDF5 files: readable, and with everything in the file itself.

A file that others made may hold links to other files, arrays that lie in other files, or groups
within themselves: whoever reads it would read, and publish, what nobody has given them.
"""

from pathlib import Path

import h5py

from popsed_core.errors import InputError
from popsed_core.inputs import require_file


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
    except (KeyError, OSError, RuntimeError, ValueError) as error:
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
