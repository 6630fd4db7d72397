"""One process at a time works on a file, even if a scheduler runs the same job twice.

If Snakemake is killed on a cluster its jobs continue, and the next run resubmits them.  The second
process then waits until the first has ended, however it ends: the system releases its lock.
"""

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from popsed_core.files.atomic import explain_write_error

log = logging.getLogger(__name__)

POLL = 0.5  # [s]


@contextlib.contextmanager
def one_writer(path: str | Path) -> Iterator[bool]:
    """Lock a file for the duration of the block; if another process holds it, log it and wait.

    The lock is an empty file next to it, ``.NAME.lock``, which stays: deleting it would let a third
    process lock another file of that name.

    Args:
        path: the file to lock; it need not exist.

    Yields:
        Whether it had to wait, so that the work may already be done.
    """
    path = Path(path)
    with explain_write_error(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = path.with_name(f".{path.name}.holder")
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        has_waited = _acquire(lock, path, holder)
    try:
        with contextlib.suppress(OSError):  # only informs those who wait
            holder.write_text(f"process {os.getpid()} on {socket.gethostname()}")
        yield has_waited
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


def _acquire(lock: FileLock, path: Path, holder: Path) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        name = holder.read_text() if holder.exists() else "another process"
        log.info("waiting for %s, which %s is working on", path, name)
        lock.acquire(poll_interval=POLL)
        log.info("continuing: %s is free", path)
        return True
    except NotImplementedError:  # a file system without locks
        log.warning("%s: this file system has no locks; two jobs on one file go unnoticed", path)
    return False
