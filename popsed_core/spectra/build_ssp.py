"""From the configuration to an SSP table: picks the reader."""

from collections.abc import Callable
from pathlib import Path

from popsed_core.config import SSPConfig
from popsed_core.errors import InputError
from popsed_core.spectra.fsps_data import data_folder
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.spectra.ssp_bc03 import read_bc03
from popsed_core.spectra.ssp_dsps import read_dsps
from popsed_core.spectra.ssp_fsps import read_fsps
from popsed_core.spectra.ssp_toy import toy_grid

READERS: dict[str, Callable[[Path, tuple[float, float]], SSPGrid]] = {
    "bc03": read_bc03,
    "dsps": read_dsps,
}


def build_ssp(config: SSPConfig, path: Path | None) -> SSPGrid:
    """Read or make the SSP table.

    Args:
        config: reader and wavelength range.
        path: the table; null: ``config.path``. The toy needs none; for FSPS, the record of the
            data that ``popsed fsps fetch`` got.

    Raises:
        InputError: the reader needs a table and there is none, or it cannot be read.
    """
    wave_range = (config.wave_low, config.wave_high)
    if config.reader == "toy":
        return toy_grid(wave_range)
    if config.reader == "fsps":
        return read_fsps(config.fsps, data_folder(config.fsps, path), wave_range)
    found = path or config.path
    if found is None:
        raise InputError(f"ssp.path: reader {config.reader} needs a table; set ssp.path to a file")
    return READERS[config.reader](Path(found), wave_range)
