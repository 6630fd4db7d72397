"""Configurations as users write them: a file with what differs, in a folder of its own."""

import atexit
import hashlib
import shutil
import tempfile
from pathlib import Path

import yaml

from popsed_core.config.base import to_plain

SMOKE = Path(__file__).resolve().parent.parent / "config" / "smoke.yaml"
FOLDER = Path(tempfile.mkdtemp(prefix="popsed-overlays-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def overlay(**sections):
    """Write sections, or parts of them, and return the file."""
    text = yaml.safe_dump(to_plain(sections), sort_keys=False)
    path = FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.yaml"
    path.write_text(text)
    return path


def smoke_with(**sections):
    """The words that name the smoke configuration with other sections merged over it."""
    return ["--config", SMOKE, *(["--config", overlay(**sections)] if sections else [])]
