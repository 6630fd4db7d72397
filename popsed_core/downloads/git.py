"""Shallow clone of a git repository at one revision, complete or not at all.

The clone is made next to its destination, under a hidden name that a later call reuses, and is
moved into place when it is checked out.
"""

import logging
import shutil
import subprocess
from pathlib import Path

from popsed_core.errors import InputError

logger = logging.getLogger(__name__)


def clone(url: str, revision: str, folder: Path) -> str:
    """Clone one revision of a repository into ``folder``, replacing what is there.

    Args:
        url: anything that git can fetch from, including a local path.
        revision: tag, branch or commit.
        folder: where the files go.

    Returns:
        The commit.

    Raises:
        InputError: git is not installed, or fails; ``folder`` is then as it was.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    logger.info("getting %s at %s", url, revision)
    _git(url, revision, partial, "init", "--quiet")
    _git(url, revision, partial, "fetch", "--quiet", "--depth=1", "--no-tags", "--", url, revision)
    checkout = ("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
    _git(url, revision, partial, "-c", "advice.detachedHead=false", *checkout)
    commit = _git(url, revision, partial, "rev-parse", "HEAD").strip()
    if folder.exists():
        shutil.rmtree(folder)
    partial.replace(folder)
    return commit


def _git(url: str, revision: str, folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise InputError(f"{url}: git is not installed; install it, or clone by hand") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(
            f"{url} at {revision}: git {words[0]} failed: {lines[-1]}; check address, revision and "
            "network, then run again (what has arrived is kept)"
        )
    return done.stdout
