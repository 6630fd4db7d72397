"""The doctor: content with this installation, and a remedy beside each problem."""

import re
from pathlib import Path

import pytest

from popsed_core import cli
from popsed_core.commands import doctor_checks as doctor
from popsed_core.running import keops
from popsed_core.stellar.ssp.fsps_data import FSPSBuild


def popsed(*words):
    return cli.main([str(word) for word in words])


def test_doctor_is_content_with_this_installation(capsys):
    assert popsed("doctor") == 0
    lines = capsys.readouterr().out.splitlines()
    found = {line[10:26].strip() for line in lines if not line.startswith(" ")}
    expected = ["python", "torch", "versions", "KeOps", "SPS_HOME", "FSPS gas", "GPU", "disk"]
    assert found == {*expected, "write access"}


def test_doctor_names_a_wrong_version_and_its_remedy(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("# exact\nnumpy==0.1\nno-such-package==1.0\n")
    check = doctor.check_versions(lock)
    assert check.status == "problem"
    assert "numpy" in check.found
    assert "no-such-package missing" in check.found
    assert "pip install" in check.remedy


@pytest.fixture
def keops_that(monkeypatch):
    """KeOps whose self-test runs other code."""

    def install(code, compiler="/usr/bin/c++"):
        monkeypatch.setattr(keops, "is_installed", lambda: True)
        monkeypatch.setattr(doctor, "is_installed", lambda: True)
        monkeypatch.setattr(keops, "TEST", code)
        monkeypatch.setattr(doctor.shutil, "which", lambda name: compiler)
        keops.keops_fault.cache_clear()
        return doctor.check_keops()

    yield install
    keops.keops_fault.cache_clear()


@pytest.mark.parametrize(
    ("compiler", "remedy"),
    [(None, "install a C.. compiler"), ("/usr/bin/c++", "clear its cache")],
)
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("raise RuntimeError('no rule to make keops')", "cannot compile: RuntimeError: no rule"),
        ("import os; os.kill(os.getpid(), 11)", "cannot compile: ended with status -11"),
        ("import time; time.sleep(60)", "cannot compile: no answer in 1 s"),
    ],
)
def test_keops_that_cannot_compile_says_what_to_do(
    keops_that, monkeypatch, code, fault, compiler, remedy
):
    monkeypatch.setattr(keops, "SECONDS", 1 if "sleep" in code else 60)
    check = keops_that(code, compiler)
    assert (check.status, check.found[: len(fault)]) == ("optional", fault)
    assert re.search(remedy, check.remedy)
    assert "backend: tensorized" in check.remedy


class FakeGPU:
    """What torch reports for an existing GPU."""

    is_available = staticmethod(lambda: True)
    get_device_name = staticmethod(lambda: "Fake 3000")


def test_a_gpu_that_does_not_compute_is_a_problem(monkeypatch):
    import torch

    def ones(*shape, device):
        raise RuntimeError("no kernel image is available\nfor execution")

    monkeypatch.setattr(torch, "cuda", FakeGPU)
    monkeypatch.setattr(torch, "ones", ones)
    check = doctor.check_gpu()
    assert (check.status, check.remedy[:23]) == ("problem", "set runtime.device: cpu")
    assert check.found == "Fake 3000 does not compute: no kernel image is available"


def test_a_gpu_that_torch_does_not_see_is_named(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert "there is a driver" in doctor.check_gpu().found


def test_a_full_disk_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "DISK_NEEDED", 1e9)
    check = doctor.check_disk(tmp_path)
    assert check.status == "problem"
    assert "free some space" in check.remedy


@pytest.mark.parametrize(
    "check",
    [
        lambda: doctor.check_python((3, 9, 1)),
        lambda: doctor.check_write_access(Path("/proc")),
    ],
)
def test_a_problem_comes_with_a_remedy(check):
    found = check()
    assert found.status == "problem"
    assert found.remedy
    assert doctor.has_problem([found])


def test_an_incomplete_sps_home_is_a_problem(monkeypatch, tmp_path):
    monkeypatch.setenv("SPS_HOME", str(tmp_path))
    build = FSPSBuild("0.4.8", "mist", "miles", "DL07", 12)
    monkeypatch.setattr("popsed_core.stellar.ssp.fsps.installed_build", lambda: build)
    check = doctor.check_sps_home(tmp_path)
    assert check.status == "problem"
    assert "data/emlines_info.dat" in check.found
    monkeypatch.delenv("SPS_HOME")
    assert doctor.check_sps_home(tmp_path).status == "optional"
