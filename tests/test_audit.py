"""The audit of the locked packages finds known problems, and reports what it could not check."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ENVS = Path(__file__).resolve().parent.parent / "envs"
sys.path.insert(0, str(ENVS))

import audit  # noqa: E402


@pytest.fixture
def database():
    """A database that knows one vulnerability of numpy."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            known = {"vulns": [{"id": "OSV-2026-1"}]}
            results = [known if q["package"]["name"] == "numpy" else {} for q in asked]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"results": results}).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_lock_s_packages_are_free_enough_and_a_missing_database_is_told(monkeypatch, capsys):
    monkeypatch.setenv("POPSED_OSV", "http://127.0.0.1:1/")
    assert audit.main() == 0
    told = capsys.readouterr().out
    assert "packages, each of an exact version" in told
    assert "vulnerabilities: NOT CHECKED" in told


def test_a_known_vulnerability_fails_the_audit(database, monkeypatch, capsys):
    monkeypatch.setenv("POPSED_OSV", database)
    assert audit.main() == 1
    told = capsys.readouterr().out
    assert "vulnerabilities: 1 known" in told
    assert "OSV-2026-1" in told


@pytest.mark.parametrize(
    "line", ["numpy>=2", "numpy", "numpy==", "-e .", "numpy==2 ; python", "a @ b"]
)
def test_a_line_that_is_no_exact_version_is_told(tmp_path, line):
    lock = tmp_path / "x.lock"
    lock.write_text(f"# made by\ntorch==2.13.0\n{line}\n")
    with pytest.raises(ValueError, match="no exact version"):
        audit.pins(lock)


@pytest.mark.parametrize(
    ("text", "is_bad"),
    [("MIT", False), ("BSD-3-Clause", False), ("License :: OSI Approved :: Apache Software License",
      False), ("GPL-3.0-only", True), ("GNU General Public License v3", True), ("", True),
     ("LGPL-2.1 or MIT", False), ("Proprietary", True)],
)  # fmt: skip
def test_a_licence_that_does_not_go_with_ours_is_told(monkeypatch, text, is_bad):
    monkeypatch.setattr(audit, "licence_of", lambda package: text)
    assert bool(list(audit.bad_licences({"x": "1"}))) == is_bad


def test_every_exception_is_of_a_locked_package():
    assert set(audit.ALLOWED) <= set(audit.pins(audit.LOCK))
