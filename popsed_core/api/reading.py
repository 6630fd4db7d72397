"""From a configuration to a survey that is ready to be fitted.

What the workflow does before a fit, and its numbers are the same bit for bit.
"""

from pathlib import Path
from typing import Any

from popsed_core.api.survey import Survey
from popsed_core.config.root import Config
from popsed_core.config.surveys import TableSurvey
from popsed_core.emulator.emulator import check_emulator
from popsed_core.errors import InputError
from popsed_core.files.artefacts import load as load_artefact
from popsed_core.files.artefacts import sha256
from popsed_core.inference.task import FitInputs
from popsed_core.running.borrowed import as_in_the_workflow
from popsed_core.running.loop import load_plain
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.assemble import assemble
from popsed_core.surveys.catalogue import SurveyTable
from popsed_core.surveys.resources import read_ssp


def read_survey(
    config: Config,
    table: Any = None,
    *,
    name: str | None = None,
    folder: str | Path = ".",
    ssp: str | Path | None = None,
    emulator: str | Path | None = None,
) -> Survey:
    """Read a survey, select its galaxies and fit its noise; a mock is drawn and observed.

    Args:
        config: of :func:`load_config` or :func:`defaults`.
        table: the survey's table, where it is not read from the configured file: an astropy Table
            or QTable, or columns by name. Its units are held to what the configuration says.
        name: of the survey; by default the one that the configuration names.
        folder: with ``resources/``, where configured downloads are kept; what is missing there is
            downloaded, once.
        ssp: an SSP table that ``popsed ssp build`` made (HDF5); by default it is made from the
            configured library.
        emulator: of ``popsed emulator assemble``; needed, with the ``ssp`` that it was trained on,
            where ``spectra.engine`` is ``emulator``.

    Raises:
        InputError: a file or column is missing, damaged or in a wrong unit, a filter is unknown or
            not covered by the spectra, or no galaxy is left; names file, field, value and remedy.
    """
    name = config.survey if name is None else name
    if name not in config.surveys:
        raise InputError(f"name: no survey {name!r}, expected one of {list(config.surveys)}")
    photometry = None if table is None else _in_memory(config, name, table)
    with as_in_the_workflow(config.runtime.n_threads):
        grid = read_ssp(config, Path(folder)) if ssp is None else load_artefact(ssp, SSPGrid)
        segments = _read_emulator(config, name, ssp, emulator)
        found = assemble(config, name, grid, Path(folder), photometry)
    inputs = FitInputs(grid, found.catalogue, found.noise, segments)
    return Survey(name, config, inputs, found.reference)


def _in_memory(config: Config, name: str, table: Any) -> SurveyTable:
    from popsed_core.surveys.memory import read_memory

    section = config.surveys[name]
    if not isinstance(section, TableSurvey):
        raise InputError(
            f"surveys.{name}.kind: {section.kind} reads files of its own format; a table goes with "
            "kind: table, as `popsed_core.defaults(survey={...})` makes it"
        )
    return read_memory(table, section, name)


def _read_emulator(
    config: Config, name: str, ssp: str | Path | None, emulator: str | Path | None
) -> Any:
    if config.spectra.engine == "exact":
        return None
    if emulator is None or ssp is None:
        raise InputError(
            "spectra.engine: emulator, but emulator or ssp is not given; name both files "
            "(results/emulator/emulator.pt and results/ssp.h5 of the workflow), or set it to exact"
        )
    found = load_plain(emulator)
    segments = found.get("segments") if isinstance(found, dict) else None
    if not segments:
        raise InputError(f"{emulator}: no emulator; make it with `popsed emulator assemble`")
    parameters = config.parameters_for(name)
    check_emulator(segments, sha256(ssp), config.spectra, parameters, str(emulator))
    return segments
