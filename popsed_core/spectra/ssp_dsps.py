"""SSP reader: HDF5 tables in the layout of DSPS (Hearin et al. 2023), and our own artefact.

Required datasets: ``ssp_lgmet``, ``ssp_lg_age_gyr``, ``ssp_wave`` and ``ssp_flux``
[Lsun / Hz / Msun formed].  Optional: dataset ``surviving_mass``; attributes ``library``, ``imf``,
``log_zsun``, ``lsun`` and ``source``, whose defaults are those of the tables DSPS distributes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.artefacts import HDF5File, open_hdf5
from popsed_core.constants import LSUN_FSPS
from popsed_core.errors import InputError
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.spectra.ssp_range import trim
from popsed_core.spectra.surviving_mass import hearin21_surviving_fraction

ZSUN_MIST = 0.0142  # [mass fraction] Asplund et al. 2009, used by MIST (Choi et al. 2016)
# ASSUME: a table that does not say otherwise was made by python-fsps with its defaults, as DSPS's
# own are: MIST isochrones, Kroupa IMF (nebular emission, if any, stays in).
DEFAULTS: dict[str, Any] = {
    "library": "DSPS table",
    "imf": "Kroupa",
    "log_zsun": float(np.log10(ZSUN_MIST)),
    "lsun": LSUN_FSPS,
    "source": "real",
}
YR_PER_GYR_DEX = 9.0  # [dex]


def read_dsps(path: str | Path, wave_range: tuple[float, float]) -> SSPGrid:
    """Read an SSP table in the DSPS layout.

    Args:
        path: HDF5 file; ``ssp_flux`` has axes metallicity, age, wavelength.
        wave_range: rest-frame limits; one pixel beyond each is kept [AA].

    Returns:
        The grid; the surviving mass is the fit of Hearin et al. 2021 where the table has none.

    Raises:
        InputError: the file is missing, truncated, lacks a dataset, holds wrong values, or does
            not cover the range.
    """
    with open_hdf5(path) as file:
        names = ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave")
        lgmet, lg_age_gyr, wave = (_dataset(file, name, path).astype(float) for name in names)
        pixels = trim(wave, wave_range, path)
        attributes = {name: _attribute(file, name) for name in DEFAULTS}
        flux = _dataset(file, "ssp_flux", path)[..., pixels].astype(np.float32)
        if "surviving_mass" in file:
            surviving = _dataset(file, "surviving_mass", path).astype(float)
        else:
            fit = hearin21_surviving_fraction(lg_age_gyr + YR_PER_GYR_DEX, attributes["imf"])
            surviving = np.tile(fit, (lgmet.size, 1))
    try:
        return SSPGrid(lgmet, lg_age_gyr, wave[pixels], flux, surviving, **attributes)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error


def _dataset(file: HDF5File, name: str, path: str | Path) -> np.ndarray:
    if name not in file:
        raise InputError(f"{path}: dataset {name} is missing, found {sorted(file)}")
    try:
        return file[name][()]
    except OSError as error:
        raise InputError(
            f"{path}: dataset {name} cannot be read ({error}); replace the file by a complete copy"
        ) from error


def _attribute(file: HDF5File, name: str) -> Any:
    """Return an attribute, JSON (as in our artefacts) or plain, of the type of its default."""
    default = DEFAULTS[name]
    value = file.attrs.get(name, default)
    if isinstance(value, str | bytes):
        text = value.decode() if isinstance(value, bytes) else value
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
    return type(default)(value)
