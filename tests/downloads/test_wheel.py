"""Files out of a package of the registry: one file, verified, or one line that says why not."""

import importlib.metadata
import logging
import re
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from tiny_wheel import CONTENT, MEMBER, files_below, make_wheel, sha

from popsed_core.config.downloads import Download
from popsed_core.downloads import wheel as module
from popsed_core.downloads.fetch import fetch
from popsed_core.errors import InputError


@pytest.fixture
def wheel():
    return Download(package="tiny-data==1.0", member=MEMBER, sha256=sha(CONTENT))


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """The package client uses wheels from a local folder only."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


@pytest.fixture
def no_client(monkeypatch):
    def refuse(*_):
        raise AssertionError("the package client was run")

    monkeypatch.setattr(module, "_run_client", refuse)


def test_one_file_of_the_wheel_arrives_and_nothing_else(wheel, offline, tmp_path):
    make_wheel(offline)
    fetch(wheel, tmp_path / "resources" / "table.bin")
    assert (tmp_path / "resources" / "table.bin").read_bytes() == CONTENT
    assert files_below(tmp_path / "resources") == ["table.bin"]


def test_client_failure_gives_its_last_words_and_the_remedy(wheel, offline, tmp_path):
    with pytest.raises(
        InputError, match=r"tiny-data==1\.0: .*No matching.*downloads\.<name>\.path.*table\.bin"
    ):
        fetch(wheel, tmp_path / "resources" / "table.bin")
    assert files_below(tmp_path / "resources") == []


def test_wheel_already_in_the_cache_is_used(wheel, no_client, tmp_path):
    make_wheel(tmp_path / "wheels")
    fetch(wheel, tmp_path / "table.bin")
    assert files_below(tmp_path) == ["table.bin"]


def test_wheel_of_another_version_is_not_used(wheel, no_client, tmp_path):
    make_wheel(tmp_path / "wheels")
    other = Download(package="tiny-data==1.0.1", member=MEMBER, sha256=sha(CONTENT))
    with pytest.raises(AssertionError, match="client was run"):
        fetch(other, tmp_path / "table.bin")


def test_half_a_wheel_in_the_cache_is_downloaded_again(wheel, offline, tmp_path):
    half = make_wheel(tmp_path / "wheels")
    half.write_bytes(half.read_bytes()[:300])
    make_wheel(offline)
    fetch(wheel, tmp_path / "table.bin")
    assert (tmp_path / "table.bin").read_bytes() == CONTENT


def test_rest_of_a_killed_run_is_cleared_away(wheel, offline, tmp_path):
    make_wheel(offline)
    abandoned = tmp_path / "resources" / "wheels" / ".table.bin.abc"
    abandoned.mkdir(parents=True)
    (abandoned / "half.whl").write_bytes(b"half")
    fetch(wheel, tmp_path / "resources" / "table.bin")
    assert files_below(tmp_path / "resources") == ["table.bin"]


def test_file_that_is_not_in_the_wheel_is_named(no_client, tmp_path):
    make_wheel(tmp_path / "wheels")
    download = Download(package="tiny-data==1.0", member="no/such.file", sha256="0" * 64)
    with pytest.raises(InputError, match=r"tiny_data-1\.0.*holds no no/such\.file"):
        fetch(download, tmp_path / "table.bin")
    assert files_below(tmp_path) == []


def test_damage_inside_the_wheel_is_an_input_error(wheel, no_client, tmp_path):
    path = make_wheel(tmp_path / "wheels")
    content = bytearray(path.read_bytes())
    content[80] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        fetch(wheel, tmp_path / "table.bin")
    assert files_below(tmp_path) == []


def test_files_of_one_wheel_are_one_download(offline, tmp_path, monkeypatch):
    with zipfile.ZipFile(make_wheel(offline), "a") as archive:
        archive.writestr("tiny_data/other.txt", "1.0")
    runs = []
    client = module._run_client
    monkeypatch.setattr(module, "_run_client", lambda *args: (runs.append(args), client(*args)))
    folder = tmp_path / "resources"
    mates = [folder / "table.bin", folder / "other.txt"]
    parts = {MEMBER: CONTENT, "tiny_data/other.txt": b"1.0"}
    downloads = [Download("tiny-data==1.0", name, sha(content)) for name, content in parts.items()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: fetch(*pair, mates=mates), zip(downloads, mates, strict=True)))
    assert len(runs) == 1
    assert [mate.read_bytes() for mate in mates] == list(parts.values())
    assert not list(folder.rglob("*.whl"))


def test_a_damaged_wheel_is_not_kept_for_others(no_client, tmp_path):
    make_wheel(tmp_path / "wheels")
    wrong = Download(package="tiny-data==1.0", member=MEMBER, sha256="0" * 64)
    with pytest.raises(InputError, match="sha256"):
        fetch(wrong, tmp_path / "table.bin", mates=[tmp_path / "table.bin", tmp_path / "other"])
    assert not list(tmp_path.rglob("*.whl"))


def test_progress_is_told_while_the_client_runs(wheel, offline, tmp_path, monkeypatch, caplog):
    make_wheel(offline)
    monkeypatch.setattr(module, "LOG_INTERVAL", 0.1)
    with caplog.at_level(logging.INFO):
        fetch(wheel, tmp_path / "table.bin")
    assert any(re.search(r"downloading .*, \d+ MB so far", line) for line in caplog.messages)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "ATTEMPT_INTERVAL", 0.0)


def client_that_leaves(*contents):
    """A client that leaves half a wheel in the first runs, and a whole one in the last."""
    left = list(contents)

    def run(download, folder):
        path = make_wheel(folder)
        path.write_bytes(path.read_bytes()[: left.pop(0)])

    return run


def test_half_a_wheel_is_fetched_again_and_said(wheel, tmp_path, monkeypatch, caplog, impatient):
    monkeypatch.setattr(module, "_run_client", client_that_leaves(300, None))
    fetch(wheel, tmp_path / "table.bin")
    assert (tmp_path / "table.bin").read_bytes() == CONTENT
    assert "incomplete wheel" in caplog.text
    assert "attempt 2 of 3" in caplog.text
    assert files_below(tmp_path) == ["table.bin"]


def test_half_a_wheel_each_time_is_an_error_and_stays_nowhere(
    wheel, tmp_path, monkeypatch, impatient
):
    monkeypatch.setattr(module, "_run_client", client_that_leaves(300, 200, 100))
    with pytest.raises(InputError, match=r"tiny-data==1\.0: .*incomplete wheel; check the network"):
        fetch(wheel, tmp_path / "table.bin")
    assert files_below(tmp_path) == []


def client_that_says(words, log):
    code = f"import sys; open({str(log)!r}, 'a').write('run '); sys.exit({words!r})"
    return lambda: [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("words", "n_runs"),
    [
        ("ERROR: IncompleteRead(3 bytes read, 8 more expected)", 3),
        ("ERROR: Connection reset by peer", 3),
        ("ERROR: No matching distribution found for tiny-data==1.0", 1),
    ],
)
def test_only_a_failing_network_is_tried_again(
    wheel, tmp_path, monkeypatch, impatient, words, n_runs
):
    log = tmp_path / "log"
    monkeypatch.setattr(module, "_command", client_that_says(words, log))
    with pytest.raises(InputError, match=re.escape(words)):
        fetch(wheel, tmp_path / "resources" / "table.bin")
    assert log.read_text().split() == ["run"] * n_runs
    assert files_below(tmp_path / "resources") == []


@pytest.mark.parametrize(
    ("version", "can_resume"),
    [("23.2.1", False), ("25.0.1", False), ("25.1", True), ("25.3", True), ("26.0.dev1", True)],
)
def test_a_client_that_can_resume_is_told_to(version, can_resume):
    options = module.client_options(version)
    assert any(option.startswith("--resume-retries=") for option in options) == can_resume


def test_an_environment_without_a_client_is_told_the_remedy(wheel, tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(InputError, match=r"no package client; run .*ensurepip"):
        fetch(wheel, tmp_path / "table.bin")
    assert files_below(tmp_path) == []
