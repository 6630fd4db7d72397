"""Files on disk: a frozen dataclass is the HDF5 schema.

Each array field declares its unit and axes once (``array("mag", "galaxy", "band")``); sizes are
checked when the object is made and again when it is read.  Writing is atomic and without
time stamps: same content, same bytes.  Every array carries the sha256 of its values, which is
verified before use; the rest of the file has the checksums of HDF5.  Very large arrays are
not compressed, so that they can be memory-mapped instead of read.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from popsed_core.errors import InputError
from popsed_core.files.atomic import DiskFile, atomic_path
from popsed_core.files.checksums import digest
from popsed_core.files.hdf5 import open_hdf5, read_attribute
from popsed_core.files.provenance import Provenance, record
from popsed_core.files.version import __version__

T = TypeVar("T")
MAPPED = 1 << 24  # values above which an array is mapped: 134 MB in float64
HDF5File, HDF5Group, HDF5Dataset = h5py.File, h5py.Group, h5py.Dataset  # for readers of tables


def array(unit: str, *axes: str) -> Any:
    """Declare an array field with its unit and the names of its axes."""
    return field(metadata={"unit": unit, "axes": axes})


def optional_array(unit: str, *axes: str) -> Any:
    """Declare an array whose class sets its shape when it is empty."""
    return field(default_factory=lambda: np.empty(0), metadata={"unit": unit, "axes": axes})


@dataclass(frozen=True)
class Stream:
    """Size, type and chunks of an array that is written in slices."""

    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]


def sha256(path: str | Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_axes(artefact: Any) -> None:
    """Raise ValueError unless every axis name has one size throughout the artefact."""
    sizes: dict[str, int] = {}
    for item in fields(artefact):
        axes = item.metadata.get("axes")
        if axes is None:
            continue
        value = getattr(artefact, item.name)
        owner = f"{type(artefact).__name__}.{item.name}"
        if value.ndim != len(axes):
            raise ValueError(f"{owner}: got {value.ndim} axes, expected {axes}")
        for axis, size in zip(axes, value.shape, strict=True):
            if sizes.setdefault(axis, size) != size:
                raise ValueError(f"{owner}: axis {axis} is {size}, elsewhere {sizes[axis]}")


def save(artefact: Any, path: str | Path, provenance: Provenance) -> None:
    """Write an artefact and its provenance to ``path`` (HDF5), atomically.

    Args:
        artefact: a dataclass whose array fields are made by :func:`array`; other fields are
            strings, numbers or tuples of them and become attributes.
        path: the file to make or replace.
        provenance: recorded in the file's attributes.
    """
    with _new_file(path) as file:
        _write_header(file, type(artefact), provenance)
        for item in fields(artefact):
            _write_field(file, item.name, item.metadata, getattr(artefact, item.name))


@contextmanager
def save_streamed(
    kind: type, path: str | Path, provenance: Provenance, values: Mapping[str, Any], **large: Stream
) -> Iterator[dict[str, HDF5Dataset]]:
    """Write an artefact whose large arrays do not fit into memory, atomically.

    Args:
        kind: the artefact's dataclass.
        path: the file to make or replace.
        provenance: recorded in the file's attributes.
        values: the fields that fit in memory.
        large: the other fields, which are checked against corruption when they are read.

    Yields:
        The datasets of the large fields, to be filled in slices.
    """
    with _new_file(path) as file:
        _write_header(file, kind, provenance)
        datasets = {}
        for item in fields(kind):
            if item.name in large:
                stream = large[item.name]
                options = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
                datasets[item.name] = file.create_dataset(
                    item.name, stream.shape, stream.dtype, chunks=stream.chunks,
                    track_times=False, fletcher32=True, **options,
                )  # fmt: skip
                _describe(datasets[item.name], item.metadata)
            else:
                _write_field(file, item.name, item.metadata, values[item.name])
        yield datasets


@contextmanager
def _new_file(path: str | Path) -> Iterator[h5py.File]:
    with atomic_path(path) as partial, DiskFile(partial, "x+") as disk:
        try:
            with h5py.File(disk, "w", libver="v110") as file:
                yield file
                _write_text(file, "sha256", _digest_of_attributes(file))
        finally:
            disk.check()  # any other error is a consequence


def _write_header(file: h5py.File, kind: type, provenance: Provenance) -> None:
    _write_text(file, "artefact", kind.__name__)
    _write_text(file, "popsed_version", __version__)
    _write_text(file, "provenance", record(provenance))


def _write_field(file: h5py.File, name: str, metadata: Mapping[str, Any], value: Any) -> None:
    if "axes" not in metadata:
        _write_text(file, name, json.dumps(value))
        return
    is_packed = 1000 < value.size <= MAPPED
    options = {"compression": "gzip", "shuffle": True} if is_packed else {}
    data = file.create_dataset(name, data=np.asarray(value), track_times=False, **options)
    _write_text(data, "sha256", digest(np.asarray(value)))
    _describe(data, metadata)


def _describe(data: h5py.Dataset, metadata: Mapping[str, Any]) -> None:
    _write_text(data, "unit", metadata["unit"])
    _write_text(data, "axes", json.dumps(metadata["axes"]))


def _write_text(owner: h5py.File | h5py.Dataset, name: str, text: str) -> None:
    """Write a string of fixed length.

    Variable-length strings lie in a heap that has no checksum, and on which HDF5 hangs if damaged.
    """
    data = text.encode() or b"\0"
    owner.attrs.create(name, np.bytes_(data), dtype=h5py.string_dtype("utf-8", len(data)))


def read_text(owner: HDF5File | HDF5Dataset, name: str) -> str:
    """Return a string attribute of a file or of one of its arrays; empty if there is none."""
    value = read_attribute(owner, name, "")
    return value.decode() if isinstance(value, bytes) else str(value)


def load(path: str | Path, kind: type[T]) -> T:
    """Read an artefact of the given class.

    Raises:
        InputError: the file is missing, truncated, of another kind, lacks a field, or its
            fields do not fit each other.
    """
    with _open(path, kind.__name__) as file:
        values = {item.name: _read_field(file, path, item) for item in fields(kind)}
    try:
        return kind(**values)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: {error}; delete it and rerun") from error


def load_slice(path: str | Path, kind: type, name: str, *parts: slice) -> np.ndarray:
    """Read part of one array of an artefact, one slice per axis.

    Raises:
        InputError: the file is missing, truncated, of another kind, or its bytes are damaged.
    """
    with _open(path, kind.__name__) as file:
        try:
            data = file[name]
            return data[parts] if data.fletcher32 else _read_array(data, path)[parts]
        except (KeyError, OSError) as error:
            raise InputError(
                f"{path}: field {name} cannot be read ({error}); delete the file and rerun"
            ) from error


def load_except(path: str | Path, kind: type[T], *names: str) -> dict[str, Any]:
    """Read the fields of an artefact without the large ones.

    Raises:
        InputError: the file is missing, truncated, of another kind, or lacks a field.
    """
    with _open(path, kind.__name__) as file:
        small = [item for item in fields(kind) if item.name not in names]
        return {item.name: _read_field(file, path, item) for item in small}


def load_provenance(path: str | Path) -> Provenance:
    """Read the provenance of any artefact.

    Raises:
        InputError: the file is not an artefact.
    """
    with _open(path) as file:
        if "provenance" not in file.attrs:
            raise InputError(f"{path}: carries no provenance, so it is not a popsed artefact")
        return Provenance(**json.loads(read_text(file, "provenance")))


def _open(path: str | Path, kind: str | None = None) -> h5py.File:
    file = open_hdf5(path)
    try:
        found = read_text(file, "artefact") or "no popsed artefact"
        is_whole = read_text(file, "sha256") == _digest_of_attributes(file)
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        file.close()
        raise InputError(f"{path}: damaged ({error}); delete it and rerun") from error
    if kind is not None and found != kind:
        file.close()
        raise InputError(f"{path}: holds {found}, expected {kind}; delete it and rerun")
    if "artefact" in file.attrs and not is_whole:
        file.close()
        raise InputError(f"{path}: damaged (its fields fail their sha256); delete it and rerun")
    return file


def _read_field(file: h5py.File, path: str | Path, item: Any) -> Any:
    try:
        if "axes" in item.metadata:
            return _read_array(file[item.name], path)
        return _as_tuple(json.loads(read_text(file, item.name)))
    except (KeyError, OSError, ValueError) as error:
        raise InputError(
            f"{path}: field {item.name} cannot be read ({error}); delete the file and rerun"
        ) from error


def _read_array(data: h5py.Dataset, path: str | Path) -> np.ndarray:
    """Return the values, or a read-only memory map if they are large and not compressed.

    Raises:
        OSError: the checksum differs.  A map is read once to verify it, piece by piece, about
            a second per gigabyte.
    """
    if data.dtype.hasobject:
        raise OSError("it holds objects, not numbers")
    offset = data.id.get_offset()
    is_mapped = data.size > MAPPED and offset is not None
    values = np.memmap(path, data.dtype, "r", offset, data.shape) if is_mapped else data[()]
    if not data.fletcher32 and read_text(data, "sha256") != digest(values):
        raise OSError("its values do not match their sha256")
    return values


def _digest_of_attributes(file: h5py.File) -> str:
    """Return the sha256 of all fields that are not arrays; HDF5 does not checksum strings."""
    texts = [f"{name}={read_text(file, name)}" for name in sorted(file.attrs) if name != "sha256"]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
