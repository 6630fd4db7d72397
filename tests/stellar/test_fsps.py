"""The export of FSPS's own SSPs, and what happens when FSPS cannot run."""

import numpy as np
import pytest
from fsps_tools import linked_home, without_half_of_the_ages

from popsed_core.commands.doctor_checks import check_sps_home
from popsed_core.config.ssp import FSPSConfig, SSPConfig
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.fsps import installed_build

LIBRARIES = {"0.5.0": "MIST, C3K_LR, DL07", "0.4.8": "MIST, MILES, DL07"}
ZSUN = {"0.5.0": 0.0185, "0.4.8": 0.0142}


def section(world, **changes):
    settings = {"version": world.version, "sps_home": "$SPS_HOME"} | changes
    return SSPConfig(reader="fsps", wave_low=1000.0, wave_high=60000.0, fsps=FSPSConfig(**settings))


@pytest.fixture(scope="module")
def grid(fsps_world):
    with fsps_world.installed():
        return build_ssp(section(fsps_world), None)


@pytest.fixture(scope="module")
def truth(fsps_world, grid, tmp_path_factory):
    """Four metallicities by the public route of python-fsps; the third is solar."""
    zmet = np.array([1, 5, len(grid.ssp_lgmet) - 2, len(grid.ssp_lgmet)])
    return zmet, fsps_world.ask("nodes", tmp_path_factory.mktemp("nodes"), zmet=zmet)


def test_exported_spectra_are_those_of_get_spectrum(grid, truth):
    zmet, found = truth
    pixels = np.isin(found["wave"], grid.ssp_wave)
    assert np.array_equal(found["wave"][pixels], grid.ssp_wave)
    expected = found["spectra"][..., pixels].astype(np.float32)
    assert np.array_equal(grid.ssp_flux[zmet - 1], expected)
    assert np.array_equal(grid.surviving_mass[zmet - 1], found["masses"])


def test_ages_and_metallicities_are_those_of_fsps(grid, truth):
    _, found = truth
    np.testing.assert_allclose(grid.ssp_lg_age_gyr + 9, found["log_age"], atol=1e-12)
    np.testing.assert_allclose(10**grid.ssp_lgmet, found["zlegend"], rtol=1e-12)
    assert grid.ssp_lg_age_gyr.size == 107


def test_exported_table_says_where_it_is_from(fsps_world, grid):
    assert grid.library == f"python-fsps {fsps_world.version}: {LIBRARIES[fsps_world.version]}"
    assert 10**grid.log_zsun == pytest.approx(ZSUN[fsps_world.version])
    assert (grid.imf, grid.lsun, grid.source) == ("Chabrier", 3.839e33, "real")


def test_exported_wavelengths_reach_just_beyond_the_range(grid):
    assert grid.ssp_wave[0] <= 1000 < grid.ssp_wave[1]
    assert grid.ssp_wave[-2] <= 60000 < grid.ssp_wave[-1]


def test_another_imf_gives_another_table(fsps_world, grid):
    with fsps_world.installed():
        salpeter = build_ssp(section(fsps_world, imf="Salpeter"), None)
    assert salpeter.imf == "Salpeter"
    assert np.median(salpeter.ssp_flux / grid.ssp_flux) < 0.8  # more light-poor dwarfs


def refused(world, message, **changes):
    with world.installed(), pytest.raises(InputError, match=message):
        build_ssp(section(world, **changes), None)


def test_a_stop_in_the_middle_is_an_error_that_names_sps_home(fsps_world, tmp_path):
    home = without_half_of_the_ages(fsps_world, tmp_path)
    words = r"before its export was complete \(exit status 0\); it said: .*number of isochrones"
    refused(fsps_world, f"SPS_HOME={home}: FSPS stopped {words}.*popsed doctor", sps_home=str(home))


def test_the_doctor_knows_complete_data_and_names_what_is_missing(
    fsps_world, tmp_path, monkeypatch
):
    name = "SPECTRA/xrb/xsp_feh-0.30.spec"
    home = linked_home(fsps_world, tmp_path, name)
    with fsps_world.installed():
        assert check_sps_home(tmp_path).status == "OK"
        monkeypatch.setenv("SPS_HOME", str(home))
        check = check_sps_home(tmp_path)
    assert check.status == "problem"
    assert f"lacks {name}, for python-fsps {fsps_world.version}" in check.found


def test_absent_python_fsps_is_one_clear_line(monkeypatch, tmp_path):
    empty = tmp_path / "fsps.py"
    empty.write_text("raise ModuleNotFoundError(\"No module named 'fsps'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(InputError, match=r"pip install \"popsed-core\[fsps\]\""):
        installed_build()


def test_reader_fsps_takes_no_table():
    with pytest.raises(ValueError, match="reader fsps computes its table"):
        SSPConfig(reader="fsps", path="table.h5")
