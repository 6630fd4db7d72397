"""Resumable downloads over HTTP, from the first address that serves the file.

Archives publish no checksums.  The first complete download is therefore pinned, size and sha256,
in a lock file that can be committed; later downloads must match it.
"""

import hashlib
import json
import logging
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock
from requests.exceptions import RequestException

from popsed_core.config.downloads import Download
from popsed_core.errors import InputError
from popsed_core.files.artefacts import sha256
from popsed_core.files.atomic import DiskError, atomic_path, explain_write_error

logger = logging.getLogger(__name__)

# ASSUME: archives that answer 403 to unknown agents serve browsers
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HEADERS = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity"}
TIMEOUT = (20.0, 60.0)  # [s] to connect, between two pieces
N_ATTEMPTS = 5  # in a row without progress, per address
FIRST_WAIT, LAST_WAIT = 2.0, 60.0  # [s] between attempts, doubled each time
PIECE = 1 << 16  # [byte] at most lost where a connection breaks
LOG_INTERVAL = 10.0  # [s] between progress lines
MEGABYTE = 1e6  # [byte]
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # status codes worth retrying
FITS_BEGINS = b"SIMPLE  ="
OK, PARTIAL, BEYOND_THE_END = 200, 206, 416


@dataclass(frozen=True)
class Pin:
    """Expected size and checksum of a file.

    Attributes:
        sha256: of its content.
        size: [byte]; negative where only the sha256 is known.
        url: where it was first seen.
    """

    sha256: str
    size: int
    url: str = ""


def fetch_from_web(download: Download, output: Path, lock: Path) -> None:
    """Download a file, or the rest of it, and check it against its pin; the first sets the pin.

    Args:
        download: addresses in order of preference, perhaps the sha256.
        output: the file to make or replace; a partial file is kept next to it.
        lock: the pins of all downloads (JSON); made or extended where this one is not yet pinned.

    Raises:
        InputError: no address serves the file, or it differs from the pin; says
            what to fetch by hand.
    """
    pin = read_pin(download, output.name, lock)
    if output.is_file() and pin is not None and sha256(output) == pin.sha256:
        logger.info("%s exists already", output)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for url in download.urls:
        try:
            with explain_write_error(output):
                found = _fetch(url, output, pin, lock)
        except DiskError:
            raise
        except InputError as error:
            logger.warning("%s", error)
            reasons.append(str(error))
            continue
        for left in output.parent.glob(f".{output.name}.*"):
            left.unlink()
        keep_pin(found, output.name, lock)
        return
    name = file_name(download)
    raise InputError(
        f"{'; '.join(reasons)}. Get {download.urls[0]} by hand, a browser may be let in, put it "
        f"into a folder as {name}, and run again with runtime.offline set to that folder (`popsed "
        f"data fetch --offline FOLDER`), or with downloads.<name>.path set to the file"
    )


def file_name(download: Download) -> str:
    """Return the name that the file has in its archive."""
    return Path(urlsplit(download.urls[0]).path).name


def _fetch(url: str, output: Path, pin: Pin | None, lock: Path) -> Pin:
    partial = _Partial(output, url)
    _get(url, partial)
    try:
        found = file_pin(partial.path, url)
        check_kind(partial.path, output.name, url)
        check_pin(found, pin, url, lock)
    except InputError:
        partial.remove()
        raise
    partial.path.replace(output)
    return found


def check_kind(path: Path, name: str, origin: str) -> None:
    """Raise InputError if a file named FITS is something else, such as an error page."""
    if not name.endswith(".fits"):
        return
    with path.open("rb") as stream:
        head = stream.read(len(FITS_BEGINS))
    if head != FITS_BEGINS:
        raise InputError(f"{origin}: no FITS file, it begins with {head!r}")


def file_pin(path: Path, origin: str) -> Pin:
    """Return size and checksum of a file."""
    return Pin(sha256(path), path.stat().st_size, origin)


def check_pin(found: Pin, pin: Pin | None, origin: str, lock: Path) -> None:
    """Raise InputError unless a file is the pinned one."""
    if pin is None or found.sha256 == pin.sha256:
        return
    size = f" ({pin.size} bytes)" if pin.size >= 0 else ""
    raise InputError(
        f"{origin}: sha256 is {found.sha256} ({found.size} bytes), expected {pin.sha256}{size}: "
        "damaged, or another version; rerun to download it again, or, if the new file is right, "
        f"remove its entry from {lock}, or downloads.<name>.sha256 where that says so"
    )


def read_pin(download: Download, name: str, lock: Path) -> Pin | None:
    """Return the pin of a file, from the configuration or the lock; None: not known.

    Raises:
        InputError: the lock is damaged.
    """
    pins = _read_lock(lock)
    found = pins.get(name)
    if download.sha256 is None or (found is not None and found.sha256 == download.sha256):
        return found
    return Pin(download.sha256, -1)


def keep_pin(pin: Pin, name: str, lock: Path) -> None:
    """Write a pin into the lock unless it has one; concurrent writers wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    guard = lock.with_name(f".{lock.name}.guard")
    with FileLock(guard):
        pins = _read_lock(lock)
        if pins.get(name) is None or pins[name].sha256 != pin.sha256:
            pins[name] = pin
            content = {key: asdict(value) for key, value in sorted(pins.items())}
            with atomic_path(lock) as partial:
                partial.write_text(json.dumps(content, indent=1) + "\n")
            logger.info("pinned %s in %s: sha256 %s", name, lock, pin.sha256)


def _read_lock(lock: Path) -> dict[str, Pin]:
    if not lock.is_file():
        return {}
    try:
        return {name: Pin(**pin) for name, pin in json.loads(lock.read_text()).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"{lock}: not a list of pinned downloads ({error}); restore or delete it"
        ) from error


class _RefusedError(InputError):
    """The server refuses to serve the file; retrying does not help."""


class _Partial:
    """The partial file from one address, with a validator of the server's version."""

    def __init__(self, output: Path, url: str) -> None:
        self.output = output
        short = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.path = output.with_name(f".{output.name}.{short}.partial")
        self._record = self.path.with_suffix(".validator")
        self.validator = self._record.read_text() if self._record.exists() else ""
        if not self.validator:
            self.begin("")

    @property
    def size(self) -> int:
        """The bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def begin(self, validator: str) -> None:
        """Start over with the file that the server identifies by ``validator``."""
        self.remove()
        self.validator = validator
        self._record.write_text(validator)

    def remove(self) -> None:
        """Remove what is there."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)


def _get(url: str, partial: _Partial) -> None:
    """Download until the file is complete.

    Raises:
        InputError: the server refuses, or several attempts in a row made no progress.
    """
    wait, n_vain = FIRST_WAIT, 0
    while True:
        before = partial.size
        try:
            if _try(url, partial):
                return
            reason = f"the connection ended after {partial.size} bytes"
        except (RequestException, OSError) as error:
            reason = " ".join(str(error).split())
        n_vain = 0 if partial.size > before else n_vain + 1
        if n_vain == N_ATTEMPTS:
            raise InputError(f"{url}: {N_ATTEMPTS} attempts failed, the last one: {reason}")
        wait = FIRST_WAIT if n_vain == 0 else min(2 * wait, LAST_WAIT)
        logger.warning("%s: %s; retrying in %g s", url, reason, wait)
        time.sleep(wait)


def _try(url: str, partial: _Partial) -> bool:
    """Request the file, or the rest of it; return whether it is complete."""
    headers: dict[str, str] = dict(HEADERS)
    if partial.size and partial.validator:
        headers |= {"Range": f"bytes={partial.size}-", "If-Range": partial.validator}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if url.startswith("https:") and not answer.url.startswith("https:"):
            raise _RefusedError(f"{url}: leads to {answer.url}, which is not encrypted")
        status = answer.status_code
        there = re.match(r"bytes (?:(\d+)-\d+|\*)/(\d+)?", answer.headers.get("Content-Range", ""))
        if status == BEYOND_THE_END:
            if there and there[2] == str(partial.size):  # killed after the last byte
                return True
            partial.begin("")
            return False
        if status == PARTIAL and (there is None or there[1] != str(partial.size)):
            partial.begin("")
            raise RequestException(f"{url}: the server sends another part than it was asked for")
        if status not in (OK, PARTIAL):
            kind = RequestException if status in TRANSIENT else _RefusedError
            raise kind(f"{url}: the server answers {status} {answer.reason}")
        if status == OK:  # from the beginning: it cannot resume, or the file has changed
            partial.begin(_validator(answer))
        total = _total(answer, partial.size)
        _save(answer, partial, total)
        return total is None or partial.size == total


def _save(answer: requests.Response, partial: _Partial, total: int | None) -> None:
    last, start, first = time.monotonic(), time.monotonic(), partial.size
    with explain_write_error(partial.output), partial.path.open("ab") as stream:
        for piece in answer.iter_content(PIECE):
            stream.write(piece)
            now = time.monotonic()
            if now - last >= LOG_INTERVAL:
                last = now
                logger.info("%s", _progress(stream.tell(), first, total, now - start))


def _progress(size: int, first: int, total: int | None, seconds: float) -> str:
    if total is None or size == first:
        return f"{size / MEGABYTE:.0f} MB so far"
    eta = seconds / (size - first) * (total - size)
    minutes, rest = divmod(int(eta), 60)
    return f"{size / MEGABYTE:.0f} of {total / MEGABYTE:.0f} MB, ETA {minutes}:{rest:02d}"


def _validator(answer: requests.Response) -> str:
    """Return the validator of this version: a strong ETag, or the modification time."""
    etag = answer.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified", "")


def _total(answer: requests.Response, size: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    if not length.isdigit():
        return None
    return size + int(length)
