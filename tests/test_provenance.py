"""Every kind of file gives its record back, and the tree of a file is found again."""

import argparse
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from matplotlib.figure import Figure

from popsed_core import cli
from popsed_core.config.settings import Settings
from popsed_core.errors import InputError
from popsed_core.figures import style
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance, record, sha256
from popsed_core.provenance import verbs as origin
from popsed_core.provenance.code_version import code_version, import_closure, libraries
from popsed_core.provenance.sidecars import FITS_KEY, path_beside, read_record, write_beside
from popsed_core.provenance.tree import as_plain, as_text, tree_of
from popsed_core.running import loop

MADE = Provenance(
    source="mock",
    config=json.dumps(
        {"text": "a (b) \\ 'c' & <d> -- \N{GREEK SMALL LETTER ALPHA}", "e": " " * 90}
    ),
    seed=7,
    inputs={"catalogue": "a" * 64},
    paths={"catalogue": "results/x/catalogue.h5"},
    command="noise fit",
    arguments='{"survey": "x"}',
    code="0123456789abcdef",
    versions={"numpy": "2.4"},
)


@dataclass(frozen=True)
class Small:
    values: np.ndarray = artefacts.array("", "n")


def write_hdf5(path):
    artefacts.save(Small(np.ones(3)), path, MADE)


def write_fits(path):
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0])])
    table.header.update({FITS_KEY: record(MADE)})
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)


def write_plain(path):
    loop.save_plain({"provenance": json.loads(record(MADE))}, path)


def write_figure(path):
    style.save(Figure(), path, source="real", record=record(MADE))


def write_text(path):
    path.write_text("some,numbers\n")
    write_beside(MADE, path)


WRITERS = {
    "a.h5": write_hdf5,
    "a.fits": write_fits,
    "a.pt": write_plain,
    "a.pdf": write_figure,
    "a.png": write_figure,
    "a.svg": write_figure,
    "a.csv": write_text,
    "a.md": write_text,
    "a.json": write_text,
    "a.html": write_text,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_its_record_back(name, tmp_path):
    WRITERS[name](tmp_path / name)
    found = read_record(tmp_path / name)
    assert found is not None
    assert found.provenance == MADE


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_record_gives_the_same_bytes(name, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        WRITERS[name](tmp_path / folder / name)
    paths = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    half = len(paths) // 2
    for first, second in zip(paths[:half], paths[half:], strict=True):
        assert first.read_bytes() == second.read_bytes(), first


@pytest.mark.parametrize("name", ["a.png", "a.pdf", "a.svg", "a.csv"])
def test_a_file_without_a_record_is_told_in_one_line(name, tmp_path, capsys):
    path = tmp_path / name
    if name == "a.csv":
        path.write_text("a\n1\n")
    else:
        style.save(Figure(), path, source="real")
    assert cli.main(["provenance", str(path)]) == 1
    told = capsys.readouterr().err
    assert name in told
    assert "carries no provenance" in told
    assert told.count("\n") == 1


def test_a_damaged_record_is_an_input_error(tmp_path):
    path = tmp_path / "a.csv"
    write_text(path)
    path_beside(path).write_text("{")
    with pytest.raises(InputError, match=r"no record of a\.csv"):
        read_record(path)


# ---- the tree


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """A table from outside, a file made of it, and one made of that and again of the table."""
    monkeypatch.chdir(tmp_path)
    for folder in ("data", "results/x"):
        (tmp_path / folder).mkdir(parents=True)
    outside, middle, top = (
        Path(name) for name in ("data/in.csv", "results/x/middle.csv", "results/x/top.csv")
    )
    outside.write_text("outside")
    for path, inputs in ((middle, {"table": outside}), (top, {"middle": middle, "raw": outside})):
        path.write_text(path.name)
        made = replace(
            MADE,
            inputs={role: sha256(at) for role, at in inputs.items()},
            paths={role: at.as_posix() for role, at in inputs.items()},
        )
        write_beside(made, path)
    return top


def states(path):
    return [(node.file, node.state) for node in tree_of(path).walk()]


def test_the_tree_goes_down_to_the_first_inputs_and_tells_each_once(chain):
    assert states(chain) == [
        ("results/x/top.csv", "here"),
        ("results/x/middle.csv", "here"),
        ("data/in.csv", "here"),
        ("data/in.csv", "see above"),
    ]


def test_the_tree_is_the_same_from_another_folder(chain, tmp_path, monkeypatch):
    before = states(chain)
    monkeypatch.chdir("/")
    assert states(tmp_path / chain) == before


def test_a_changed_byte_is_marked(chain):
    Path("data/in.csv").write_text("Outside")
    assert states(chain)[2:] == [("data/in.csv", "changed since")] * 2


def test_a_changed_intermediate_is_marked_and_not_followed(chain):
    Path("results/x/middle.csv").write_text("other")
    assert states(chain)[1:] == [("results/x/middle.csv", "changed since"), ("data/in.csv", "here")]


def test_a_changed_file_no_longer_answers_to_its_record(chain):
    chain.write_text("other")
    assert states(chain) == [("results/x/top.csv", "changed since")]


def test_a_file_that_moved_is_found_by_its_bytes(chain):
    Path("resources").mkdir()
    shutil.move("data/in.csv", "resources/renamed.csv")
    assert states(chain)[2] == ("resources/renamed.csv", "here")


def test_a_file_that_is_gone_is_not_here(chain):
    Path("data/in.csv").unlink()
    assert states(chain)[2] == ("data/in.csv", "not here")


def test_the_text_tells_everything_of_the_record(chain):
    text = as_text(tree_of(chain))
    for part in ("noise fit", MADE.code, "seed 7", "source mock", "numpy 2.4", "survey"):
        assert part in text
    assert text.count(sha256("data/in.csv")) == 1
    assert "raw: data/in.csv  [see above]" in text
    assert "section     as of results/x/top.csv" in text


def test_the_tree_for_machines_has_every_checksum(chain, capsys):
    assert cli.main(["provenance", "--json", str(chain)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == as_plain(tree_of(chain))
    assert found["inputs"]["middle"]["inputs"]["table"]["sha256"] == sha256("data/in.csv")
    assert found["section"] == json.loads(MADE.config)


# ---- what a verb records of itself


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
    assert {"nflows", "geomloss"} <= origin.versions_of("fit member").keys()
    assert "numpy" in libraries("popsed_core.files.artefacts")


def test_the_hash_is_of_the_modules_of_the_verb():
    assert origin.code_of("fit member") == code_version("popsed_core.inference.fit")
    assert origin.code_of("figure training") == code_version("popsed_core.figures.training")


@pytest.mark.parametrize("verb", ["fit member", "spectra chunk", "emulator train", "noise fit"])
def test_no_number_depends_on_the_code_that_records(verb):
    parts = ("commands", "records", "products.provenance", "crate")
    imported = set().union(*(import_closure(name) for name in origin.modules_of(verb)))
    assert [name for name in imported if any(part in name for part in parts)] == []
