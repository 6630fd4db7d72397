"""What a verb records of itself: arguments, code and versions, and nothing of the machine."""

import argparse
import json
from pathlib import Path

import pytest

from popsed_core.config.settings import Settings
from popsed_core.files.artefacts import record
from popsed_core.provenance import verbs as origin
from popsed_core.provenance.code_version import code_version, import_closure, libraries


def namespace(**more):
    settings = Settings({"n_bins": 8}, {"spectra": {"engine": "exact"}}, seed=3)
    return argparse.Namespace(verb="noise fit", settings=settings, **more)


def test_a_verb_records_arguments_but_nothing_of_the_machine(tmp_path):
    args = namespace(
        survey="x", n_threads=8, debug=True, device="cuda", output=tmp_path / "a",
        config=[tmp_path / "c.yaml"], members=[tmp_path / "b"], emulator=None, run=print,
    )  # fmt: skip
    found = origin.provenance(args, {}, "real", survey="x")
    assert json.loads(found.arguments) == {"spectra": {"engine": "exact"}, "survey": "x"}
    assert (found.seed, found.config, found.command) == (3, '{"n_bins": 8}', "noise fit")
    assert str(tmp_path) not in record(found)


def test_a_path_is_relative_to_the_working_folder_and_never_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.h5").write_text("a")
    inputs = {"one": Path("results/a.h5"), "same": tmp_path / "results/a.h5", "none": None}
    found = origin.provenance(namespace(), inputs, "real")
    assert found.paths == {"one": "results/a.h5", "same": "results/a.h5"}
    assert origin.place(Path("/elsewhere/table.fits")) == "table.fits"


def test_versions_are_those_of_what_the_code_imports():
    found = origin.versions_of("noise fit")
    assert {"popsed", "python", "numpy", "torch", "h5py"} <= found.keys()
    assert "matplotlib" not in found
    assert "matplotlib" in origin.versions_of("figure population")
    assert {"torch", "geomloss"} <= origin.versions_of("fit member").keys()
    assert "numpy" in libraries("popsed_core.files.artefacts")


def test_the_hash_is_of_the_modules_of_the_verb():
    assert origin.code_of("fit member") == code_version("popsed_core.inference.fit")
    assert origin.code_of("figure training") == code_version("popsed_core.figures.training")


@pytest.mark.parametrize("verb", ["fit member", "spectra chunk", "emulator train", "noise fit"])
def test_no_number_depends_on_the_code_that_records(verb):
    parts = ("commands", "records", "products.provenance", "crate")
    imported = set().union(*(import_closure(name) for name in origin.modules_of(verb)))
    assert [name for name in imported if any(part in name for part in parts)] == []
