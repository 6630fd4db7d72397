"""From a survey's file to its catalogue and reference: picks the reader, applies the cuts."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from popsed_core.errors import InputError
from popsed_core.photometry.catalogue import (
    Catalogue,
    Photometry,
    Reference,
    format_cut_flow,
    select,
)
from popsed_core.photometry.surveys.kcorrect_sdss import read_kcorrect_sdss
from popsed_core.photometry.surveys.table import read_table

logger = logging.getLogger(__name__)

READERS: dict[str, Callable[[Any, Path], Photometry]] = {
    "kcorrect_sdss": read_kcorrect_sdss,
    "table": read_table,
}


def build_catalogue(survey: Any, path: Path | None) -> tuple[Catalogue, Reference]:
    """Read a survey and apply its cuts.

    Args:
        survey: a survey section of the configuration that is read from a file.
        path: the file; None: ``survey.path``.

    Returns:
        The photometry, and apart from it what is only for comparison, row by row.

    Raises:
        InputError: the file cannot be read, or no galaxy is left; names the remedy.
    """
    if survey.kind not in READERS:
        raise InputError(f"kind: {survey.kind} is not read from a file; expected {list(READERS)}")
    found = path or survey.path
    if found is None:
        raise InputError(f"path: a survey of kind {survey.kind} needs a file; set its path")
    catalogue, reference = select(READERS[survey.kind](survey, Path(found)), survey.cuts)
    logger.info("%s\n%s", found, format_cut_flow(catalogue.cut_names, catalogue.n_kept.tolist()))
    return catalogue, reference
