"""Tables of a made-up survey in every format that is read."""

import dataclasses
import gzip

import h5py
import numpy as np
import pyarrow as pa
from astropy.table import Table
from pyarrow import csv, parquet

from popsed_core.config.surveys import TableBand, TableSurvey
from popsed_core.surveys.build import build_catalogue

N = 50
BANDS = {
    "g": TableBand(filter="sdss2010-g", value="g_flux", error="g_err", extinction="ebv_g"),
    "r": TableBand(filter="sdss2010-r", value="r_flux", error="r_err", offset=0.03),
}
SURVEY = TableSurvey(
    kind="table",
    path="unused",
    bands=BANDS,
    quantity="flux",
    zero_point=25.0,
    reference={"redshift": "z_spec", "log_stellar_mass": "logm"},
)


def columns():
    generator = np.random.default_rng(5)
    flux = 10 ** generator.uniform(0, 3, (N, 2))
    return {
        "g_flux": flux[:, 0],
        "g_err": flux[:, 0] / 10,
        "r_flux": flux[:, 1],
        "r_err": flux[:, 1] / 30,
        "ebv_g": generator.uniform(0, 0.3, N),
        "z_spec": np.where(np.arange(N) == 7, -9999.0, generator.uniform(0, 1, N)),
        "logm": generator.uniform(8, 12, N),
        "J": np.full(N, 18.0),
        "K": 18.0 - np.linspace(0, 0.05, N),
        "name": np.array([f"galaxy {row}" for row in range(N)]),
    }


def write_hdf5(path, table):
    with h5py.File(path, "w") as file:
        for name, values in table.items():
            file[f"photometry/{name}"] = values.astype("S") if values.dtype.kind == "U" else values


def write_compound(path, table):
    with h5py.File(path, "w") as file:
        numbers = {name: values for name, values in table.items() if values.dtype.kind == "f"}
        file["__astropy_table__"] = Table(numbers).as_array()


def write_spaced(path, table):
    """A hand-written CSV: comments, also inside the table, and spaces around names and values."""
    rows = [" , ".join(map(str, row)) for row in zip(*table.values(), strict=True)]
    head = ["# a survey, made up,", "# by hand", " , ".join(table)]
    path.write_text("\n".join([*head, *rows[:9], "# half-time", *rows[9:]]) + "\n")


def write_commented(path, table):
    """A CSV of numbers whose header is a comment, as numpy.savetxt writes it."""
    numbers = {name: values for name, values in table.items() if values.dtype.kind == "f"}
    header = "made up\n" + ", ".join(numbers)
    np.savetxt(path, np.column_stack(list(numbers.values())), delimiter=",", header=header)


def write_gzipped(path, table):
    plain = path.with_suffix("")
    WRITERS[plain.name](plain, table)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()


WRITERS = {
    "table.fits": lambda path, table: Table(table).write(path),
    "table.fits.gz": write_gzipped,
    "table.csv": lambda path, table: csv.write_csv(pa.table(table), path),
    "table.csv.gz": write_gzipped,
    "spaced.csv": write_spaced,
    "commented.csv": write_commented,
    "table.parquet": lambda path, table: parquet.write_table(pa.table(table), path),
    "table.h5": write_hdf5,
    "compound.hdf5": write_compound,
}


def build(folder, table=None, name="table.fits", **changes):
    WRITERS[name](folder / name, columns() if table is None else table)
    key = "photometry" if name == "table.h5" else None
    return build_catalogue(dataclasses.replace(SURVEY, **{"key": key} | changes), folder / name)
