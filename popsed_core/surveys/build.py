"""From a survey's file to its catalogue and reference: chooses the reader, applies the cuts."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from popsed_core.config.surveys import Cuts
from popsed_core.errors import InputError
from popsed_core.photometry.coverage import Range, check_filters
from popsed_core.surveys.band_costs import format_band_costs
from popsed_core.surveys.catalogue import Catalogue, Reference, SurveyTable, format_cut_flow, select
from popsed_core.surveys.gama import read_gama
from popsed_core.surveys.kcorrect_sdss import read_kcorrect_sdss
from popsed_core.surveys.table import read_table

logger = logging.getLogger(__name__)

READERS: dict[str, Callable[..., SurveyTable]] = {
    "gama_dr3": read_gama,
    "kcorrect_sdss": read_kcorrect_sdss,
    "table": read_table,
}


def build_catalogue(
    survey: Any,
    *paths: Path,
    redshift_range: Range | None = None,
    spectrum_range: Range | None = None,
    igm: str = "none",
) -> tuple[Catalogue, Reference]:
    """Read a survey and apply its cuts.

    Args:
        survey: a survey section of the configuration that is read from a file.
        paths: its files; by default those of the section.
        redshift_range: lowest and highest redshift of the fit that will follow.
        spectrum_range: wavelengths that its spectra will cover, rest frame [AA].
        igm: as ``spectra.igm`` of the fit.

    Returns:
        The photometry and, separately, the reference for comparison, row by row.

    Raises:
        InputError: the file cannot be read, no galaxy is left, or a filter is unknown or, where
            both ranges are given, not covered by the spectra; names the remedy.
    """
    if survey.kind not in READERS:
        raise InputError(f"kind: {survey.kind} is not read from a file; expected {list(READERS)}")
    found = paths or survey.paths
    if None in found or len(found) != len(survey.paths):
        raise InputError(
            f"path: a survey of kind {survey.kind} needs a file for each of its "
            f"{len(survey.paths)} tables, got {len(paths)}; give them, or set their paths in its "
            "section"
        )
    photometry = READERS[survey.kind](survey, *map(Path, found))
    return select_catalogue(
        photometry, survey.cuts, redshift_range=redshift_range, spectrum_range=spectrum_range,
        igm=igm,
    )  # fmt: skip


def select_catalogue(
    photometry: SurveyTable,
    cuts: Cuts,
    *,
    redshift_range: Range | None = None,
    spectrum_range: Range | None = None,
    igm: str = "none",
) -> tuple[Catalogue, Reference]:
    """Apply the cuts to photometry that is at hand; arguments and errors as above."""
    check_filters(photometry.filters, redshift_range, spectrum_range, igm)
    catalogue, reference = select(photometry, cuts)
    logger.info(
        "%s\n%s\n%s",
        photometry.path,
        format_cut_flow(catalogue.cut_names, catalogue.n_kept.tolist()),
        format_band_costs(catalogue.band_costs),
    )
    for note in catalogue.notes:
        logger.warning("WARN %s", note)
    return catalogue, reference
