"""The input files of a configuration: the user's own as they are, downloads fetched if missing.

Downloads lie under ``resources/`` of a folder, as those of the workflow do in its own, so that a
notebook beside a checkout downloads nothing twice.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from popsed_core.config.paths import (
    FSPS,
    download_file,
    mates,
    nebular_files,
    ssp_library,
    survey_tables,
)
from popsed_core.config.root import Config
from popsed_core.downloads.fetch import LOCK, fetch
from popsed_core.files.lock import one_writer
from popsed_core.stellar.ssp.build import NebularFiles, build_ssp
from popsed_core.stellar.ssp.fetch_fsps import fetch_fsps
from popsed_core.stellar.ssp.grid import SSPGrid

log = logging.getLogger(__name__)


def read_ssp(config: Config, folder: Path) -> SSPGrid:
    """Return the SSP table that a configuration asks for.

    Args:
        config: the whole configuration.
        folder: with ``resources/``, which is made where something is to be downloaded.

    Raises:
        InputError: a file is missing, damaged or cannot be had.
    """
    library = obtain(config, ssp_library(config), folder)
    nebular = {
        name: obtain(config, paths, folder)[0]
        for name, paths in nebular_files(config).items()
        if paths
    }
    return build_ssp(config.ssp, library[0] if library else None, NebularFiles(**nebular))


def obtain_tables(config: Config, survey: str, folder: Path) -> list[Path]:
    """Return the tables of a real survey; ``folder`` and errors as in :func:`read_ssp`."""
    return obtain(config, survey_tables(config, survey), folder)


def obtain(config: Config, paths: Sequence[str], folder: Path) -> list[Path]:
    """Return where files lie, once they are there.

    Args:
        config: the whole configuration, for its downloads.
        paths: as :mod:`popsed_core.config.paths` names them.
        folder: with ``resources/``.

    Raises:
        InputError: a download cannot be had, or is another than it was.
    """
    downloads = {download_file(config, name): name for name in config.downloads}
    return [_obtain(config, path, downloads.get(path), folder) for path in paths]


def _obtain(config: Config, path: str, name: str | None, folder: Path) -> Path:
    if path == FSPS:
        return _fsps(config, folder / path)
    if name is None:
        return Path(path)
    download, output = config.downloads[name], folder / path
    if output.is_file() and download.sha256 is None:
        return output
    offline = None if config.runtime.offline is None else Path(config.runtime.offline)
    wanted = [folder / mate for mate in mates(config, name)]
    with one_writer(output):
        if not output.is_file():
            log.warning("%s: downloads it, once", output)
        fetch(download, output, folder / LOCK, offline, mates=wanted)
    return output


def _fsps(config: Config, record: Path) -> Path:
    with one_writer(record):
        if not record.is_file():
            log.warning("%s: clones the data of FSPS, once", record)
            fetch_fsps(config.ssp.fsps, record)
    return record
