"""Tables in memory: the same photometry as from a file, in whatever units of flux."""

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

import popsed_core as popsed
from popsed_core.config.surveys import TableBand, TableSurvey
from popsed_core.surveys.memory import read_memory
from popsed_core.surveys.table import read_table

TOY = Path(__file__).resolve().parents[1] / "data" / "toy_survey.csv"
BANDS = {b: TableBand(f"sdss2010-{b}", f"mag_{b}", f"error_{b}") for b in "ugriz"}
MAG = TableSurvey("table", str(TOY), BANDS, "mag", reference={"redshift": "redshift"})
FLUX = TableSurvey("table", str(TOY), {"r": TableBand("sdss2010-r", "f", "e")}, "flux")
MAGGIES = np.array([1e-8, 3e-7, 2e-9])


@pytest.fixture(scope="module")
def table():
    return Table.read(TOY, format="ascii.csv")


def quantities(unit):
    """A table of fluxes [maggies] in another unit."""
    ab = u.zero_point_flux(3631 * u.Jy)
    flux, error = ((x << u.mgy).to(unit, ab) for x in (MAGGIES, 0.1 * MAGGIES))
    return QTable({"f": flux, "e": error})


def test_a_table_in_memory_is_the_table_on_disk(table):
    mine, theirs = read_memory(table, MAG, "toy"), read_table(MAG, TOY)
    assert mine.maggies.tobytes() == theirs.maggies.tobytes()
    assert mine.maggies_error.tobytes() == theirs.maggies_error.tobytes()
    assert mine.reference["redshift"].tobytes() == theirs.reference["redshift"].tobytes()


def test_a_survey_of_a_table_is_the_survey_of_its_file(mine_config, table):
    of_file = popsed.read_survey(mine_config)
    of_table = popsed.read_survey(mine_config, table)
    assert of_file.catalogue.mag.tobytes() == of_table.catalogue.mag.tobytes()
    assert of_file.noise.median.tobytes() == of_table.noise.median.tobytes()


@pytest.fixture(scope="module")
def mine_config(tmp_path_factory):
    path = tmp_path_factory.mktemp("memory") / "mine.yaml"
    smoke = TOY.parents[2] / "config" / "smoke.yaml"
    text = smoke.read_text().replace("tests/data/toy_survey.csv", str(TOY))
    path.write_text(text.replace("survey: table2_mock", "survey: toy_survey"))
    return popsed.load_config(path)


@pytest.mark.parametrize("unit", [u.Jy, u.mJy, u.uJy, u.nJy, u.mgy, u.nmgy, u.W / u.m**2 / u.Hz])
def test_a_flux_is_the_same_in_every_unit(unit):
    found = read_memory(quantities(unit), FLUX, "toy")
    assert found.maggies[:, 0] == pytest.approx(MAGGIES, rel=1e-12)
    assert found.maggies_error[:, 0] == pytest.approx(0.1 * MAGGIES, rel=1e-12)


def test_without_a_unit_the_configuration_says_it():
    plain = {"f": 10 ** (0.4 * 22.5) * MAGGIES, "e": MAGGIES}
    found = read_memory(plain, FLUX, "toy")
    assert found.maggies[:, 0] == pytest.approx(MAGGIES, rel=1e-12)


@pytest.mark.parametrize("unit", [u.ABmag, u.mag])
def test_magnitudes_may_say_that_they_are_ab(table, unit):
    said = table.copy()
    for band in "ugriz":
        said[f"mag_{band}"].unit, said[f"error_{band}"].unit = unit, u.mag
    assert np.array_equal(
        read_memory(said, MAG, "toy").maggies, read_memory(table, MAG, "toy").maggies
    )


@pytest.mark.parametrize("unit", [u.STmag, u.Jy, u.m])
def test_other_magnitudes_are_refused(table, unit):
    wrong = table.copy()
    wrong["mag_g"].unit = unit
    with pytest.raises(popsed.InputError, match=r"column 'mag_g': has the unit .*, expected AB"):
        read_memory(wrong, MAG, "toy")


@pytest.mark.parametrize("unit", [u.ABmag, u.erg / u.s, u.m])
def test_what_is_no_flux_density_is_refused(unit):
    wrong = Table({"f": MAGGIES, "e": MAGGIES})
    wrong["f"].unit = unit
    with pytest.raises(popsed.InputError, match=r"column 'f': has the unit .*expected a flux"):
        read_memory(wrong, FLUX, "toy")


def test_masked_entries_are_missing():
    column = MaskedColumn([1.0, 2.0, 3.0], mask=[False, True, False])
    found = read_memory({"f": column, "e": np.ones(3)}, FLUX, "toy")
    assert np.isnan(found.maggies[:, 0]).tolist() == [False, True, False]


def test_a_missing_column_is_named():
    with pytest.raises(popsed.InputError, match="table in memory: no column 'e'"):
        read_memory({"f": MAGGIES}, FLUX, "toy")


def test_what_is_no_table_is_refused():
    with pytest.raises(popsed.InputError, match="got list, expected an astropy Table"):
        read_memory([1, 2], FLUX, "toy")


def test_structured_arrays_are_tables():
    rows = np.zeros(3, dtype=[("f", float), ("e", float)])
    rows["f"], rows["e"] = 10 ** (0.4 * 22.5) * MAGGIES, 1.0
    assert read_memory(rows, FLUX, "toy").maggies[:, 0] == pytest.approx(MAGGIES)


def test_a_mock_takes_no_table(mine_config, table):
    with pytest.raises(popsed.InputError, match="a table goes with kind: table"):
        popsed.read_survey(mine_config, table, name="table2_mock")
