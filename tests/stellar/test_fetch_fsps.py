"""The FSPS data from a git repository: pinned, complete or absent, resumed."""

import json
import shutil
import subprocess

import pytest
from overlays import overlay

from popsed_core import cli
from popsed_core.config.ssp import FSPSConfig
from popsed_core.errors import InputError
from popsed_core.stellar.ssp import fetch_fsps as module
from popsed_core.stellar.ssp.fetch_fsps import fetch_fsps
from popsed_core.stellar.ssp.fsps_data import data_folder

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")


def git(folder, *words):
    done = subprocess.run(
        ["git", "-C", folder, *AUTHOR, *words], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A bare repository whose tag v4.0 precedes its last commit."""
    work, bare = tmp_path / "work", tmp_path / "fsps.git"
    work.mkdir()
    git(work, "init", "--quiet")
    for content in ("first", "pinned", "latest"):
        (work / "data").mkdir(exist_ok=True)
        (work / "data" / "table.dat").write_text(content)
        git(work, "add", ".")
        git(work, "commit", "--quiet", "-m", content)
        if content == "pinned":
            git(work, "tag", "v4.0")
    git(tmp_path, "clone", "--quiet", "--bare", str(work), str(bare))
    return bare


def section(repository, **changes):
    return FSPSConfig(**{"version": "0.5.0", "url": str(repository)} | changes)


def test_the_pinned_revision_comes_without_history(repository, tmp_path):
    record = tmp_path / "resources" / "fsps.json"
    given = overlay(ssp={"fsps": section(repository)})
    assert cli.main(["fsps", "fetch", "--config", str(given), str(record)]) == 0
    folder = data_folder(section(repository), record)
    assert (folder / "data" / "table.dat").read_text() == "pinned"
    assert git(folder, "rev-list", "--count", "HEAD") == "1"
    commit = git(repository, "rev-parse", "v4.0")
    assert json.loads(record.read_text()) == {
        "url": str(repository), "tag": "v4.0", "commit": commit,
    }  # fmt: skip


def test_data_that_are_there_are_not_cloned_again(repository, tmp_path, monkeypatch):
    record = tmp_path / "fsps.json"
    fetch_fsps(section(repository), record)
    monkeypatch.setattr(module, "clone", None)
    fetch_fsps(section(repository), record)


def test_another_revision_replaces_the_first(repository, tmp_path):
    record = tmp_path / "fsps.json"
    fetch_fsps(section(repository), record)
    branch = git(repository, "branch", "--show-current")
    fetch_fsps(section(repository, tag=branch), record)
    assert (tmp_path / "fsps" / "data" / "table.dat").read_text() == "latest"


def test_a_failed_clone_leaves_nothing_under_its_name_and_is_taken_up_again(repository, tmp_path):
    record = tmp_path / "fsps.json"
    with pytest.raises(InputError, match=r"at no_such_tag: git fetch failed: .*check address"):
        fetch_fsps(section(repository, tag="no_such_tag"), record)
    assert not record.exists()
    assert not (tmp_path / "fsps").exists()
    fetch_fsps(section(repository), record)
    assert not (tmp_path / ".fsps.partial").exists()


def test_an_unknown_python_fsps_needs_a_tag(repository, tmp_path):
    with pytest.raises(InputError, match=r"ssp.fsps.version: python-fsps 0\.9\.1 is unknown"):
        fetch_fsps(section(repository, version="0.9.1"), tmp_path / "fsps.json")
