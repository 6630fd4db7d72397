"""The tree of a file goes down to its first inputs, and says what has changed since."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made import MADE

from popsed_core import cli
from popsed_core.files.artefacts import sha256
from popsed_core.provenance.sidecars import write_beside
from popsed_core.provenance.tree import as_plain, as_text, tree_of


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """An external table, a file made from it, and one made from both."""
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
