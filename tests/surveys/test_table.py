import dataclasses
import gzip

import h5py
import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv, parquet

from popsed_core.config.surveys import Cuts, TableBand, TableSurvey
from popsed_core.errors import InputError
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


def test_flux_and_magnitude_columns_agree(tmp_path):
    expected, _ = build(tmp_path)
    table = columns()
    for band in "gr":
        flux, error = table[f"{band}_flux"], table[f"{band}_err"]
        table[f"{band}_flux"], table[f"{band}_err"] = (
            25 - 2.5 * np.log10(flux),
            2.5 / np.log(10) * error / flux,
        )
    found, _ = build(tmp_path, table, "table.parquet", quantity="mag")
    np.testing.assert_allclose(found.mag, expected.mag, rtol=1e-12)
    np.testing.assert_allclose(found.mag_error, expected.mag_error, rtol=1e-12)


@settings(max_examples=20)
@given(st.floats(20, 30, allow_subnormal=False), st.floats(-1, 1, allow_subnormal=False))
def test_zero_point_and_offset_add(tmp_path_factory, zero_point, offset):
    folder = tmp_path_factory.mktemp("table")
    bands = {"g": TableBand("sdss2010-g", "g_flux", "g_err", offset=offset)}
    catalogue, _ = build(folder, bands=bands, zero_point=zero_point)
    expected = zero_point + offset - 2.5 * np.log10(columns()["g_flux"])
    np.testing.assert_allclose(catalogue.mag[:, 0], expected, rtol=1e-10)


def test_missing_values_and_nan_are_cut_by_name(tmp_path):
    table = columns()
    table["g_flux"][:4] = [99.0, -99.0, -9999.0, np.nan]
    table["r_err"][4] = np.nan
    catalogue, _ = build(tmp_path, table)
    kept = dict(zip(catalogue.cut_names, catalogue.n_kept.tolist(), strict=True))
    assert (kept["read"], kept["finite photometry"], kept["flux > 0"]) == (N, N - 5, N - 5)


def test_integers_with_gaps_and_empty_columns_are_read(tmp_path):
    (tmp_path / "table.csv").write_text("g,e,z\n20,1,\n21,,\n22,2,\n")
    bands = {"g": TableBand("sdss2010-g", "g", "e")}
    survey = TableSurvey("table", "unused", bands, "mag", cuts=Cuts(min_snr=0))
    catalogue, _ = build_catalogue(survey, tmp_path / "table.csv")
    assert catalogue.mag[:, 0].tolist() == pytest.approx([20, 22])
    with pytest.raises(InputError, match="column 'z' holds no valid value"):
        build_catalogue(
            dataclasses.replace(survey, reference={"redshift": "z"}), tmp_path / "table.csv"
        )


def test_star_cut_uses_the_configured_columns(tmp_path):
    catalogue, _ = build(tmp_path, j_mag="J", k_mag="K", cuts=Cuts(min_j_minus_k=0.025))
    assert catalogue.n_kept[-1] == N // 2


def test_missing_column_lists_close_matches_and_all_columns(tmp_path):
    bands = {"g": TableBand("sdss2010-g", "G_FLUXX", "g_err")}
    with pytest.raises(
        InputError, match=r"table\.fits: no column 'G_FLUXX'; did you mean g_flux.*z_spec, logm"
    ):
        build(tmp_path, bands=bands)


@pytest.mark.parametrize("name", ["table.fits", "table.csv", "table.parquet", "table.h5"])
def test_column_of_text_is_named(tmp_path, name):
    bands = {"g": TableBand("sdss2010-g", "name", "g_err")}
    with pytest.raises(InputError, match="column 'name' does not hold numbers"):
        build(tmp_path, name=name, bands=bands)


def test_column_of_nan_is_named(tmp_path):
    with pytest.raises(InputError, match="column 'g_err' holds no valid value"):
        build(tmp_path, columns() | {"g_err": np.full(N, np.nan)})


def test_column_of_vectors_is_named(tmp_path):
    with pytest.raises(InputError, match=r"'g_flux' has \(5,\) values per row, expected one"):
        build(tmp_path, columns() | {"g_flux": np.ones((N, 5))})


@pytest.mark.parametrize("changes", [{"quantity": "mag"}, {"zero_point": 0.0}])
def test_implausible_magnitudes_ask_for_quantity_and_zero_point(tmp_path, changes):
    table = columns() | {"g_flux": np.geomspace(100, 1e6, N)}
    with pytest.raises(InputError, match=r"bands\.g: .*median AB magnitude.*check quantity"):
        build(tmp_path, table, **changes)


def test_column_without_any_positive_flux_is_implausible(tmp_path):
    with pytest.raises(InputError, match=r"bands\.g: .*check quantity"):
        build(tmp_path, columns() | {"g_flux": np.full(N, -1.0)})


def test_empty_selection_names_the_cut(tmp_path):
    with pytest.raises(InputError, match=r"no galaxy is left.*loosen the cut 'r < 10'"):
        build(tmp_path, cuts=Cuts(max_mag={"r": 10.0}))


def test_table_without_rows_is_an_empty_selection(tmp_path):
    empty = {name: values[:0] for name, values in columns().items()}
    with pytest.raises(InputError, match="no galaxy is left; rows after each cut: read: 0"):
        build(tmp_path, empty, "table.parquet")


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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": {"zspec": "z_spec"}}, r"reference: unknown names \['zspec'\]"),
        ({"j_mag": "J"}, "j_mag, k_mag: give both"),
    ],
)
def test_inconsistent_section_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        build(tmp_path, **changes)


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


# --- columns of vectors -----------------------------------------------------------------------


def vectors():
    table = columns()
    flux = np.column_stack([table["r_flux"], table["g_flux"]])
    return table | {"flux": flux, "error": flux / 10}


def write_lists(path, table):
    lists = {name: values.tolist() for name, values in table.items()}
    parquet.write_table(pa.table(lists), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("table.fits", WRITERS["table.fits"]), ("table.h5", write_hdf5), ("t.parquet", write_lists)],
)
def test_an_entry_of_a_column_of_vectors_is_a_column(tmp_path, name, write):
    write(tmp_path / name, vectors())
    bands = {"g": TableBand("sdss2010-g", "flux[1]", "error[1]", "ebv_g")}
    key = "photometry" if name == "table.h5" else None
    survey = dataclasses.replace(SURVEY, bands=bands, key=key)
    found, _ = build_catalogue(survey, tmp_path / name)
    expected, _ = build(tmp_path, name="table.csv")
    np.testing.assert_allclose(found.mag[:, 0], expected.mag[:, 0], rtol=1e-12)


def test_a_column_whose_name_has_brackets_is_itself(tmp_path):
    table = columns()
    table["flux[1]"] = table["g_flux"]
    found, _ = build(tmp_path, table, bands={"g": TableBand("sdss2010-g", "flux[1]", "g_err")})
    plain = {"g": TableBand("sdss2010-g", "g_flux", "g_err")}
    expected, _ = build(tmp_path, name="table.csv", bands=plain)
    np.testing.assert_allclose(found.mag, expected.mag, rtol=1e-12)


@pytest.mark.parametrize("column", ["flux[2]", "g_flux[0]"])
def test_an_entry_that_is_not_there_is_named(tmp_path, column):
    bands = {"g": TableBand("sdss2010-g", column, "error[1]")}
    with pytest.raises(InputError, match=r"table\.fits: column '.*flux' has no entry \[\d\]: it"):
        build(tmp_path, vectors(), bands=bands)


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
