"""Reading FSPS's nebular tables, and recognising those with wrong labels."""

import numpy as np
import pytest
from nebular_tools import AIR, CLOUDY_WAVE, ENERGIES, FSPS_U, FSPS_Z, continuum, write_fsps

from popsed_core.commands import doctor_checks as doctor
from popsed_core.config.ssp import FSPSConfig, FSPSNebulae, SSPConfig
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.stellar.ssp.nebular_fsps import read_nebular_fsps, read_table

LOG_ZSUN = -1.8477
WRONG = (-1.3, 1e6)  # BPASS's first metallicity and age


def read(home, log_u=-3.0, isochrones="mist"):
    law = lambda lgmet: np.full(len(lgmet), log_u)  # noqa: E731
    return read_nebular_fsps(home, isochrones, LOG_ZSUN, law, "test")


def test_light_per_photon_is_in_erg_whatever_the_sun(tmp_path):
    found = read(write_fsps(tmp_path))
    np.testing.assert_allclose(found.lgmet, FSPS_Z + LOG_ZSUN)
    np.testing.assert_allclose(found.lines[1, 2], ENERGIES, rtol=1e-7)
    np.testing.assert_allclose(found.continuum[3, 0], continuum(CLOUDY_WAVE), rtol=1e-7)
    np.testing.assert_allclose(found.line_wave, AIR, rtol=1e-6)


@pytest.mark.parametrize("log_u", [-3.6, -2.5])
def test_logarithms_are_interpolated_in_the_ionisation_parameter(tmp_path, log_u):
    found = read(write_fsps(tmp_path), log_u)
    np.testing.assert_allclose(found.lines[0, 0], ENERGIES * 10 ** (log_u + 3), rtol=1e-7)


def test_numbers_may_be_repeated_and_lines_broken_as_fortran_has_it(tmp_path):
    path = tmp_path / "table"
    points = [f"{z} {age} {u}" for z in (-1, 0) for age in (1e6, 2e6) for u in (-3, -2)]
    path.write_text("#\n1.0\n2.0 3.0 4.0 5.0\n" + "".join(f"{x}\n2*0.5 3*1e-2\n" for x in points))
    table = read_table(path)
    np.testing.assert_array_equal(table.wave, [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(table.values[1, 0, 1], [0.5, 0.5, 0.01, 0.01, 0.01])
    assert table.values.shape == (2, 2, 2, 5)


@pytest.mark.parametrize("isochrones", ["mist", "pdva", "prsc"])
def test_tables_with_the_labels_of_bpass_are_refused(tmp_path, isochrones):
    home = write_fsps(tmp_path, isochrones, WRONG)
    with pytest.raises(InputError, match=r"\.cont: .*log Z = -1\.3 and 1 Myr.*FSPS repository"):
        read(home, isochrones=isochrones)


def test_bpass_s_own_labels_are_right(tmp_path):
    assert read(write_fsps(tmp_path, "bpss", WRONG), isochrones="bpss").lgmet[0] == pytest.approx(
        -1.3 + LOG_ZSUN
    )


@pytest.mark.parametrize(
    ("start", "status", "told"),
    [((-1.98, 5e5), "OK", "nebular"), (WRONG, "optional", "ZAU_ND_mist.cont: its first model")],
)
def test_the_doctor_tells_wrong_labels(tmp_path, monkeypatch, start, status, told):
    monkeypatch.setenv("SPS_HOME", str(write_fsps(tmp_path, start=start)))
    check = doctor.check_nebular(tmp_path)
    assert check.status == status
    assert told in check.found
    assert ("2026-07-23" in check.remedy) == (status == "optional")


def test_the_doctor_does_not_miss_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.delenv("SPS_HOME", raising=False)
    assert doctor.check_nebular(tmp_path).found == "no SPS_HOME"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[: len(text) // 2], "reshape"),
        (lambda text: text.replace("e-", "x-"), "could not convert"),
        (lambda text: text.replace("-3.0000e+00", "-3.5000e+00", 1), "not a complete grid"),
        (lambda text: "#\n", "not a nebular table"),
    ],
)
def test_a_damaged_table_is_an_input_error(tmp_path, change, told):
    path = write_fsps(tmp_path) / "nebular" / "ZAU_ND_mist.lines"
    path.write_text(change(path.read_text()))
    with pytest.raises(InputError, match=rf"ZAU_ND_mist\.lines: .*{told}"):
        read(tmp_path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"ZAU_ND_mist\.cont: no such file"):
        read(tmp_path)


def test_any_stars_can_have_them(tmp_path):
    write_fsps(tmp_path)
    gas = FSPSNebulae("fsps", log_u=-3.0)
    config = SSPConfig(reader="toy", nebular=gas, fsps=FSPSConfig(sps_home=str(tmp_path)))
    grid = build_ssp(config, None)
    rate = grid.ionising_rate[:, : grid.n_young] / grid.lsun
    hbeta = grid.line_luminosity[..., np.abs(grid.line_wave - AIR[1]).argmin()]
    np.testing.assert_allclose(hbeta, rate * ENERGIES[1], rtol=1e-5)
    assert grid.nebular == "FSPS mist, log U = -3"
    assert FSPS_U[1] == -3.0
