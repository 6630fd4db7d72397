"""Downloads over HTTP from a real server on loopback that misbehaves as archives do."""

import hashlib
import json
import logging

import pytest
from web_archive import Archive

from popsed_core.config.downloads import Download
from popsed_core.downloads import web as fetch_web
from popsed_core.downloads.web import fetch_from_web
from popsed_core.errors import InputError

CONTENT = b"SIMPLE  =" + bytes(range(256)) * 20_000
SHA = hashlib.sha256(CONTENT).hexdigest()
NAME = "ApMatchedCat.fits"


@pytest.fixture
def archive(monkeypatch):
    monkeypatch.setattr(fetch_web, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(fetch_web, "LAST_WAIT", 0.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Archive({NAME: CONTENT}).serving() as server:
        yield server


@pytest.fixture
def get(archive, tmp_path):
    def run(*urls, **changes):
        download = Download(urls=urls or (archive.url(NAME),), **changes)
        fetch_from_web(download, tmp_path / "resources" / "gama.fits", tmp_path / "lock.json")
        return (tmp_path / "resources" / "gama.fits").read_bytes()

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_arrives_and_is_pinned(archive, get, tmp_path):
    assert get() == CONTENT
    assert names(tmp_path / "resources") == ["gama.fits"]
    pin = json.loads((tmp_path / "lock.json").read_text())["gama.fits"]
    assert pin == {"sha256": SHA, "size": len(CONTENT), "url": archive.url(NAME)}
    assert "Mozilla" in archive.asked[0]["User-Agent"]


def test_what_is_there_and_pinned_is_not_asked_for_again(archive, get):
    get()
    get()
    assert len(archive.asked) == 1


def test_a_broken_connection_is_taken_up_where_it_broke(archive, get, caplog):
    archive.drops = [1_000_000, 2_000_000]
    with caplog.at_level(logging.WARNING):
        assert get() == CONTENT
    starts = [int(request["Range"][6:-1]) for request in archive.asked if "Range" in request]
    assert len(starts) == 2
    assert 0 < starts[0] <= 1_000_000 < starts[1] <= 3_000_000
    assert "retrying in" in caplog.text


def test_a_later_run_takes_up_what_an_earlier_one_left(archive, get, tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    archive.drops = [3_000_000]
    with monkeypatch.context() as patch:
        patch.setattr(fetch_web.time, "sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            get()
    assert not (tmp_path / "resources" / "gama.fits").exists()
    assert get() == CONTENT
    assert int(archive.asked[-1]["Range"][6:-1]) > 1_000_000
    assert names(tmp_path / "resources") == ["gama.fits"]


def test_a_file_that_had_arrived_when_the_run_was_killed_is_not_fetched_again(
    archive, get, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch_web, "check_kind", killed)
        with pytest.raises(KeyboardInterrupt):
            get()
    assert get() == CONTENT
    assert archive.asked[-1]["Range"] == f"bytes={len(CONTENT)}-"
    assert len(archive.asked) == 2


def test_a_part_that_was_not_asked_for_is_not_taken(archive, get):
    archive.drops, archive.shift = [1_000_000], 7
    assert get() == CONTENT
    assert "Range" not in archive.asked[-1]


def test_a_server_without_ranges_is_asked_for_all_of_it_again(archive, get):
    archive.has_ranges, archive.drops = False, [1_000_000]
    assert get() == CONTENT


def test_a_file_that_changes_in_between_is_fetched_from_the_beginning(archive, get, monkeypatch):
    archive.drops = [1_000_000]
    other = CONTENT[::-1].replace(CONTENT[::-1][:9], b"SIMPLE  =", 1)

    def changed(_):
        archive.contents[NAME], archive.etag = other, '"version-2"'

    monkeypatch.setattr(fetch_web.time, "sleep", changed)
    assert get() == other


def test_a_busy_server_is_asked_again(archive, get):
    archive.statuses = [503, 429]
    assert get() == CONTENT
    assert len(archive.asked) == 3


def test_odd_agents_are_refused_and_ours_is_none(archive, get):
    archive.agents = lambda agent: agent.startswith("Mozilla/5.0")
    assert get() == CONTENT


def test_a_refusal_says_what_to_fetch_by_hand(archive, get, tmp_path):
    archive.agents = lambda agent: False
    with pytest.raises(InputError) as caught:
        get()
    told = ("answers 403", archive.url(NAME), "by hand", "as ApMatchedCat.fits", "--offline FOLDER")
    for part in (*told, "downloads.<name>.path"):
        assert part in str(caught.value)
    assert len(archive.asked) == 1
    assert not (tmp_path / "lock.json").exists()


def test_a_connection_that_gives_nothing_is_given_up(archive, get):
    archive.drops = [0] * 50
    with pytest.raises(InputError, match=r"5 attempts failed, the last one: .*by hand"):
        get()
    assert len(archive.asked) == 5


def test_another_address_serves_what_the_first_does_not(archive, get):
    archive.statuses = [404]
    mirror = archive.url(NAME, "mirror")
    assert get(archive.url(NAME), mirror) == CONTENT
    assert len(archive.asked) == 2


@pytest.mark.parametrize("is_in_config", [False, True])
def test_another_file_than_the_pinned_one_is_refused(archive, get, tmp_path, is_in_config):
    pins = {"sha256": SHA} if is_in_config else {}
    if not is_in_config:
        get()
        (tmp_path / "resources" / "gama.fits").unlink()
    archive.contents[NAME] = CONTENT + b"more"
    with pytest.raises(InputError) as caught:
        get(**pins)
    other = hashlib.sha256(archive.contents[NAME]).hexdigest()
    for part in (archive.url(NAME), SHA, other, "remove its entry from", "lock.json"):
        assert part in str(caught.value)
    assert "-1 bytes" not in str(caught.value)
    assert names(tmp_path / "resources") == []


def test_an_error_page_is_never_pinned(archive, get, tmp_path):
    archive.contents[NAME] = b"<!DOCTYPE html><p>This service is down for maintenance"
    with pytest.raises(InputError, match="no FITS file, it begins with b'<!DOCTYP"):
        get()
    assert not (tmp_path / "lock.json").exists()
    assert names(tmp_path / "resources") == []


def test_a_damaged_lock_is_named(get, tmp_path):
    (tmp_path / "lock.json").write_text("[1")
    with pytest.raises(InputError, match=r"lock\.json: not a list of pinned downloads"):
        get()
