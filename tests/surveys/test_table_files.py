"""Tables of users as files: every format, and one line for what is no such table."""

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from pyarrow import parquet
from user_tables import SURVEY, WRITERS, N, build, columns

from popsed_core.config.surveys import TableBand, TableSurvey
from popsed_core.errors import InputError
from popsed_core.surveys.build import build_catalogue


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_format_gives_the_same_catalogue(tmp_path, name):
    catalogue, reference = build(tmp_path, name=name)
    table = columns()
    g_mag = 25 - 2.5 * np.log10(table["g_flux"]) - table["ebv_g"]
    r_mag = 25 - 2.5 * np.log10(table["r_flux"]) + 0.03
    np.testing.assert_allclose(catalogue.mag, np.column_stack([g_mag, r_mag]), rtol=1e-12)
    np.testing.assert_allclose(catalogue.mag_error / 1.0857362, np.tile([1 / 10, 1 / 30], (N, 1)))
    redshift = np.where(np.arange(N) == 7, np.nan, table["z_spec"])
    np.testing.assert_allclose(reference.values, np.column_stack([redshift, table["logm"]]))
    assert catalogue.filters == ("sdss2010-g", "sdss2010-r")


@pytest.mark.parametrize("name", list(WRITERS))
def test_missing_file_is_named(tmp_path, name):
    with pytest.raises(InputError, match=rf"{name}: no such file"):
        build_catalogue(SURVEY, tmp_path / name)


@pytest.mark.parametrize(
    "name", ["table.fits", "table.fits.gz", "table.csv.gz", "table.parquet", "table.h5"]
)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.95])
def test_truncated_file_is_an_input_error_that_names_it(tmp_path, name, kept):
    WRITERS[name](tmp_path / name, columns())
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=rf"{name}: "):
        build_catalogue(SURVEY, tmp_path / name)


def test_unknown_suffix_lists_the_formats(tmp_path):
    with pytest.raises(InputError, match=r"unknown format '\.xlsx', expected one of.*csv.*fits"):
        build_catalogue(SURVEY, tmp_path / "table.xlsx")


@pytest.mark.parametrize("name", ["table.fits", "table.h5", "table.csv"])
def test_wrong_key_is_refused(tmp_path, name):
    with pytest.raises(InputError, match="key"):
        build(tmp_path, name=name, key="nowhere")


# --- values that a format marks as missing ----------------------------------------------------
def write_nulls(path):
    """Integers with TNULL: as they are, unsigned (TZERO), and scaled (TSCAL)."""
    plain = fits.Column("plain", format="J", array=np.array([20, 21, -77]), null=-77)
    unsigned = fits.Column(
        "unsigned", format="J", bzero=2**31, null=22 - 2**31, array=np.array([20, 21, 22], "uint32")
    )
    scaled = fits.Column("scaled", format="I", array=np.array([40, 42, 44], "int16"), null=44)
    error = fits.Column("e", format="D", array=np.full(3, 0.1))
    hdu = fits.BinTableHDU.from_columns([plain, unsigned, scaled, error])
    hdu.writeto(path)
    with fits.open(path, mode="update") as hdus:
        hdus[1].header["TSCAL3"] = 0.5


@pytest.mark.parametrize("name", ["plain", "unsigned", "scaled"])
def test_the_integer_that_means_no_value_is_missing(tmp_path, name):
    write_nulls(tmp_path / "table.fits")
    bands = {"g": TableBand("sdss2010-g", name, "e")}
    catalogue, _ = build_catalogue(
        TableSurvey("table", "unused", bands, "mag"), tmp_path / "table.fits"
    )
    assert catalogue.mag[:, 0].tolist() == pytest.approx([20, 21])
    assert catalogue.n_kept[:2].tolist() == [3, 2]


def test_masked_integers_of_an_astropy_table_are_missing(tmp_path):
    table = Table({"m": [20, 21, 22], "e": [0.1, 0.1, 0.1]}, masked=True)
    table["m"].mask = [False, True, False]
    table.write(tmp_path / "table.fits")
    bands = {"g": TableBand("sdss2010-g", "m", "e")}
    catalogue, _ = build_catalogue(
        TableSurvey("table", "unused", bands, "mag"), tmp_path / "table.fits"
    )
    assert catalogue.mag[:, 0].tolist() == pytest.approx([20, 22])


# --- files that are not tables ----------------------------------------------------------------
@pytest.mark.parametrize("header", ["g_flux,g_flux", "g_flux, g_flux "])
def test_a_name_that_is_there_twice_is_refused(tmp_path, header):
    (tmp_path / "table.csv").write_text(f"{header}\n1,2\n")
    with pytest.raises(InputError, match=r"table\.csv: column 'g_flux' occurs twice; rename"):
        build_catalogue(SURVEY, tmp_path / "table.csv")


def test_columns_of_unequal_length_are_refused(tmp_path):
    told = r"table\.h5: column 'r_flux' has 49 rows, those before it 50; .*check key"
    with pytest.raises(InputError, match=told):
        build(tmp_path, columns() | {"r_flux": np.ones(N - 1)}, "table.h5")


def test_columns_that_are_not_used_may_have_any_length(tmp_path):
    catalogue, _ = build(tmp_path, columns() | {"edges": np.ones(3)}, "table.h5")
    assert len(catalogue.mag) == N


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(InputError, match=r"table\.csv: is a folder, expected a file"):
        build_catalogue(SURVEY, tmp_path / "table.csv")


def test_a_csv_of_comments_alone_is_refused(tmp_path):
    (tmp_path / "table.csv").write_text("# nothing\n# here\n")
    with pytest.raises(InputError, match=r"table\.csv: not a readable table"):
        build_catalogue(SURVEY, tmp_path / "table.csv")


def test_a_name_of_a_column_that_is_no_utf_8_is_told(tmp_path):
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"mag_g": [15.0]}), path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"mag_g", b"ma\xf2_g"))
    with pytest.raises(InputError, match=r"t\.parquet: not a readable table"):
        build_catalogue(SURVEY, path)
