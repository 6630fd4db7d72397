"""Nebular tables: FSPS's own, SPS_HOME/nebular/ZAU_ND_*.cont and .lines (Byler et al. 2017).

A title, a row of wavelengths in vacuum [AA], then for each metallicity, age and ionisation
parameter a row with log Z/Zsun, age [yr] and log U, and one with the light per ionising photon:
of the continuum [Lsun s / Hz], of lines [Lsun s] (sps_setup.f90, add_nebular.f90).
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from popsed_core.constants import LSUN_FSPS
from popsed_core.errors import InputError
from popsed_core.files.inputs import require_file
from popsed_core.stellar.ssp.nebular import FAINTEST, PhotonSpectra

# Tables of 2023-09 to 2026-07 carry the first metallicity [dex] and age [yr] of BPASS on those of
# other isochrones (FSPS pull requests 70 and 84): -1.3 and 1 Myr instead of -1.98 and 0.5 Myr.
WRONG_START = (-1.3, 1e6)
WRONGLY_LABELLED = ("mist", "pdva", "prsc")
FIXED = "2026-07-23"
REMEDY = f"take the folder nebular of the FSPS repository as it is since {FIXED}"
N_COORDINATES = 3
MOST_TIMES = 100_000  # that one word may repeat a number


class FSPSTable(NamedTuple):
    """One of the two files: axes, and the light (metallicity, age, log U, wave) per photon."""

    wave: np.ndarray
    log_z: np.ndarray
    ages: np.ndarray
    log_u: np.ndarray
    values: np.ndarray


def read_nebular_fsps(
    home: Path,
    isochrones: str,
    log_zsun: float,
    log_u: Callable[[np.ndarray], np.ndarray],
    name: str,
) -> PhotonSpectra:
    """Read the light per ionising photon, at one ionisation parameter per metallicity.

    Args:
        home: the FSPS data.
        isochrones: ``mist``, ``pdva``, ``prsc`` or ``bpss``.
        log_zsun: of the stars: log10 of the Sun's mass fraction of metals [dex].
        log_u: from log10 of the mass fraction of metals to the ionisation parameter [dex].
        name: of the result.

    Raises:
        InputError: a file is missing, damaged, or has the metallicities and ages of other stars.
    """
    paths = nebular_files(home, isochrones)
    continuum, lines = (read_table(path) for path in paths)
    for path, table in zip(paths, (continuum, lines), strict=True):
        fault = wrong_start(isochrones, float(table.log_z[0]), float(table.ages[0]))
        if fault:
            raise InputError(f"{path}: {fault}; {REMEDY}")
    lgmet = lines.log_z + log_zsun
    position = np.interp(log_u(lgmet), lines.log_u, np.arange(len(lines.log_u)))
    return PhotonSpectra(
        lgmet=lgmet,
        log_age=np.log10(lines.ages),
        wave=continuum.wave,
        continuum=_at(position, continuum.values) * LSUN_FSPS,
        line_wave=lines.wave,
        lines=_at(position, lines.values) * LSUN_FSPS,
        name=name,
    )


def nebular_files(home: Path, isochrones: str) -> tuple[Path, Path]:
    """Return the files of continuum and lines."""
    stem = home / "nebular" / f"ZAU_ND_{isochrones}"
    return stem.with_suffix(".cont"), stem.with_suffix(".lines")


def wrong_start(isochrones: str, log_z: float, age: float) -> str:
    """Return what is wrong with the first grid point of a table (metallicity [dex], age [yr])."""
    if isochrones not in WRONGLY_LABELLED or not np.allclose((log_z, age), WRONG_START):
        return ""
    return (
        f"its first model is labelled log Z = {log_z:g} and {age / 1e6:g} Myr, which is BPASS's; "
        f"so are all others, wrongly (FSPS before {FIXED})"
    )


def faults(home: Path) -> list[str]:
    """Return what is wrong with the existing tables, reading only their beginning."""
    found = []
    for isochrones in WRONGLY_LABELLED:
        for path in nebular_files(home, isochrones):
            try:
                fault = wrong_start(isochrones, *first_point(path)) if path.exists() else ""
            except InputError as error:
                fault = str(error)
            found += [f"{path.name}: {fault}"] if fault else []
    return found


def first_point(path: Path) -> tuple[float, float]:
    """Return the first metallicity [dex] and age [yr] of a table, reading no further.

    Raises:
        InputError: the file is missing or damaged.
    """
    with require_file(path).open(errors="replace") as stream:
        next(stream, None)  # the title
        for row in stream:
            if len(row.split()) == N_COORDINATES:
                return float(row.split()[0]), float(row.split()[1])
    raise InputError(f"{path}: not a nebular table of FSPS; {REMEDY}")


def read_table(path: Path) -> FSPSTable:
    """Read one file.

    Raises:
        InputError: it is missing, damaged, or not a complete grid.
    """
    lines = require_file(path).read_text(errors="replace").split("\n")[1:]
    try:
        n_lines = next(at for at, row in enumerate(lines) if len(row.split()) == N_COORDINATES)
        wave, rows = (
            np.fromiter(_numbers(part), dtype=float) for part in (lines[:n_lines], lines[n_lines:])
        )
        rows = rows.reshape(-1, N_COORDINATES + len(wave))
        points, values = rows[:, :N_COORDINATES], rows[:, N_COORDINATES:]
        axes = [np.unique(column) for column in points.T]
        whole = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, N_COORDINATES)
        if not np.array_equal(points, whole) or min(map(len, axes)) < 2:
            raise ValueError("its models are not a complete grid, in order")
        if not (np.all(np.isfinite(values)) and np.all(values >= 0)):
            raise ValueError("it has values below zero")
    except (ValueError, StopIteration) as error:
        raise InputError(f"{path}: not a nebular table of FSPS ({error}); {REMEDY}") from error
    return FSPSTable(wave, *axes, values.reshape(*map(len, axes), -1))


def _numbers(lines: Sequence[str]) -> Iterator[float]:
    """Yield all numbers; ``3*0.5`` is three of them, as Fortran has it."""
    for word in (word for line in lines for word in line.split()):
        count, star, value = word.rpartition("*")
        n_times = int(count) if star else 1
        if n_times > MOST_TIMES:
            raise ValueError(f"{word} repeats a number too often")
        yield from [float(value)] * n_times


def _at(position: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Interpolate logarithms between ionisation parameters, one for each metallicity."""
    low = np.minimum(position.astype(int), values.shape[2] - 2)
    metals = np.arange(len(position))
    share = (position - low)[:, None, None]
    ends = [np.log10(values[metals, :, low + step] + FAINTEST) for step in (0, 1)]
    return 10 ** (ends[0] + share * (ends[1] - ends[0]))
