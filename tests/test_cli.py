"""The console script: fast, helpful, one line per error, nothing left behind."""

import argparse
import csv
import json
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from overlays import overlay, smoke_with

from popsed_core import cli
from popsed_core.config.base import to_json
from popsed_core.config.root import load
from popsed_core.errors import InputError
from popsed_core.files.artefacts import load as load_artefact
from popsed_core.files.artefacts import load_provenance, sha256
from popsed_core.files.provenance import worst_source
from popsed_core.running import loop
from popsed_core.surveys.catalogue import Catalogue

ROOT = Path(__file__).resolve().parent.parent
CONFIG = load(ROOT / "config.yaml", ROOT / "config" / "smoke.yaml")
TOY_SURVEY = ROOT / "tests" / "data" / "toy_survey.csv"


def verbs(parser=None, words=()):
    """Every command line that ends in a verb, with its parser."""
    parser = parser or cli.build_parser()
    subparsers = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not subparsers:
        return [(words, parser)]
    choices = subparsers[0].choices.items()
    return [verb for word, child in choices for verb in verbs(child, (*words, word))]


VERBS = verbs()


def popsed(*words):
    return cli.main([str(word) for word in words])


@pytest.fixture
def files(tmp_path):
    """The first artefacts of the smoke configuration, made by the command line itself."""
    ssp, noise = tmp_path / "ssp.h5", tmp_path / "noise.h5"
    names = ("catalogue.h5", "reference.h5", "cut_flow.csv")
    catalogue, reference, cut_flow = (tmp_path / name for name in names)
    outputs = ("--catalogue", catalogue, "--reference", reference, "--cut-flow", cut_flow)
    toy = (*smoke_with(), "--survey", "toy_survey")
    assert popsed("ssp", "build", *smoke_with(), ssp) == 0
    assert popsed("catalogue", "build", *toy, "--input", TOY_SURVEY, *outputs) == 0
    assert popsed("noise", "fit", *toy, "--catalogue", catalogue, noise) == 0
    return {"ssp": ssp, "catalogue": catalogue, "noise": noise, "cut_flow": cut_flow}


@pytest.mark.parametrize("words", [words for words, _ in VERBS], ids=" ".join)
def test_every_verb_explains_itself(words, capsys):
    with pytest.raises(SystemExit) as end:
        popsed(*words, "--help")
    assert end.value.code == 0
    assert f"usage: popsed {' '.join(words)}" in capsys.readouterr().out


@pytest.mark.parametrize("parser", [parser for _, parser in VERBS], ids=lambda p: p.prog)
def test_every_argument_has_help(parser):
    assert parser.description
    assert all(action.help for action in parser._actions)


def test_help_is_quick_and_loads_nothing_heavy():
    code = "import sys, popsed_core.cli as c; c.build_parser(); print(*sys.modules)"
    start = time.monotonic()
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "h5py", "pydantic", "matplotlib"} & set(loaded.stdout.split())
    assert time.monotonic() - start < 2  # 0.1 s on an idle machine


def test_artefacts_carry_the_checksums_of_their_inputs(files):
    origin = load_provenance(files["noise"])
    assert origin.inputs == {"catalogue": sha256(files["catalogue"])}
    assert json.loads(origin.config) == json.loads(to_json(CONFIG.noise))
    assert load_provenance(files["catalogue"]).inputs == {"input": sha256(TOY_SURVEY)}


def test_toy_spectra_are_called_toy(files):
    assert load_provenance(files["ssp"]).source == "toy"


def test_bands_keep_the_order_of_the_configuration(files):
    assert load_artefact(files["catalogue"], Catalogue).bands == ("u", "g", "r", "i", "z")


def test_the_cut_flow_tells_rows_in_and_out_of_each_cut(files):
    with files["cut_flow"].open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["cut", "rows_in", "rows_out", "lost"]
    counts = [[int(row[key]) for key in ("rows_in", "rows_out", "lost")] for row in rows]
    assert rows[0]["cut"] == "read"
    assert counts[0] == [400, 400, 0]
    assert all(n_in - n_out == lost >= 0 for n_in, n_out, lost in counts)
    assert all(after[0] == before[1] for before, after in pairwise(counts))


def test_the_cut_flow_is_on_the_screen(tmp_path):
    build = ("catalogue", "build", *smoke_with(), "--survey", "toy_survey")
    outputs = [tmp_path / name for name in ("catalogue.h5", "reference.h5", "cut_flow.csv")]
    words = [*build, "--input", TOY_SURVEY]
    for option, path in zip(("--catalogue", "--reference", "--cut-flow"), outputs, strict=True):
        words += [option, path]
    code = "import sys; from popsed_core.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True
    )
    assert re.search(r"cut +in +out +lost", done.stderr)
    assert re.search(r"SNR > 1 in every band +[\d,]+ +[\d,]+ +\d+", done.stderr)


def fit_words(files, folder):
    """The command that trains a member on the toy survey, writing into ``folder``."""
    given = smoke_with(fit={"n_epochs": 60})
    words = ["fit", "member", *given, "--survey", "toy_survey", "--member", "1"]
    for name in ("ssp", "catalogue", "noise"):
        words += [f"--{name}", files[name]]
    words += ["--device", "cpu", "--checkpoint", folder / "checkpoint.pt"]
    return [str(word) for word in (*words, "--cost", folder / "cost.json", folder / "member.pt")]


@pytest.mark.slow
@pytest.mark.faults
def test_a_killed_fit_goes_on_to_the_same_bytes(files, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    assert popsed(*fit_words(files, tmp_path / "whole")) == 0

    folder = tmp_path / "killed"
    code = (
        "from popsed_core import cli; from popsed_core.running import loop; "
        "loop.CHECKPOINT_SECONDS = 0.0; cli.main({!r})"
    )
    child = subprocess.Popen([sys.executable, "-c", code.format(fit_words(files, folder))])
    while not (folder / "checkpoint.pt").exists():
        assert child.poll() is None
        time.sleep(0.005)
    child.kill()
    assert child.wait() < 0
    assert not (folder / "member.pt").exists()

    assert popsed(*fit_words(files, folder)) == 0
    contents = [(tmp_path / name / "member.pt").read_bytes() for name in ("whole", "killed")]
    assert contents[0] == contents[1]
    assert not (folder / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("sources", "worst"),
    [(("real", "real"), "real"), (("real", "mock"), "mock"), (("toy", "mock", "real"), "toy")],
)
def test_the_worst_source_decides(sources, worst):
    assert worst_source(*sources) == worst


@pytest.mark.parametrize(
    ("noise", "told"),
    [
        ({"n_bin": 3}, "noise.n_bin: unknown key"),
        ({"n_bins": "many"}, "noise.n_bins:"),
        ({"n_bins": 4}, "nowhere.h5: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(tmp_path, capsys, noise, told):
    out = tmp_path / "out" / "noise.h5"
    given = smoke_with(noise=noise)
    assert popsed("noise", "fit", *given, "--catalogue", "nowhere.h5", out) == 1
    error = capsys.readouterr().err
    assert error.startswith("popsed: error: ")
    assert told in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_input_is_one_line(files, capsys, tmp_path):
    content = files["catalogue"].read_bytes()
    files["catalogue"].write_bytes(content[: len(content) // 2])
    out = tmp_path / "again.h5"
    arguments = (*smoke_with(), "--catalogue", files["catalogue"], out)
    assert popsed("noise", "fit", *arguments) == 1
    assert "catalogue.h5" in capsys.readouterr().err
    assert not out.exists()


def test_debug_shows_the_traceback(tmp_path):
    arguments = (*smoke_with(), "--catalogue", "nowhere.h5", tmp_path / "noise.h5")
    with pytest.raises(InputError, match="no such file"):
        popsed("noise", "fit", "--debug", *arguments)


def test_an_unknown_figure_lists_all(capsys, tmp_path):
    assert popsed("figure", "selfie", tmp_path / "x.pdf") == 1
    error = capsys.readouterr().err
    assert "selfie" in error
    assert "redshift_distribution" in error


def test_config_check_accepts_the_default_and_names_a_mistake(capsys, tmp_path):
    assert popsed("config", "check", ROOT / "config.yaml") == 0
    assert "OK" in capsys.readouterr().out
    overlay = tmp_path / "mine.yaml"
    overlay.write_text("fit: {n_epoch: 3}")
    assert popsed("config", "check", ROOT / "config.yaml", overlay) == 1
    assert "fit.n_epoch" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((ROOT / "config.yaml",), r"fit\.model_error +number >= 0 +0\.01 "),
        (
            (ROOT / "config.yaml", "--survey", "table2_mock"),
            r"fit\.model_error +number >= 0 +0\.0 ",
        ),
        ((ROOT / "config.yaml", ROOT / "config/smoke.yaml"), r"fit\.n_members +integer >= 1 +2 "),
        ((), r"fit\.model_error +number >= 0 +0\.01 "),
        (("--defaults",), r"fit\.distance\[sinkhorn\]\.p +"),
    ],
)
def test_config_describe_shows_the_values_in_force(capsys, words, told):
    assert popsed("config", "describe", *words) == 0
    assert re.search(told, capsys.readouterr().out)


def test_config_describe_shows_every_kind_that_there_is(capsys):
    assert popsed("config", "describe", "--defaults") == 0
    assert "surveys.<name>[table].path" in capsys.readouterr().out
    assert popsed("config", "describe", "--defaults", "--survey", "mine") == 1
    assert "of which configuration?" in capsys.readouterr().err


def test_a_configuration_is_what_differs_from_the_defaults(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert popsed("config", "check", overlay(fit={"n_members": 3})) == 0
    assert "with 3 members" in capsys.readouterr().out
