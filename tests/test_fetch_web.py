"""Downloads over HTTP from a real server on loopback that misbehaves as archives do."""

import hashlib
import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from popsed_core import fetch_web
from popsed_core.config import Download
from popsed_core.errors import InputError
from popsed_core.fetch_web import fetch_from_web

CONTENT = b"SIMPLE  =" + bytes(range(256)) * 20_000
SHA = hashlib.sha256(CONTENT).hexdigest()
ETAG = '"version-1"'


class Archive(ThreadingHTTPServer):
    """A server with knobs; remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.etag = CONTENT, ETAG
        self.drops: list[int] = []  # bytes after which each next connection breaks
        self.statuses: list[int] = []  # of the next answers
        self.agents = lambda agent: True
        self.has_ranges = True
        self.asked: list[dict[str, str]] = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/dr3/ApMatchedCat.fits"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        archive = self.server
        archive.asked.append(dict(self.headers))
        if not archive.agents(self.headers["User-Agent"]):
            self.send_error(403)
            return
        if archive.statuses:
            self.send_error(archive.statuses.pop(0))
            return
        start = 0
        is_same = self.headers.get("If-Range") == archive.etag
        if archive.has_ranges and "Range" in self.headers and is_same:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        body = archive.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", archive.etag)
        self.end_headers()
        if archive.drops:
            self.wfile.write(body[: archive.drops.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def archive(monkeypatch):
    monkeypatch.setattr(fetch_web, "FIRST_WAIT", 0.0)
    monkeypatch.setattr(fetch_web, "LAST_WAIT", 0.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    server = Archive()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def get(archive, tmp_path):
    def run(*urls, **changes):
        download = Download(urls=urls or (archive.url,), **changes)
        fetch_from_web(download, tmp_path / "resources" / "gama.fits", tmp_path / "lock.json")
        return (tmp_path / "resources" / "gama.fits").read_bytes()

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_file_arrives_and_is_pinned(archive, get, tmp_path):
    assert get() == CONTENT
    assert names(tmp_path / "resources") == ["gama.fits"]
    pin = json.loads((tmp_path / "lock.json").read_text())["gama.fits"]
    assert pin == {"sha256": SHA, "size": len(CONTENT), "url": archive.url}
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
    assert "going on in" in caplog.text


def test_a_later_run_takes_up_what_an_earlier_one_left(archive, get, tmp_path, monkeypatch):
    archive.drops = [3_000_000]
    monkeypatch.setattr(fetch_web, "N_ATTEMPTS", 1)
    archive.statuses = [200]

    def killed(*_):
        raise KeyboardInterrupt

    archive.statuses = []
    with monkeypatch.context() as patch:
        patch.setattr(fetch_web.time, "sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            get()
    assert not (tmp_path / "resources" / "gama.fits").exists()
    assert get() == CONTENT
    assert int(archive.asked[-1]["Range"][6:-1]) > 1_000_000
    assert names(tmp_path / "resources") == ["gama.fits"]


def test_a_server_without_ranges_is_asked_for_all_of_it_again(archive, get):
    archive.has_ranges, archive.drops = False, [1_000_000]
    assert get() == CONTENT


def test_a_file_that_changes_in_between_is_fetched_from_the_beginning(archive, get, monkeypatch):
    archive.drops = [1_000_000]
    other = CONTENT[::-1].replace(CONTENT[::-1][:9], b"SIMPLE  =", 1)

    def changed(_):
        archive.content, archive.etag = other, '"version-2"'

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
    told = ("answers 403", archive.url, "by hand", "as ApMatchedCat.fits", "--offline FOLDER")
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
    mirror = archive.url.replace("dr3", "mirror")
    assert get(archive.url, mirror) == CONTENT
    assert len(archive.asked) == 2


@pytest.mark.parametrize("is_in_config", [False, True])
def test_another_file_than_the_pinned_one_is_refused(archive, get, tmp_path, is_in_config):
    pins = {"sha256": SHA} if is_in_config else {}
    if not is_in_config:
        get()
        (tmp_path / "resources" / "gama.fits").unlink()
    archive.content = CONTENT + b"more"
    with pytest.raises(InputError) as caught:
        get(**pins)
    other = hashlib.sha256(archive.content).hexdigest()
    for part in (archive.url, SHA, other, "remove its entry from", "lock.json"):
        assert part in str(caught.value)
    assert names(tmp_path / "resources") == []


def test_an_error_page_is_never_pinned(archive, get, tmp_path):
    archive.content = b"<!DOCTYPE html><p>This service is down for maintenance"
    with pytest.raises(InputError, match="no FITS file, it begins with b'<!DOCTYP"):
        get()
    assert not (tmp_path / "lock.json").exists()
    assert names(tmp_path / "resources") == []


def test_a_damaged_lock_is_named(get, tmp_path):
    (tmp_path / "lock.json").write_text("[1")
    with pytest.raises(InputError, match=r"lock\.json: not a list of pinned downloads"):
        get()
