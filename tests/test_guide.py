"""Every command in docs/, and all configuration in the user guide, works as printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from astropy.table import Table
from workflow_tools import LEFT_OUT

from popsed_core import cli
from popsed_core.config import base, root

ROOT = Path(__file__).resolve().parent.parent
GUIDE, README = ROOT / "docs" / "guide.md", ROOT / "README.md"
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
NOT_RUN = {  # command: why not
    "make env": "installs into the checkout",
    "source .venv/bin/activate": "changes the shell, and the environment may have another place",
    "squeue --me": "needs a cluster: tests/workflow/test_slurm.py",
    "scancel --me": "needs a cluster: tests/workflow/test_slurm.py",
    "snakemake --unlock": "has nothing to unlock: tests/workflow/test_slurm.py",
}
SLOW = ("popsed", "bench")  # tests/costs runs them
PROGRAMS = {"snakemake": "snakemake.cli", "popsed": "popsed_core.cli"}
PLAN = ("-n", "--executor", "local")  # plan only, also where the cluster's plugin is missing


def blocks(path, language):
    """Return the blocks of a language, without the indentation of the list they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", path.read_text(), re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def commands(is_run):
    """Return the words of every command that is run, or of all, each once and without comments."""
    text = "".join(text for path in DOCUMENTS for text in blocks(path, "bash"))
    lines = dict.fromkeys(text.replace("\\\n", " ").splitlines())
    found = {tuple(words): None for line in lines if (words := shlex.split(line, comments=True))}
    return [words for words in found if not (is_run and " ".join(words) in NOT_RUN)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the checkout with the files that the guide's user has."""
    copy = tmp_path_factory.mktemp("guide") / "popsed"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copytree(ROOT / "results" / "bars", copy / "results" / "bars", dirs_exist_ok=True)
    mine, mock = blocks(GUIDE, "yaml")
    (copy / "mine.yaml").write_text(mine)
    (copy / "mock.yaml").write_text(mock)
    (copy / "readme.yaml").write_text(*blocks(README, "yaml"))
    bands = {
        name: np.full(9, 10.0) for band in "grz" for name in (f"flux_{band}", f"flux_err_{band}")
    }
    Table(bands).write(copy / yaml.safe_load(mine)["surveys"]["mine"]["path"])
    (copy / "by_hand").mkdir()
    return copy


def run(folder, program, *words):
    """Run a command of the guide in the copy, with the copy's code."""
    env = dict(os.environ, PYTHONPATH=str(folder), OMP_NUM_THREADS="1")
    code = f"import sys; from {PROGRAMS[program]} import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.workflow
@pytest.mark.parametrize("words", commands(is_run=True), ids=" ".join)
def test_every_command_of_the_guide_works(folder, words):
    program, *options = words
    if tuple(words[:2]) == SLOW:
        cli.build_parser().parse_args(options)
    elif program == "snakemake":
        assert "This was a dry-run" in run(folder, program, *PLAN, *options)
    else:
        assert program == "popsed", "neither run by this test nor excused"
        assert run(folder, program, *options)


def test_no_command_is_excused_that_the_guide_does_not_name():
    assert set(NOT_RUN) <= {" ".join(words) for words in commands(is_run=False)}


def test_the_readme_s_configuration_is_valid(folder):
    survey = root.load(ROOT / "config.yaml", folder / "readme.yaml").surveys["mine"]
    assert (survey.kind, list(survey.bands)) == ("table", ["g", "r", "z"])


def test_the_guide_s_configuration_is_valid(folder):
    overlays = (folder / "mine.yaml", folder / "mock.yaml")
    mine, mock = (root.load(ROOT / "config.yaml", *overlays[:n]) for n in (1, 2))
    assert (mine.survey, mine.surveys["mine"].kind) == ("mine", "table")
    assert (mock.survey, mock.surveys["mine_mock"].noise_from) == ("mine_mock", "mine")


def test_every_configuration_that_the_documents_name_exists():
    text = "".join(path.read_text() for path in DOCUMENTS)
    named = set(re.findall(r"\b(?:config|profiles)/[\w/]+\.yaml", text))
    assert named
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_every_key_that_the_guide_names_exists():
    keys = re.findall(r"`((?:fit|products|runtime|downloads)\.[\w.]+)`", GUIDE.read_text())
    plain = base.to_plain(root.load(ROOT / "config.yaml"))
    assert keys
    for key in keys:
        node = plain
        for part in key.split("."):
            assert part in node, key
            node = node[part]
