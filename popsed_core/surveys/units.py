"""The units that a table states for its columns."""

import re
from pathlib import Path

from astropy.io import fits

from popsed_core.files.artefacts import open_hdf5
from popsed_core.files.fits import open_fits


def read_units(path: Path, key: str | None = None) -> dict[str, str]:
    """Return the units of columns by name: FITS, HDF5 and ECSV may have some, others none.

    Args:
        path: the table, which has been read before.
        key: name of the HDU (FITS) or of the group (HDF5), as in the configuration.
    """
    name = path.name.lower()
    if name.endswith((".fits", ".fit", ".fits.gz", ".fit.gz")):
        return _of_fits(path, key)
    if name.endswith((".h5", ".hdf5")):
        return _of_hdf5(path, key)
    return _of_ecsv(path) if name.endswith((".ecsv", ".csv")) else {}


def _of_fits(path: Path, key: str | None) -> dict[str, str]:
    with open_fits(path) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        table = next(hdu for hdu in tables if key is None or hdu.name == key.upper())
        return {column.name: str(column.unit) for column in table.columns if column.unit}


def _of_hdf5(path: Path, key: str | None) -> dict[str, str]:
    with open_hdf5(path) as file:
        node = file[key] if key else file
        children = node.items() if hasattr(node, "items") else ()
        found = {name: item.attrs.get("unit", item.attrs.get("units")) for name, item in children}
        return {name: _as_text(unit) for name, unit in found.items() if unit is not None}


def _as_text(unit: object) -> str:
    return unit.decode() if isinstance(unit, bytes) else str(unit)


def _of_ecsv(path: Path) -> dict[str, str]:
    """Read `# - {name: flux_g, unit: nJy, datatype: float64}`, as astropy writes it."""
    lines = []
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        for line in stream:
            if not line.startswith("#"):
                break
            lines.append(line)
    found = re.findall(r"name: ([^,}]+), unit: ([^,}]+)", "".join(lines))
    return {name.strip(" '\""): unit.strip(" '\"") for name, unit in found}
