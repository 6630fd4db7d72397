import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from user_tables import SURVEY, WRITERS, N, build, columns, write_hdf5

from popsed_core.config.surveys import Cuts, TableBand, TableSurvey
from popsed_core.errors import InputError
from popsed_core.surveys.build import build_catalogue


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
