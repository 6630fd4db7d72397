"""Tables on disk as columns by name: FITS, CSV, ECSV, HDF5 and Parquet, by suffix."""

import codecs
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import fits
from pyarrow import csv, parquet

from popsed_core.errors import InputError
from popsed_core.files.artefacts import HDF5Dataset, HDF5Group, open_hdf5
from popsed_core.files.fits import open_fits
from popsed_core.files.inputs import require_file, reraise_as_input_error

Columns = Mapping[str, Any]
REMEDY = "replace it by a complete copy"
PIECE = 1 << 20  # [byte]


def read_columns(path: Path, key: str | None) -> Columns:
    """Read a table.

    Args:
        path: the file; its suffix determines the format.
        key: name of the HDU (FITS) or of the group or compound dataset (HDF5); None: the first
            table, or the root.

    Raises:
        InputError: the file is missing, damaged, of unknown format, or has no such table.
    """
    suffix = next((end for end in READERS if path.name.lower().endswith(end)), None)
    if suffix is None:
        raise InputError(
            f"{path}: unknown format {path.suffix!r}, expected one of {sorted(READERS)}"
        )
    return READERS[suffix](require_file(path), key)


def _check_names(names: Sequence[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} occurs twice; rename one of the two")


def _read_fits(path: Path, key: str | None) -> Columns:
    with open_fits(path) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        wanted = [hdu for hdu in tables if key is None or hdu.name == key.upper()]
        if not wanted:
            names = [hdu.name for hdu in tables]
            raise InputError(f"{path}: no table HDU {key or ''}, found {names}; check key")
        data = wanted[0].data
        _check_names(data.names, path)
        return {column.name: _fits_column(data, column) for column in data.columns}


def _fits_column(data: fits.FITS_rec, column: fits.Column) -> np.ndarray:
    """Return a column, with the integers that mark missing values (TNULL) as NaN."""
    values = data[column.name]
    if not isinstance(column.null, int | np.integer):
        return values
    stored = data.view(np.ndarray)[column.name]  # TNULL applies before TSCAL and TZERO
    return np.where(stored == column.null, np.nan, values)


def _read_hdf5(path: Path, key: str | None) -> Columns:
    with open_hdf5(path) as file, reraise_as_input_error(path, REMEDY):
        if key is not None and key not in file:
            raise InputError(f"{path}: no group {key!r}, found {sorted(file)}; check key")
        return _hdf5_columns(file[key] if key else file)


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
    return _read_arrow(path, key, _csv_table)


def _csv_table(path: Path) -> pa.Table:
    """Read a CSV table; lines that begin with # are comments; the last may be the header."""
    _check_text(path)
    n_comments, names = _csv_comments(path)
    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(skip_rows=n_comments, column_names=names),
        parse_options=csv.ParseOptions(
            invalid_row_handler=lambda row: "skip" if row.text.startswith("#") else "error"
        ),
    )


def _check_text(path: Path) -> None:
    """Raise InputError unless the whole table is UTF-8."""
    decoder, size = codecs.getincrementaldecoder("utf-8")(), 0
    open_binary = gzip.open if path.suffix.lower() == ".gz" else open
    with reraise_as_input_error(path, REMEDY), open_binary(path, "rb") as stream:
        while piece := stream.read(PIECE):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path}: not UTF-8 text, at byte {size + error.start}; convert it, for "
                    "instance with iconv"
                ) from error
            size += len(piece)


def _csv_comments(path: Path) -> tuple[int, list[str] | None]:
    """Return the number of comments at the top, and the names if the last comment holds them.

    It does if the first line after it has the same number of fields, all numbers or empty.
    """
    open_text = gzip.open if path.suffix.lower() == ".gz" else open
    comments: list[str] = []
    with open_text(path, "rt", encoding="utf-8-sig", errors="replace") as stream:
        first = next((line for line in stream if not _is_comment(line, comments)), "")
    if not comments:
        return 0, None
    names = [name.strip() for name in comments[-1].lstrip("#").split(",")]
    values = first.split(",")
    is_header = bool(first) and len(names) == len(values) and all(map(_is_number, values))
    return len(comments), names if is_header else None


def _is_comment(line: str, comments: list[str]) -> bool:
    if not line.startswith("#"):
        return False
    comments.append(line)
    return True


def _read_ecsv(path: Path, key: str | None) -> Columns:
    return _read_arrow(path, key, _ecsv_table)


def _ecsv_table(path: Path) -> pa.Table:
    """Read astropy's text table: a header of comments, which may name a comma as the delimiter."""
    _check_text(path)
    header = []
    with path.open(encoding="utf-8-sig") as stream:
        for line in stream:
            if not _is_comment(line, header):
                break
    delimiter = "," if any(line.startswith("# delimiter: ','") for line in header) else " "
    return csv.read_csv(
        path,
        read_options=csv.ReadOptions(skip_rows=len(header)),
        parse_options=csv.ParseOptions(delimiter=delimiter),
    )


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return not text.strip()
    return True


def _read_parquet(path: Path, key: str | None) -> Columns:
    return _read_arrow(path, key, parquet.read_table)


def _read_arrow(path: Path, key: str | None, read: Callable[[Path], pa.Table]) -> Columns:
    if key is not None:
        raise InputError(f"key: {path} holds one table only, remove the key {key!r}")
    try:
        table = read(path)
        names = [name.strip() for name in table.column_names]
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(
            f"{path}: not a readable table ({' '.join(str(error).split())})"
        ) from error
    _check_names(names, path)
    return {name: _numpy(column) for name, column in zip(names, table.columns, strict=True)}


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    values = column.to_numpy()
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        with suppress(TypeError, ValueError):  # rows of unequal length, or of text, stay objects
            return np.array(column.to_pylist(), dtype=float)
    return values


READERS: dict[str, Callable[[Path, str | None], Columns]] = {
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".fits.gz": _read_fits,
    ".fit.gz": _read_fits,
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".ecsv": _read_ecsv,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".parquet": _read_parquet,
    ".pq": _read_parquet,
}
