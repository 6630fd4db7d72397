"""Access to FITS files: a missing, damaged or incomplete file raises one clear InputError."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits

from popsed_core.errors import InputError
from popsed_core.files.atomic import atomic_path
from popsed_core.files.inputs import DAMAGE, require_file, reraise_as_input_error

REMEDY = "delete it and rerun to make it again, or point the configuration at a complete copy"
SIGNS = ("truncated", "Error validating header")  # astropy only warns of these


@contextmanager
def open_fits(path: str | Path) -> Iterator[fits.HDUList]:
    """Open a FITS file for reading.

    Raises:
        InputError: the file is missing, is not FITS (gzipped or not), or ends before its last
            header says.
    """
    with require_file(path).open("rb") as stream, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            hdus = fits.open(stream, memmap=False, lazy_load_hdus=True)
            _load_all(hdus)
        except (*DAMAGE, fits.VerifyError) as error:
            raise InputError(f"{path}: not a readable FITS file ({error}); {REMEDY}") from error
        if any(mark in str(item.message) for item in caught for mark in SIGNS):
            raise InputError(f"{path}: truncated FITS file; {REMEDY}")
        with reraise_as_input_error(path, REMEDY, fits.VerifyError), hdus:
            yield hdus


def _load_all(hdus: fits.HDUList) -> None:
    """Load all HDUs, each after the last: a header of negative size would loop for ever.

    Raises:
        OSError: one is damaged, or does not follow the last.
    """
    end, number = 0, 0
    while True:
        try:
            hdu = hdus[number]
        except IndexError:
            return
        if not hasattr(hdu, "fileinfo"):
            raise OSError(f"HDU {number} is damaged")
        place = hdu.fileinfo()
        if place["hdrLoc"] < end or place["datSpan"] < 0:
            raise OSError(f"HDU {number} is of negative size")
        end, number = place["datLoc"], number + 1


def write_fits(hdus: fits.HDUList, path: str | Path) -> None:
    """Write a FITS file, atomically.

    It is assembled in memory: given a name, astropy would choose a compression by its suffix,
    and report a full disk in its own way.

    Raises:
        InputError: the disk is full, or cannot be written to.
    """
    content = io.BytesIO()
    hdus.writeto(content)
    with atomic_path(path) as partial:
        partial.write_bytes(content.getbuffer())


def hdu_data(hdus: fits.HDUList, name: str, path: str | Path) -> np.ndarray:
    """Return the data of the HDU called ``name``.

    Raises:
        InputError: there is no such HDU, or it holds no data.
    """
    if name not in hdus or hdus[name].data is None:
        found = [hdu.name for hdu in hdus]
        raise InputError(f"{path}: HDU {name} is missing or empty, found {found}; {REMEDY}")
    return hdus[name].data
