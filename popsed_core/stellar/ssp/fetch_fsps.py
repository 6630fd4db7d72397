"""Get the FSPS data: a shallow clone, with a record of its revision."""

import json
import logging
from pathlib import Path
from typing import Any

from popsed_core.config.ssp import FSPSConfig
from popsed_core.downloads.git import clone
from popsed_core.files.artefacts import atomic_path
from popsed_core.stellar.ssp.fsps_data import tag_for

logger = logging.getLogger(__name__)


def fetch_fsps(config: FSPSConfig, record: Path) -> None:
    """Clone the FSPS repository into the folder beside ``record``, which is written last.

    Args:
        config: repository and revision.
        record: JSON file to make, e.g. ``resources/fsps.json`` for data in ``resources/fsps/``.

    Raises:
        InputError: git fails, or no revision is known to fit the version of python-fsps.
    """
    tag = config.tag or tag_for(config.version)
    wanted = {"url": config.url, "tag": tag}
    folder = record.with_suffix("")
    found = _read(record)
    if folder.is_dir() and wanted.items() <= found.items():
        logger.info("%s exists already", folder)
        return
    record.unlink(missing_ok=True)
    commit = clone(config.url, tag, folder)
    with atomic_path(record) as partial:
        partial.write_text(json.dumps({**wanted, "commit": commit}, indent=1) + "\n")


def _read(record: Path) -> dict[str, Any]:
    try:
        return json.loads(record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
