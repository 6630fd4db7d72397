"""Copies of files that are verified by their sha256."""

import hashlib
from io import BufferedIOBase
from pathlib import Path

from popsed_core.errors import InputError
from popsed_core.files.artefacts import atomic_path

CHUNK = 1 << 20  # [byte]


def copy_checked(stream: BufferedIOBase, output: Path, expected: str, origin: str) -> None:
    """Write a stream to a file, which is kept only if its sha256 is the expected one.

    Args:
        stream: the content.
        output: the file to make or replace.
        expected: sha256.
        origin: where the content is from, for the message.

    Raises:
        InputError: the sha256 differs.
    """
    digest = hashlib.sha256()
    with atomic_path(output) as partial:
        with partial.open("wb") as target:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
        if digest.hexdigest() != expected:
            raise InputError(
                f"{origin}: sha256 is {digest.hexdigest()}, expected {expected}; the file is "
                f"damaged or another version: rerun to download it again, or set "
                f"downloads.<name>.path to a good copy"
            )
