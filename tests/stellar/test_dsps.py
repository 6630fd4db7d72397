import h5py
import numpy as np
import pytest

from popsed_core.config.ssp import SSPConfig
from popsed_core.errors import InputError
from popsed_core.files import hdf5 as hdf5_files
from popsed_core.files.artefacts import Provenance, save
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.dsps import read_dsps
from popsed_core.stellar.ssp.surviving_mass import hearin21_surviving_fraction
from popsed_core.stellar.ssp.toy import toy_grid

RANGE = (3000.0, 9000.0)
DATASETS = ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave", "ssp_flux")


@pytest.fixture(scope="module")
def toy():
    return toy_grid((1000.0, 30000.0))


@pytest.fixture
def table(tmp_path, toy):
    path = tmp_path / "dsps.h5"
    with h5py.File(path, "w") as file:
        for name in DATASETS:
            file[name] = getattr(toy, name)
    return path


def test_table_is_read_as_it_stands_within_the_range(table, toy):
    grid = build_ssp(SSPConfig(reader="dsps", wave_low=RANGE[0], wave_high=RANGE[1]), table)
    first = np.searchsorted(toy.ssp_wave, RANGE[0]) - 1
    pixels = slice(first, first + grid.ssp_wave.size)
    np.testing.assert_array_equal(grid.ssp_wave, toy.ssp_wave[pixels])
    np.testing.assert_array_equal(grid.ssp_flux, toy.ssp_flux[..., pixels])
    assert grid.ssp_wave[-2] < RANGE[1] < grid.ssp_wave[-1]


def test_table_that_says_nothing_is_taken_for_the_one_dsps_makes(table):
    grid = read_dsps(table, RANGE)
    assert (grid.imf, grid.source) == ("Kroupa", "real")
    assert 10**grid.log_zsun == pytest.approx(0.0142)


def test_absent_surviving_mass_is_the_hearin_fit_of_the_tables_imf(table):
    with h5py.File(table, "a") as file:
        file.attrs["imf"] = "Salpeter"
    grid = read_dsps(table, RANGE)
    expected = hearin21_surviving_fraction(grid.ssp_lg_age_gyr + 9, "Salpeter")
    np.testing.assert_allclose(grid.surviving_mass, np.tile(expected, (5, 1)))


def test_our_own_artefact_is_a_table_of_this_layout(tmp_path, toy):
    save(toy, tmp_path / "ssp.h5", Provenance(source="toy"))
    again = read_dsps(tmp_path / "ssp.h5", (toy.ssp_wave[0], toy.ssp_wave[-1]))
    for name in (*DATASETS, "surviving_mass"):
        np.testing.assert_array_equal(getattr(again, name), getattr(toy, name))
    for name in ("library", "imf", "log_zsun", "lsun", "source"):
        assert getattr(again, name) == getattr(toy, name)


@pytest.mark.parametrize("name", DATASETS)
def test_missing_dataset_is_named_with_those_found(table, name):
    with h5py.File(table, "a") as file:
        del file[name]
    with pytest.raises(InputError, match=rf"dsps\.h5: dataset {name} is missing, found \['ssp_"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize("kept", [0.0, 0.001, 0.5, 0.99])
def test_truncated_file_is_an_input_error_that_names_it(table, kept):
    content = table.read_bytes()
    table.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(InputError, match=r"dsps\.h5: not a readable HDF5 file"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        ("ssp_wave", lambda values: values[::-1], "covers"),
        ("ssp_lgmet", lambda values: values[::-1], "ssp_lgmet: expected strictly increasing"),
        ("ssp_flux", lambda values: np.where(values > 0, np.nan, 0), "expected finite values"),
        ("ssp_flux", lambda values: values.T, "axis"),
    ],
)
def test_wrong_values_name_file_and_field(table, name, spoil, message):
    with h5py.File(table, "a") as file:
        values = spoil(file[name][()])
        del file[name]
        file[name] = values
    with pytest.raises(InputError, match=rf"dsps\.h5: .*{message}"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize(
    ("given", "imf"),
    [
        ("Chabrier", "Chabrier"),
        ("chabrier", "Chabrier"),
        ("Chabrier (2003)", "Chabrier"),
        ("chabrier2003", "Chabrier"),
        ("KROUPA 2001", "Kroupa"),
        ("Kroupa IMF", "Kroupa"),
        (b"Salpeter1955", "Salpeter"),
        ('"Kroupa"', "Kroupa"),
    ],
)
def test_every_usual_spelling_of_an_imf_is_understood(table, given, imf):
    with h5py.File(table, "a") as file:
        file.attrs["imf"] = given
    assert read_dsps(table, RANGE).imf == imf


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("imf", "van Dokkum 2008", "attribute imf: got 'van Dokkum 2008'.*Chabrier.*correct"),
        ("log_zsun", "solar", "attribute log_zsun: got 'solar', expected a number"),
        ("log_zsun", 0.0142, "log_zsun: got 0.0142.*log10 of the Sun's mass fraction"),
        ("lsun", 3.828e26, "lsun: got 3.828e\\+26.*erg / s"),
        ("lsun", [1.0, 2.0], "attribute lsun: got .*expected a number"),
        ("source", "fsps", "attribute source: got 'fsps', expected real or toy"),
    ],
)
def test_an_attribute_that_cannot_be_is_named(table, name, value, message):
    with h5py.File(table, "a") as file:
        file.attrs[name] = value
    with pytest.raises(InputError, match=rf"dsps\.h5: {message}"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize(
    ("name", "unit", "message"),
    [
        ("ssp_wave", "nm", "dataset ssp_wave is in nm, expected Angstrom"),
        ("ssp_flux", "erg / s / AA", "dataset ssp_flux is in erg / s / AA, expected Lsun"),
        ("ssp_lg_age_gyr", "dex(yr)", r"dataset ssp_lg_age_gyr is in dex\(yr\)"),
    ],
)
def test_a_unit_that_a_table_states_is_believed(table, name, unit, message):
    with h5py.File(table, "a") as file:
        file[name].attrs["unit"] = unit
    with pytest.raises(InputError, match=rf"dsps\.h5: {message}"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize(
    ("name", "convert", "message"),
    [
        ("ssp_wave", lambda wave: wave / 1e4, "covers 0.09.* AA"),
        ("ssp_lg_age_gyr", lambda age: age + 9, "ssp_lg_age_gyr: got 5 to 10.3.*in Gyr.*convert"),
        ("ssp_lgmet", lambda metals: metals + 1.7, "ssp_lgmet: got .*mass fraction of metals"),
        ("ssp_flux", lambda flux: flux * 1e9, "ssp_flux: 1 Msun of age 1 Gyr emits .*Lsun / Hz"),
        ("ssp_flux", lambda flux: flux * 3.8e-33, "ssp_flux: 1 Msun of age 1 Gyr emits"),
    ],
)
def test_values_in_another_unit_are_noticed(table, name, convert, message):
    with h5py.File(table, "a") as file:
        file[name][...] = convert(file[name][()])
    with pytest.raises(InputError, match=rf"dsps\.h5: {message}"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize("ages", [slice(45, None), slice(None, -5)])
def test_a_table_without_the_youngest_or_the_oldest_stars_is_refused(table, ages):
    with h5py.File(table, "a") as file:
        age, flux = file["ssp_lg_age_gyr"][ages], file["ssp_flux"][:, ages]
        del file["ssp_lg_age_gyr"], file["ssp_flux"]
        file["ssp_lg_age_gyr"], file["ssp_flux"] = age, flux
    with pytest.raises(InputError, match=r"dsps\.h5: ssp_lg_age_gyr: has ages of .*needs 0\.01"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize("program", ["import time; time.sleep(100)", "raise OSError", "1 / 0"])
def test_text_that_cannot_be_read_in_time_is_told(table, monkeypatch, program):
    """HDF5 may hang on a variable-length string if its heap is damaged."""
    with h5py.File(table, "a") as file:
        file.attrs["imf"] = "Chabrier"
    assert read_dsps(table, RANGE).imf == "Chabrier"
    monkeypatch.setattr(hdf5_files, "READ_TEXT", program)
    monkeypatch.setattr(hdf5_files, "PATIENCE", 1)
    with pytest.raises(InputError, match=r"dsps\.h5: attribute imf is damaged or no text"):
        read_dsps(table, RANGE)


@pytest.mark.parametrize("size", [0, 39, 62, 122, 2**40])
def test_a_table_whose_heap_of_texts_is_damaged_is_refused_without_a_hang(table, monkeypatch, size):
    """For some of these sizes of its second text HDF5 2.0 never returns."""
    with h5py.File(table, "a") as file:
        file.attrs["imf"] = "Chabrier"
        file["ssp_flux"].attrs["unit"] = "Lsun / Hz / Msun"
    assert read_dsps(table, RANGE).imf == "Chabrier"
    whole = bytearray(table.read_bytes())
    second = whole.index(b"GCOL") + 40  # behind the heap's own header and the first text
    whole[second + 8 : second + 16] = size.to_bytes(8, "little")
    table.write_bytes(whole)
    monkeypatch.setattr(hdf5_files, "PATIENCE", 5)
    with pytest.raises(InputError, match=r"dsps\.h5: .*(damaged|no text)"):
        read_dsps(table, RANGE)
