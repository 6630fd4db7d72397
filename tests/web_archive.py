"""An archive's web server that misbehaves as archives do."""

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Archive(ThreadingHTTPServer):
    """A configurable server on loopback that records its requests."""

    daemon_threads = True

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = contents  # by name
        self.etag = '"version-1"'
        self.drops: list[int] = []  # bytes after which each next connection breaks
        self.statuses: list[int] = []  # of the next answers
        self.agents = lambda agent: True
        self.has_ranges = True
        self.shift = 0  # by which parts begin too late
        self.piece, self.pause = 0, 0.0  # [byte], [s] after each piece: the pace of a network
        self.asked: list[dict[str, str]] = []

    def url(self, name, folder="dr3"):
        return f"http://127.0.0.1:{self.server_address[1]}/{folder}/{name}"

    @contextmanager
    def serving(self):
        thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


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
        start, content = 0, archive.contents[self.path.rpartition("/")[2]]
        is_same = self.headers.get("If-Range") == archive.etag
        if archive.has_ranges and "Range" in self.headers and is_same:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start < len(content) else 416)
            part = f"{start + archive.shift}-{len(content) - 1}" if start < len(content) else "*"
            self.send_header("Content-Range", f"bytes {part}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", archive.etag)
        self.end_headers()
        if archive.drops:
            self.wfile.write(body[: archive.drops.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        size = archive.piece or len(body) or 1
        try:
            for begin in range(0, len(body), size):
                self.wfile.write(body[begin : begin + size])
                time.sleep(archive.pause)
        except ConnectionError:  # whoever asked has been killed
            self.close_connection = True

    def log_message(self, *_):
        pass
