"""Every kind of file gives its record back."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from astropy.io import fits
from made import MADE
from matplotlib.figure import Figure

from popsed_core import cli
from popsed_core.errors import InputError
from popsed_core.figures import style
from popsed_core.files import artefacts
from popsed_core.files.artefacts import record
from popsed_core.provenance.sidecars import FITS_KEY, path_beside, read_record, write_beside
from popsed_core.running import loop


@dataclass(frozen=True)
class Small:
    values: np.ndarray = artefacts.array("", "n")


def write_hdf5(path):
    artefacts.save(Small(np.ones(3)), path, MADE)


def write_fits(path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])
    table.header.update({FITS_KEY: record(MADE)})
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


def write_plain(path):
    loop.save_plain({"provenance": json.loads(record(MADE))}, path)


def write_figure(path):
    style.save(Figure(), path, source="real", record=record(MADE))


def write_text(path):
    path.write_text("some,numbers\n")
    write_beside(MADE, path)


WRITERS = {
    "a.h5": write_hdf5,
    "a.fits": write_fits,
    "a.pt": write_plain,
    "a.pdf": write_figure,
    "a.png": write_figure,
    "a.svg": write_figure,
    "a.csv": write_text,
    "a.md": write_text,
    "a.json": write_text,
    "a.html": write_text,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_its_record_back(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = read_record(tmp_path / name)
    assert found is not None
    assert found.provenance == MADE


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_record_gives_the_same_bytes(name, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        WRITERS[name](tmp_path / folder / name)
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    half = len(paths) // 2
    for first, second in zip(paths[:half], paths[half:], strict=True):
        assert first.read_bytes() == second.read_bytes(), first


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "a.svg", "a.csv"])
def test_a_file_without_a_record_is_told_in_one_line(name, tmp_path, capsys):
    path = tmp_path / name
    if name == "a.csv":
        path.write_text("a\n1\n")
    else:
        style.save(Figure(), path, source="real")
    assert cli.main(["provenance", str(path)]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert "neither embedded provenance nor a sidecar" in told
    assert told.count("\n") == 1


def test_a_damaged_record_is_an_input_error(tmp_path):
    path = tmp_path / "a.csv"
    write_text(path)
    path_beside(path).write_text("{")
    with pytest.raises(InputError, match=r"no record of a\.csv"):
        read_record(path)
