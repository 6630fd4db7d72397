import h5py
import numpy as np
import pytest

from popsed_core.artefacts import Provenance, save
from popsed_core.config import SSPConfig
from popsed_core.errors import InputError
from popsed_core.spectra.build_ssp import build_ssp
from popsed_core.spectra.ssp_dsps import read_dsps
from popsed_core.spectra.ssp_toy import toy_grid
from popsed_core.spectra.surviving_mass import hearin21_surviving_fraction

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
