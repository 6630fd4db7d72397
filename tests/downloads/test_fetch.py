import json
import re

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
def no_client(monkeypatch):
    def refuse(*_):
        raise AssertionError("the package client was run")

    monkeypatch.setattr(module, "_run_client", refuse)


def test_wrong_checksum_names_both_sums_and_leaves_nothing(no_client, tmp_path):
    make_wheel(tmp_path / "wheels")
    wrong = Download(package="tiny-data==1.0", member=MEMBER, sha256="0" * 64)
    with pytest.raises(InputError) as caught:
        fetch(wrong, tmp_path / "table.bin")
    for part in (MEMBER, "tiny_data-1.0", sha(CONTENT), "0" * 64, "downloads.<name>.path"):
        assert part in str(caught.value)
    assert files_below(tmp_path) == []


def test_wrong_checksum_keeps_the_local_copy_and_the_old_output(tmp_path):
    (tmp_path / "copy.bin").write_bytes(CONTENT + b"!")
    (tmp_path / "table.bin").write_bytes(b"old")
    download = Download("tiny-data==1.0", MEMBER, sha(CONTENT), str(tmp_path / "copy.bin"))
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "copy.bin"))):
        fetch(download, tmp_path / "table.bin")
    assert files_below(tmp_path) == ["copy.bin", "table.bin"]
    assert (tmp_path / "table.bin").read_bytes() == b"old"


def test_local_copy_is_used_in_place_of_the_download(no_client, tmp_path):
    (tmp_path / "copy.bin").write_bytes(CONTENT)
    download = Download("tiny-data==1.0", MEMBER, sha(CONTENT), str(tmp_path / "copy.bin"))
    fetch(download, tmp_path / "resources" / "table.bin")
    assert (tmp_path / "resources" / "table.bin").read_bytes() == CONTENT


def test_missing_local_copy_is_named(tmp_path):
    download = Download("tiny-data==1.0", MEMBER, sha(CONTENT), str(tmp_path / "copy.bin"))
    with pytest.raises(InputError, match=r"copy\.bin: no such file; correct or remove"):
        fetch(download, tmp_path / "table.bin")


def test_output_with_the_right_checksum_is_not_touched(wheel, no_client, tmp_path):
    output = tmp_path / "table.bin"
    output.write_bytes(CONTENT)
    before = output.stat()
    fetch(wheel, output)
    assert output.stat() == before


# --- files fetched by hand ------------------------------------------------------------------
WEB = Download(urls=("http://archive.invalid/dr3/Masses.fits",))
FITS = b"SIMPLE  =" + CONTENT


@pytest.fixture
def by_hand(tmp_path):
    (tmp_path / "by_hand").mkdir()
    return tmp_path / "by_hand"


def fetch_by_hand(download, by_hand, tmp_path):
    output = tmp_path / "resources" / "gama_masses.fits"
    fetch(download, output, tmp_path / "lock.json", by_hand)
    return output.read_bytes()


def test_a_file_fetched_by_hand_is_used_and_pinned(by_hand, tmp_path):
    (by_hand / "Masses.fits").write_bytes(FITS)
    assert fetch_by_hand(WEB, by_hand, tmp_path) == FITS
    assert json.loads((tmp_path / "lock.json").read_text())["gama_masses.fits"]["sha256"] == sha(
        FITS
    )
    (by_hand / "Masses.fits").write_bytes(FITS + b"!")
    with pytest.raises(InputError, match=r"Masses\.fits: sha256 is .* remove its entry from"):
        fetch_by_hand(WEB, by_hand, tmp_path)
    assert (tmp_path / "resources" / "gama_masses.fits").read_bytes() == FITS


def test_an_error_page_fetched_by_hand_is_refused(by_hand, tmp_path):
    (by_hand / "Masses.fits").write_bytes(b"<html>forbidden")
    with pytest.raises(InputError, match="no FITS file"):
        fetch_by_hand(WEB, by_hand, tmp_path)


def test_what_lacks_in_the_folder_is_named_with_its_address(by_hand, tmp_path):
    with pytest.raises(InputError, match=r"by_hand/Masses\.fits: no such file; get it from http"):
        fetch_by_hand(WEB, by_hand, tmp_path)
    with pytest.raises(InputError, match=r"runtime\.offline: .*nowhere: no such folder"):
        fetch_by_hand(WEB, by_hand / "nowhere", tmp_path)


def test_a_wheel_or_its_file_in_the_folder_is_used(wheel, no_client, by_hand, tmp_path):
    make_wheel(by_hand)
    fetch(wheel, tmp_path / "a.bin", offline=by_hand)
    assert (tmp_path / "a.bin").read_bytes() == CONTENT
    assert len(list(by_hand.iterdir())) == 1  # it is not ours to remove
    (by_hand / "table.bin").write_bytes(CONTENT + b"!")
    with pytest.raises(InputError, match=r"by_hand/table\.bin: sha256 is"):
        fetch(wheel, tmp_path / "b.bin", offline=by_hand)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "give urls, or package and member"),
        ({"package": "a==1"}, "give urls, or package and member"),
        ({"package": "a==1", "member": "b"}, "sha256: a file inside a wheel needs it"),
        ({"urls": ("http://a/b",), "package": "a==1"}, "not both"),
        ({"urls": ("ftp://a/b",)}, "urls"),
    ],
)
def test_a_download_that_is_neither_of_both_is_refused(keys, told):
    with pytest.raises(ValueError, match=told):
        Download(**keys)
