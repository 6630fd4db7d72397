import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from popsed_core.diagnostics.tables import write_tables
from popsed_core.parameters import DERIVED, PARAMETERS


@pytest.fixture
def paths(samples, tmp_path):
    write_tables(samples, 300, tmp_path / "samples.fits", tmp_path / "samples.csv")
    return tmp_path / "samples.fits", tmp_path / "samples.csv"


def test_fits_gives_back_values_units_and_descriptions(paths, samples):
    table = Table.read(paths[0])
    assert len(table) == 300
    np.testing.assert_array_equal(table["member"], np.repeat([1, 2, 3], 100))
    np.testing.assert_array_equal(table["redshift"], samples.theta[:, :100, 0].ravel())
    np.testing.assert_array_equal(table["log_sfr"], samples.derived[:, :100, 0].ravel())
    np.testing.assert_array_equal(table["mag_i"], samples.mag[:, :100, 3].ravel())
    assert table["t_burst"].unit == "Gyr"
    assert table["mag_u"].unit == "mag"
    header = fits.getheader(paths[0], "SAMPLES")
    for row in (*PARAMETERS, *DERIVED):
        comment = header[f"TCOMM{table.colnames.index(row.name) + 1}"]
        assert comment.startswith(row.description)
        assert not row.unit or comment.endswith(f"[{row.unit}]")
    assert table.meta["SOURCE"] == "mock"


def test_csv_says_what_fits_says(paths):
    table, text = Table.read(paths[0]), Table.read(paths[1], format="ascii.csv", comment="#")
    assert text.colnames == table.colnames
    for name in table.colnames:
        np.testing.assert_allclose(text[name], table[name], rtol=6e-6)
    assert "# log_stellar_mass: total formed stellar mass [dex(Msun)]" in paths[1].read_text()


def test_members_give_equal_numbers_and_no_more_than_they_have(samples, tmp_path):
    write_tables(samples, 10**6, tmp_path / "a.fits", tmp_path / "a.csv")
    table = Table.read(tmp_path / "a.fits")
    assert np.bincount(table["member"])[1:].tolist() == [600, 600, 600]


def test_same_samples_same_bytes_and_nothing_left_behind(paths, samples, tmp_path):
    before = [path.read_bytes() for path in paths]
    write_tables(samples, 300, *paths)
    assert before == [path.read_bytes() for path in paths]
    assert len(list(tmp_path.iterdir())) == 2
