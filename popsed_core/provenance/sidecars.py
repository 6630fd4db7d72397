"""Provenance of a file, embedded in it or in a sidecar.

HDF5, .pt, FITS, PDF, PNG and SVG embed it.  A table or text for other programs (CSV, Markdown,
JSON, HTML) and a download, which must stay unchanged, have it in ``provenance/NAME.json`` next to
them, with the sha256 of the file it describes.
"""

import html
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, open_hdf5, read_text, sha256
from popsed_core.files.atomic import atomic_path
from popsed_core.files.fits import open_fits
from popsed_core.files.inputs import require_file
from popsed_core.running.loop import load_plain

FOLDER = "provenance"
FITS_KEY = "PROVENAN"  # eight letters at most
PDF_STRING = re.compile(rb"/Keywords \(((?:\\.|[^\\()])*)\)", re.DOTALL)
SVG_TEXT = re.compile(r"<dc:description>(.*?)</dc:description>", re.DOTALL)
PNG_HEAD, PNG_KEY = b"\x89PNG\r\n\x1a\n", b"Provenance\0"


class Record(NamedTuple):
    """A provenance and, for a sidecar, the sha256 of the file it describes."""

    provenance: Provenance
    sha256: str | None


def read_record(path: Path) -> Record | None:
    """Return the provenance of a file, or None if there is none.

    Raises:
        InputError: the file or its record is missing or unreadable.
    """
    require_file(path)
    text = READERS[path.suffix](path) if path.suffix in READERS else None
    if text is not None:
        return Record(_parse(text, path), None)
    beside = path_beside(path)
    if not beside.is_file():
        return None
    try:
        found = json.loads(beside.read_text())
        return Record(Provenance(**found["record"]), found["sha256"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{beside}: no record of {path.name} ({error}); remake both") from error


def write_beside(provenance: Provenance, *paths: Path) -> None:
    """Write the sidecars of files that cannot embed their record, after the files."""
    for path in paths:
        found = {"file": path.name, "record": asdict(provenance), "sha256": sha256(path)}
        with atomic_path(path_beside(path)) as partial:
            partial.write_text(json.dumps(found, sort_keys=True, indent=1) + "\n")


def path_beside(path: Path) -> Path:
    """Return the path of the sidecar of a file."""
    return path.parent / FOLDER / f"{path.name}.json"


def _parse(text: str, path: Path) -> Provenance:
    try:
        return Provenance(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{path}: its record cannot be read ({error}); delete the file and rerun"
        ) from error


def _of_hdf5(path: Path) -> str | None:
    with open_hdf5(path) as file:
        return read_text(file, "provenance") or None


def _of_plain(path: Path) -> str | None:
    found: Any = load_plain(path)
    has_record = isinstance(found, Mapping) and "provenance" in found
    return json.dumps(found["provenance"]) if has_record else None


def _of_fits(path: Path) -> str | None:
    with open_fits(path) as hdus:
        return next((hdu.header[FITS_KEY] for hdu in hdus if FITS_KEY in hdu.header), None)


def _of_pdf(path: Path) -> str | None:
    found = PDF_STRING.search(path.read_bytes())
    return re.sub(rb"\\(.)", rb"\1", found[1]).decode() if found else None


def _of_svg(path: Path) -> str | None:
    found = SVG_TEXT.search(path.read_text())
    return html.unescape(found[1]) if found else None


def _of_png(path: Path) -> str | None:
    """Iterate over the chunks of a PNG (PNG specification, 5.3): length, type, data, checksum."""
    data = path.read_bytes()
    at = len(PNG_HEAD)
    while data.startswith(PNG_HEAD) and at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 8 : at + 8 + length]
        if data[at + 4 : at + 8] == b"tEXt" and body.startswith(PNG_KEY):
            return body.removeprefix(PNG_KEY).decode("latin-1")
        at += 12 + length
    return None


READERS = {
    ".h5": _of_hdf5,
    ".pt": _of_plain,
    ".fits": _of_fits,
    ".pdf": _of_pdf,
    ".svg": _of_svg,
    ".png": _of_png,
}
