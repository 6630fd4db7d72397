"""SSP reader: HDF5 tables in the layout of DSPS (Hearin et al. 2023), and our own artefact.

Required datasets: ``ssp_lgmet``, ``ssp_lg_age_gyr``, ``ssp_wave`` and ``ssp_flux``
[Lsun / Hz / Msun formed].  Optional: ``surviving_mass``, ``ionising_rate`` and the gas as in our
artefact; attributes ``library``, ``imf``, ``log_zsun``, ``lsun``, ``source`` and ``nebular``, whose
defaults are those of the tables DSPS distributes.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.constants import LSUN_FSPS
from popsed_core.errors import InputError
from popsed_core.files.artefacts import HDF5Dataset, HDF5File, open_hdf5
from popsed_core.files.hdf5 import read_attribute
from popsed_core.files.inputs import reraise_as_input_error
from popsed_core.stellar.ssp.coverage import check_ages, check_light, trim
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import ionising_rate
from popsed_core.stellar.ssp.surviving_mass import RETURN_FIT, hearin21_surviving_fraction

ZSUN_MIST = 0.0142  # [mass fraction] Asplund et al. 2009, used by MIST (Choi et al. 2016)
# ASSUME: a table without these attributes was made by python-fsps with its defaults, as DSPS's
# own are: MIST isochrones, Kroupa IMF (nebular emission, if any, stays in).
DEFAULTS: dict[str, Any] = {
    "library": "DSPS table",
    "imf": "Kroupa",
    "log_zsun": float(np.log10(ZSUN_MIST)),
    "lsun": LSUN_FSPS,
    "source": "real",
    "nebular": "",
}
GAS = ("nebular_continuum", "line_wave", "line_luminosity")
YR_PER_GYR_DEX = 9.0  # [dex]
UNITS = {  # of each dataset, as the attribute `unit` may spell it, without spaces
    "ssp_lgmet": ("dex",),
    "ssp_lg_age_gyr": ("dex(Gyr)",),
    "ssp_wave": ("Angstrom", "angstrom", "AA"),
    "ssp_flux": ("Lsun/(HzMsun)", "Lsun/Hz/Msun", "Lsun/Hz"),
}
PLAUSIBLE = {  # ranges; values outside are in another unit
    "ssp_lgmet": (-8.0, -0.3, "log10 of the mass fraction of metals, not of its solar value"),
    "ssp_lg_age_gyr": (-7.0, 2.5, "log10 of the age in Gyr"),
    "log_zsun": (-2.5, -1.0, "log10 of the Sun's mass fraction of metals"),
    "lsun": (3.5e33, 4.2e33, "erg / s"),
}
REMEDY = "replace the file by a complete copy"


def read_dsps(path: str | Path, wave_range: tuple[float, float]) -> SSPGrid:
    """Read an SSP table in the DSPS layout.

    Args:
        path: HDF5 file; ``ssp_flux`` has axes metallicity, age, wavelength.
        wave_range: rest-frame limits; one pixel beyond each is kept [AA].

    Returns:
        The grid; the surviving mass is the fit of Hearin et al. 2021 where the table has none.

    Raises:
        InputError: the file is missing, truncated, lacks a dataset, has wrong values or
            units, or does not cover the range of wavelengths or the ages of galaxies.
    """
    with open_hdf5(path) as file, reraise_as_input_error(path, REMEDY):
        names = ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave")
        lgmet, lg_age_gyr, wave = (_dataset(file, name, path).astype(float) for name in names)
        for name, values in (("ssp_lgmet", lgmet), ("ssp_lg_age_gyr", lg_age_gyr)):
            _check_plausible(name, values, path)
        check_ages(lg_age_gyr, path)
        pixels = trim(wave, wave_range, path)
        attributes = {name: _attribute(file, name, path) for name in DEFAULTS}
        attributes["imf"] = known_imf(attributes["imf"], path)
        flux = _dataset(file, "ssp_flux", path)
        light = _gas(file, pixels, path)
        if "ionising_rate" in file:
            light["ionising_rate"] = _dataset(file, "ionising_rate", path)
        else:
            light["ionising_rate"] = ionising_rate(wave, flux, attributes["lsun"])
        flux = flux[..., pixels].astype(np.float32)
        surviving = _surviving_mass(file, flux.shape[:2], attributes["imf"], path)
    try:
        grid = SSPGrid(lgmet, lg_age_gyr, wave[pixels], flux, surviving, **attributes, **light)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    check_light(grid, path)
    return grid


def known_imf(name: str, path: str | Path) -> str:
    """Return the initial mass function as the package calls it, e.g. for ``chabrier (2003)``.

    Raises:
        InputError: its surviving mass is not known.
    """
    letters = "".join(filter(str.isalpha, name)).lower()
    for imf in RETURN_FIT:
        if letters in (imf.lower(), f"{imf.lower()}imf"):
            return imf
    raise InputError(
        f"{path}: attribute imf: got {name!r}, expected one of {list(RETURN_FIT)}, perhaps with "
        "its year; correct the attribute"
    )


def _dataset(file: HDF5File, name: str, path: str | Path) -> np.ndarray:
    if not isinstance(file.get(name), HDF5Dataset):
        raise InputError(f"{path}: dataset {name} is missing, found {sorted(file)}")
    unit = _decoded(read_attribute(file[name], "unit", ""))
    if unit and name in UNITS and unit.replace(" ", "") not in UNITS[name]:
        raise InputError(f"{path}: dataset {name} is in {unit}, expected {UNITS[name][0]}")
    try:
        return file[name][()]
    except OSError as error:
        raise InputError(
            f"{path}: dataset {name} cannot be read ({error}); replace the file by a complete copy"
        ) from error


def _surviving_mass(
    file: HDF5File, shape: tuple[int, ...], imf: str, path: str | Path
) -> np.ndarray:
    if "surviving_mass" in file:
        return _dataset(file, "surviving_mass", path).astype(float)
    log_age_yr = file["ssp_lg_age_gyr"][()] + YR_PER_GYR_DEX
    return np.broadcast_to(hearin21_surviving_fraction(log_age_yr, imf), shape)


def _gas(file: HDF5File, pixels: slice, path: str | Path) -> dict[str, np.ndarray]:
    """Return what our own artefacts hold besides the stars; nothing for other tables."""
    if GAS[0] not in file:
        return {}
    found = {name: _dataset(file, name, path) for name in GAS}
    return found | {GAS[0]: found[GAS[0]][..., pixels]}


def _check_plausible(name: str, values: np.ndarray | float, path: str | Path) -> None:
    low, high, meaning = PLAUSIBLE[name]
    least, most = np.min(values), np.max(values)
    if not low <= least <= most <= high:
        raise InputError(
            f"{path}: {name}: got {least:.4g} to {most:.4g}, expected {meaning} "
            f"({low:g} to {high:g}); convert it"
        )


def _attribute(file: HDF5File, name: str, path: str | Path) -> Any:
    """Return an attribute, JSON (as in our artefacts) or plain, of the type of its default."""
    default = DEFAULTS[name]
    value = _decoded(read_attribute(file, name, default))
    if isinstance(value, str):
        with suppress(json.JSONDecodeError):  # plain text stays
            value = json.loads(value)
    try:
        value = type(default)(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: attribute {name}: got {value!r}, expected a number") from error
    if name in PLAUSIBLE:
        _check_plausible(name, value, path)
    if name == "source" and value not in ("real", "toy"):
        raise InputError(f"{path}: attribute source: got {value!r}, expected real or toy")
    return value


def _decoded(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
