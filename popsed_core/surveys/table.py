"""Survey reader: any FITS, CSV, HDF5 or Parquet table whose columns the configuration maps.

Columns hold fluxes with any AB zero point or AB magnitudes: m = zero_point - 2.5 log10 flux,
then ``offset`` is added and ``extinction`` subtracted.
"""

from pathlib import Path

import numpy as np

from popsed_core.config.checks import check_table_survey
from popsed_core.config.surveys import TableBand, TableSurvey
from popsed_core.constants import MAG_PER_LN
from popsed_core.errors import InputError
from popsed_core.surveys.catalogue import SurveyTable
from popsed_core.surveys.columns import pick
from popsed_core.surveys.extinction_notes import extinction_notes
from popsed_core.surveys.table_files import Columns, read_columns

# ASSUME: no galaxy survey has a median magnitude outside these [mag]; the columns are wrong then
BRIGHTEST_MEDIAN, FAINTEST_MEDIAN = 5.0, 32.0


def read_table(survey: TableSurvey, path: Path) -> SurveyTable:
    """Read a user's table: AB maggies, corrected for extinction where a column is given.

    Args:
        survey: the column map (its cuts are applied later).
        path: the table; the suffix determines the format.

    Raises:
        InputError: the file is missing, damaged or of unknown format, lacks a column, holds no
            valid value in one, or its magnitudes are implausible.
    """
    return photometry_of(read_columns(path, survey.key), survey, path)


def photometry_of(columns: Columns, survey: TableSurvey, path: Path) -> SurveyTable:
    """Return the photometry of a table that is at hand; arguments and errors as above.

    Args:
        columns: by name, in the units that the configuration states.
        survey: the column map.
        path: where the table comes from, for messages.
    """
    check_table_survey(survey)
    table = _Table(columns, survey, path)
    pairs = [table.band(name, band) for name, band in survey.bands.items()]
    return SurveyTable(
        maggies=np.stack([maggies for maggies, _ in pairs], axis=1),
        maggies_error=np.stack([error for _, error in pairs], axis=1),
        bands=tuple(survey.bands),
        filters=tuple(band.filter for band in survey.bands.values()),
        reference={name: table.column(column) for name, column in survey.reference.items()},
        j_minus_k=table.j_minus_k(),
        path=str(path),
        notes=extinction_notes(survey, table.columns),
    )


class _Table:
    """The columns of one file with the survey's conventions for missing values and units."""

    def __init__(self, columns: Columns, survey: TableSurvey, path: Path) -> None:
        self.columns = columns
        self.survey = survey
        self.path = path
        self.n_rows: int | None = None

    def column(self, name: str) -> np.ndarray:
        """Return a column with missing values as NaN."""
        values = pick(self.columns, name, self.path)
        if values.ndim != 1:
            raise InputError(
                f"{self.path}: column {name!r} has {values.shape[1:]} values per row, expected "
                f"one; name one entry, e.g. {name}[0]"
            )
        self.n_rows = len(values) if self.n_rows is None else self.n_rows
        if len(values) != self.n_rows:
            raise InputError(
                f"{self.path}: column {name!r} has {len(values)} rows, those before it "
                f"{self.n_rows}; expected one table, check key and columns"
            )
        values[np.isin(values, self.survey.missing)] = np.nan
        if values.size and not np.isfinite(values).any():
            raise InputError(f"{self.path}: column {name!r} holds no valid value")
        return values

    def band(self, name: str, band: TableBand) -> tuple[np.ndarray, np.ndarray]:
        """Return AB maggies and their errors in one band."""
        values, error = self.column(band.value), self.column(band.error)
        self._check_magnitude(name, band, values)
        extinction = self.column(band.extinction) if band.extinction else np.zeros(())
        to_ab = 10 ** (-0.4 * (band.offset - extinction))
        if self.survey.quantity == "mag":
            with np.errstate(over="ignore"):  # an absurd magnitude is infinite, and cut as such
                maggies = 10 ** (-0.4 * values) * to_ab
            return maggies, maggies * error / MAG_PER_LN
        unit = 10 ** (-0.4 * self.survey.zero_point) * to_ab
        return values * unit, error * unit

    def _check_magnitude(self, name: str, band: TableBand, values: np.ndarray) -> None:
        if values.size == 0:  # reported later, as an empty selection
            return
        measured = values[np.isfinite(values)]
        if self.survey.quantity == "flux":
            measured = self.survey.zero_point - 2.5 * np.log10(measured[measured > 0])
        median = np.median(measured) if measured.size else np.nan
        if not BRIGHTEST_MEDIAN < median < FAINTEST_MEDIAN:
            raise InputError(
                f"{self.path}: bands.{name}: column {band.value!r} read as {self.survey.quantity} "
                f"has a median AB magnitude of {median:.1f}, expected {BRIGHTEST_MEDIAN:g} to "
                f"{FAINTEST_MEDIAN:g}; check quantity and zero_point"
            )

    def j_minus_k(self) -> np.ndarray | None:
        """Return the colour of the star cut (magnitudes on the AB system), where configured."""
        if self.survey.j_mag is None or self.survey.k_mag is None:
            return None
        return self.column(self.survey.j_mag) - self.column(self.survey.k_mag)
