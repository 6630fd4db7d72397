"""What python-fsps needs to run, and which of it is missing."""

import pytest
from fsps_tools import linked_home

from popsed_core.config.ssp import FSPSConfig, SSPConfig
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.fsps import installed_build
from popsed_core.stellar.ssp.fsps_data import FSPSBuild, missing_files

LIBRARIES = {"0.5.0": "MIST, C3K_LR, DL07", "0.4.8": "MIST, MILES, DL07"}


def section(world, **changes):
    settings = {"version": world.version, "sps_home": "$SPS_HOME"} | changes
    return SSPConfig(reader="fsps", wave_low=1000.0, wave_high=60000.0, fsps=FSPSConfig(**settings))


def test_build_is_known_without_any_data(fsps_world, monkeypatch):
    with fsps_world.installed():
        monkeypatch.delenv("SPS_HOME")
        build = installed_build()
    assert str(build).endswith(LIBRARIES[fsps_world.version])
    assert build.n_metallicities == {"0.5.0": 13, "0.4.8": 12}[fsps_world.version]


def test_the_toy_data_are_exactly_what_is_required(fsps_world):
    with fsps_world.installed():
        build = installed_build()
    assert missing_files(build, fsps_world.home) == []


def refused(world, message, **changes):
    with world.installed(), pytest.raises(InputError, match=message):
        build_ssp(section(world, **changes), None)


def test_other_python_fsps_is_refused(fsps_world):
    refused(fsps_world, r"ssp.fsps.version: 9\.9\.9, but python-fsps", version="9.9.9")


def test_absent_sps_home_is_refused(fsps_world, tmp_path):
    refused(fsps_world, "no such folder", sps_home=str(tmp_path / "nowhere"))
    refused(fsps_world, "no such variable", sps_home="$NOT_A_VARIABLE_OF_ANYONE")
    refused(fsps_world, "needs the FSPS data", sps_home=None)


def test_incomplete_data_are_refused_by_name(fsps_world, tmp_path):
    name = "dust/Gordon03_table4.dat"
    home = linked_home(fsps_world, tmp_path, name)
    refused(fsps_world, f"needs {name}, missing or empty", sps_home=str(home))


def test_data_of_another_version_are_refused(fsps_world, tmp_path):
    isochrones = [str(p.relative_to(fsps_world.home)) for p in fsps_world.home.rglob("isoc_*")]
    home = linked_home(fsps_world, tmp_path, *isochrones)
    refused(fsps_world, r"needs ISOCHRONES/MIST/isoc_.* and \d+ more", sps_home=str(home))


@pytest.mark.parametrize("isochrones", ["mist", "pdva", "gnva"])
@pytest.mark.parametrize("spectra", ["miles", "basel", "c3k_afe+0.0"])
def test_without_any_data_every_list_is_named(tmp_path, isochrones, spectra):
    build = FSPSBuild("0.4.8", isochrones, spectra, "DL07", 12)
    missing = missing_files(build, tmp_path)
    assert len(missing) == len(set(missing)) > 40
    assert sum(name.endswith("zlegend.dat") for name in missing) == 3
