"""From a configuration to all that a fit reads of a survey, as the workflow's rules make it.

A real survey is read and selected; a mock is drawn and observed through the noise of the real
survey that it imitates; the noise model is fitted to the catalogue's own errors.
"""

import logging
from pathlib import Path
from typing import NamedTuple

from popsed_core.config.root import Config
from popsed_core.config.surveys import MockSurvey
from popsed_core.errors import InputError
from popsed_core.photometry.coverage import check_filters
from popsed_core.photometry.noise import NoiseTable
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.build import build_catalogue, select_catalogue
from popsed_core.surveys.catalogue import Catalogue, Reference, SurveyTable, format_cut_flow
from popsed_core.surveys.mocks.observe import RealSurvey, observe
from popsed_core.surveys.noise_fit import fit_noise
from popsed_core.surveys.noise_outliers import noise_warnings
from popsed_core.surveys.resources import obtain_tables

log = logging.getLogger(__name__)


class Assembled(NamedTuple):
    """What is known of a survey.

    Attributes:
        catalogue: the selected photometry [mag].
        reference: what is known otherwise, for comparison only.
        noise: the noise model.
    """

    catalogue: Catalogue
    reference: Reference
    noise: NoiseTable


def assemble(
    config: Config, name: str, grid: SSPGrid, folder: Path, photometry: SurveyTable | None = None
) -> Assembled:
    """Read a survey, or draw a mock, and fit its noise.

    Args:
        config: the whole configuration.
        name: of the survey.
        grid: SSP table, of which a mock is made.
        folder: with ``resources/``, for downloads.
        photometry: of a real survey, where it was not read from the configured file.

    Raises:
        InputError: a file cannot be read, no galaxy is left, or a filter is unknown or not covered.
    """
    if isinstance(config.surveys[name], MockSurvey):
        if photometry is not None:
            raise InputError(
                f"surveys.{name}: is a mock, which is drawn; a table goes with a survey of kind "
                "table"
            )
        catalogue, reference = _draw_mock(config, name, grid, folder)
    else:
        catalogue, reference = _read_real(config, name, folder, photometry)
    noise = fit_noise(catalogue, config.noise)
    for warning in noise_warnings(noise, catalogue):
        log.warning("%s", warning)
    return Assembled(catalogue, reference, noise)


def _read_real(
    config: Config, name: str, folder: Path, photometry: SurveyTable | None
) -> tuple[Catalogue, Reference]:
    section = config.surveys[name]
    ranges = {
        "redshift_range": _redshift_range(config, name),
        "spectrum_range": (config.ssp.wave_low, config.ssp.wave_high),
        "igm": config.spectra.igm,
    }
    if photometry is not None:
        return select_catalogue(photometry, section.cuts, **ranges)
    return build_catalogue(section, *obtain_tables(config, name, folder), **ranges)


def _draw_mock(
    config: Config, name: str, grid: SSPGrid, folder: Path
) -> tuple[Catalogue, Reference]:
    section = config.surveys[name]
    real = assemble(config, section.noise_from, grid, folder)
    wave_range = float(grid.ssp_wave[0]), float(grid.ssp_wave[-1])
    filters = real.catalogue.filters
    check_filters(filters, _redshift_range(config, name), wave_range, config.spectra.igm)
    known = real.reference if section.joint == "reference" else None
    catalogue, reference = observe(
        name,
        section,
        config.spectra,
        seed=config.seed,
        grid=grid,
        like=RealSurvey(real.catalogue, real.noise, known),
    )
    log.info("%s", format_cut_flow(catalogue.cut_names, catalogue.n_kept.tolist()))
    return catalogue, reference


def _redshift_range(config: Config, name: str) -> tuple[float, float]:
    redshift = config.parameters_for(name)["redshift"]
    return redshift.low, redshift.high
