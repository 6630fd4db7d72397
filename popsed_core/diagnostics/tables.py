"""Tables of posterior samples: FITS with units and descriptions, and CSV.

Each row is one synthetic galaxy: its member, its parameters, its derived quantities and its
predicted photometry.  Logarithmic units such as dex(Msun) are not FITS units, and readers warn of
them; they are given in brackets at the end of the description (TCOMM) instead of in TUNIT.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from popsed_core.diagnostics.columns import COLUMNS
from popsed_core.files.atomic import atomic_path
from popsed_core.files.fits import write_fits
from popsed_core.files.version import __version__
from popsed_core.inference.samples import PopulationSamples

FITS_UNITS = {"Gyr": "Gyr", "mag(AB)": "mag"}  # our unit: the same in FITS
SIGNIFICANT_DIGITS = 6


class TableColumn(NamedTuple):
    """One column of the table."""

    name: str
    unit: str
    description: str
    values: np.ndarray

    @property
    def comment(self) -> str:
        """Description with the unit in brackets."""
        return f"{self.description} [{self.unit}]" if self.unit else self.description


def write_tables(
    samples: PopulationSamples,
    n_rows: int,
    path_to_fits: str | Path,
    path_to_csv: str | Path,
    cards: Mapping[str, str] | None = None,
) -> None:
    """Write posterior samples as FITS and as CSV.

    Args:
        samples: draws of the ensemble.
        n_rows: rows in all; each member gives an equal number, rounded down to at least one, and
            not more than it has.
        path_to_fits: binary table SAMPLES; SOURCE in its header: real, mock, ...
        path_to_csv: comment lines (#) with the description and unit of each column, a line of
            names, and the rows.
        cards: more of the FITS header, such as the table's provenance.
    """
    columns = table_columns(samples, n_rows)
    write_fits(_fits_table(columns, samples.source, cards or {}), path_to_fits)
    with atomic_path(path_to_csv) as partial:
        partial.write_text(_csv_text(columns, samples.source))


def table_columns(samples: PopulationSamples, n_rows: int) -> list[TableColumn]:
    """Return the columns: member, parameters, derived quantities, magnitudes.

    Draws of a member are independent, so its first ones stand for all.
    """
    n_members, n_draws, _ = samples.theta.shape
    n_each = min(max(n_rows // n_members, 1), n_draws)
    member = np.repeat(np.arange(1, n_members + 1, dtype=np.int16), n_each)
    columns = [TableColumn("member", "", "number of the ensemble's flow", member)]
    for name in (*samples.names, *samples.derived_names):
        row = COLUMNS[name]
        values = samples.column(name)[:, :n_each].ravel().astype(np.float32)
        columns.append(TableColumn(name, row.unit, row.description, values))
    for index, band in enumerate(samples.bands):
        values = samples.mag[:, :n_each, index].ravel().astype(np.float32)
        text = f"predicted magnitude with noise in {band}"
        columns.append(TableColumn(f"mag_{band}", "mag(AB)", text, values))
    return columns


def _fits_table(columns: list[TableColumn], source: str, cards: Mapping[str, str]) -> fits.HDUList:
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column(
                name=column.name,
                format="I" if column.values.dtype.kind == "i" else "E",
                unit=FITS_UNITS.get(column.unit),
                array=column.values,
            )
            for column in columns
        ],
        name="SAMPLES",
    )
    for number, column in enumerate(columns, start=1):
        table.header.set(f"TCOMM{number}", column.comment, after=f"TFORM{number}")
    table.header["SOURCE"] = (source, "real, mock, stand-in or toy")
    table.header["CREATOR"] = f"popsed {__version__}"
    table.header.update(cards)
    return fits.HDUList([fits.PrimaryHDU(), table])


def _csv_text(columns: list[TableColumn], source: str) -> str:
    lines = [f"# popsed {__version__}, source: {source}"]
    lines += [f"# {column.name}: {column.comment}" for column in columns]
    lines.append(",".join(column.name for column in columns))
    texts = [[f"{x:.{SIGNIFICANT_DIGITS}g}" for x in column.values.tolist()] for column in columns]
    lines += [",".join(row) for row in zip(*texts, strict=True)]
    return "\n".join(lines) + "\n"
