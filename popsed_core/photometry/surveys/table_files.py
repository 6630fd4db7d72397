"""Tables on disk as columns by name: FITS, CSV, HDF5 and Parquet, told apart by the suffix."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from pyarrow import csv, parquet

from popsed_core.artefacts import HDF5Dataset, HDF5Group, open_hdf5
from popsed_core.errors import InputError
from popsed_core.fits_files import open_fits

Columns = Mapping[str, Any]


def read_columns(path: Path, key: str | None) -> Columns:
    """Read a table.

    Args:
        path: the file; its suffix tells the format.
        key: name of the HDU (FITS) or of the group or compound dataset (HDF5); None: the first
            table, or the root.

    Raises:
        InputError: the file is missing, damaged, of unknown format, or has no such table.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise InputError(f"{path}: unknown format {suffix!r}, expected one of {sorted(READERS)}")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return READERS[suffix](path, key)


def _read_fits(path: Path, key: str | None) -> Columns:
    with open_fits(path) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        wanted = [hdu for hdu in tables if key is None or hdu.name == key.upper()]
        if not wanted:
            names = [hdu.name for hdu in tables]
            raise InputError(f"{path}: no table HDU {key or ''}, found {names}; check key")
        data = wanted[0].data
        return {name: data[name] for name in data.names}


def _read_hdf5(path: Path, key: str | None) -> Columns:
    with open_hdf5(path) as file:
        if key is not None and key not in file:
            raise InputError(f"{path}: no group {key!r}, found {sorted(file)}; check key")
        try:
            return _hdf5_columns(file[key] if key else file)
        except OSError as error:
            raise InputError(f"{path}: damaged HDF5 file ({error})") from error


def _hdf5_columns(node: HDF5Group | HDF5Dataset) -> Columns:
    """Return a group's datasets, or the fields of a compound dataset."""
    if isinstance(node, HDF5Dataset):
        records = node[()]
        return {name: records[name] for name in records.dtype.names or ()}
    children = {name: item for name, item in node.items() if isinstance(item, HDF5Dataset)}
    if len(children) == 1 and next(iter(children.values())).dtype.names:
        return _hdf5_columns(next(iter(children.values())))
    return {name: item[()] for name, item in children.items() if item.ndim > 0}


def _read_csv(path: Path, key: str | None) -> Columns:
    return _read_arrow(path, key, csv.read_csv)


def _read_parquet(path: Path, key: str | None) -> Columns:
    return _read_arrow(path, key, parquet.read_table)


def _read_arrow(path: Path, key: str | None, read: Callable[[Path], pa.Table]) -> Columns:
    if key is not None:
        raise InputError(f"key: {path} holds one table only, remove the key {key!r}")
    try:
        table = read(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: not a readable table ({' '.join(str(error).split())})"
        ) from error
    return {name: _numpy(table[name]) for name in table.column_names}


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    return column.to_numpy()


READERS: dict[str, Callable[[Path, str | None], Columns]] = {
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".csv": _read_csv,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}
