"""SSP reader: FSPS itself, through python-fsps (the only module that imports it).

All ages and metallicities that FSPS has, as they are: no interpolation, no dust.  FSPS is imported
only in children (``fsps_process``), of which this module is the program:

    python -m popsed_core.stellar.ssp.fsps TASK REQUEST FOLDER
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.config.ssp import FSPSConfig
from popsed_core.constants import LSUN_FSPS
from popsed_core.errors import InputError
from popsed_core.stellar.ssp.coverage import trim
from popsed_core.stellar.ssp.fsps_data import FSPSBuild, check_data
from popsed_core.stellar.ssp.fsps_process import Arrays, leave_result, run_child
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.nebular import ionising_rate

IMF = {"Salpeter": 0, "Chabrier": 1, "Kroupa": 2}  # FSPS imf_type
DUST = 4  # FSPS dust_type: Kriek & Conroy 2013
FSPS_NAMES = {
    "logzsol": "logzsol",
    "tau_bc": "dust1",
    "tau_ism": "dust2",
    "dust_index": "dust_index",
}
RECIPE_COLUMNS = (*FSPS_NAMES, "t_burst", "f_burst")
QUESTION = ("wave", "rows", "n_bins", "ages", "masses")  # of the task `recipe`
IMPORTED = ("emlines_info.dat", "FILTER_LIST")  # files that `import fsps` itself looks for


def read_fsps(config: FSPSConfig, home: Path, wave_range: tuple[float, float]) -> SSPGrid:
    """Compute all SSPs of FSPS.

    Args:
        config: initial mass function and the expected version of python-fsps.
        home: the FSPS data.
        wave_range: rest-frame limits; one pixel beyond each is kept [AA].

    Returns:
        The grid on FSPS's own wavelengths, ages and metallicities.

    Raises:
        InputError: python-fsps is absent or has another version, data are missing, FSPS stopped,
            or its wavelengths do not cover the range.
    """
    build = checked_build(config, home)
    found = run_child("export", {"imf": config.imf}, home)
    pixels = trim(found["wave"], wave_range, Path(str(build)))
    return SSPGrid(
        ssp_lgmet=found["lgmet"],
        ssp_lg_age_gyr=found["log_age"] - 9,
        ssp_wave=found["wave"][pixels],
        ssp_flux=found["lnu"][..., pixels],
        surviving_mass=found["surviving_mass"],
        library=str(build),
        imf=config.imf,
        log_zsun=float(found["log_zsun"]),
        lsun=LSUN_FSPS,
        ionising_rate=ionising_rate(found["wave"], found["lnu"], LSUN_FSPS),
    )


def checked_build(config: FSPSConfig, home: Path) -> FSPSBuild:
    """Return the installed build, after checking its version and its data.

    Raises:
        InputError: python-fsps is absent or has another version, or data are missing.
    """
    build = installed_build()
    if build.version != config.version:
        raise InputError(
            f"ssp.fsps.version: {config.version}, but python-fsps {build.version} is installed; "
            f"pip install fsps=={config.version}, or change the key"
        )
    check_data(build, home)
    return build


def installed_build() -> FSPSBuild:
    """Ask python-fsps what it was compiled with; needs no FSPS data.

    Raises:
        InputError: python-fsps is not installed, or broken.
    """
    with tempfile.TemporaryDirectory(prefix="popsed-fsps-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        for name in IMPORTED:
            (data / name).touch()
        found = run_child("build", {}, Path(folder))
    return FSPSBuild(**json.loads(str(found["build"])))


def stellar_population(imf: str) -> Any:
    """Return python-fsps's object, as the released code sets it up (in a child only)."""
    import fsps

    return fsps.StellarPopulation(zcontinuous=1, imf_type=IMF[imf], dust_type=DUST)


def _export(request: Mapping[str, Any]) -> Arrays:
    """Return all SSPs; L_nu [Lsun / Hz / Msun formed], (metallicity, age, wave)."""
    population = stellar_population(request["imf"])
    lnu, mass, _ = population._all_ssp_spec()
    if lnu.ndim != 3:
        raise InputError("python-fsps was compiled with [alpha/Fe] as an axis; use a plain build")
    zsun = float(population.solar_metallicity)
    return {
        "wave": np.asarray(population.wavelengths, dtype=np.float64),
        "log_age": np.asarray(population.ssp_ages, dtype=np.float64),
        "lgmet": np.log10(np.asarray(population.zlegend, dtype=np.float64)),
        "lnu": np.ascontiguousarray(lnu.T, dtype=np.float32),
        "surviving_mass": np.ascontiguousarray(mass.T),
        "log_zsun": np.log10(zsun),
    }


def _build(request: Mapping[str, Any]) -> Arrays:
    """Return the version and the libraries of the compiled FSPS, without setting it up."""
    import fsps
    from fsps._fsps import driver

    names = [name.decode().strip() for name in driver.get_libraries()]
    build = FSPSBuild(fsps.__version__, *names, int(driver.get_nz()))
    return {"build": np.array(json.dumps(build._asdict()))}


def _recipe(request: Mapping[str, Any]) -> Arrays:
    """Return L_nu [Lsun / Hz / Msun] of galaxies, as the released code computes them."""
    with np.load(request["question"]) as question:
        wave, rows, n_bins, ages, masses = (question[name] for name in QUESTION)
    population = stellar_population(request["imf"])
    pixels = np.isin(population.wavelengths, wave)
    if pixels.sum() != wave.size:
        raise InputError("ssp: not the wavelengths of this FSPS; make the SSP table again")
    spectra = [
        _released(population, dict(zip(RECIPE_COLUMNS, row, strict=True)), age[:n], mass[:n])
        for row, n, age, mass in zip(rows, n_bins, ages, masses, strict=True)
    ]
    return {"lnu": np.array(spectra)[:, pixels]}


def _released(
    population: Any, galaxy: Mapping[str, float], ages: np.ndarray, masses: np.ndarray
) -> np.ndarray:
    """Return one galaxy: SSPs at mid-points of time bins [Gyr], and a burst without birth cloud."""
    for parameter, name in FSPS_NAMES.items():
        population.params[name] = galaxy[parameter]
    light = 0.0
    for age, mass in zip(ages, masses, strict=True):
        light = light + mass * population.get_spectrum(tage=age)[1]
    light = (1 - galaxy["f_burst"]) * light
    if galaxy["t_burst"] < ages[-1]:  # the released code meant the age of the galaxy
        population.params["dust1"] = 0.0
        light = light + galaxy["f_burst"] * population.get_spectrum(tage=galaxy["t_burst"])[1]
    return light


TASKS: dict[str, Callable[[Mapping[str, Any]], Arrays]] = {
    "build": _build,
    "export": _export,
    "recipe": _recipe,
}


def main(task: str, request: str, folder: str) -> None:
    """Do one task in this process and leave its result in ``folder``."""
    leave_result(Path(folder), TASKS[task](json.loads(request)))


if __name__ == "__main__":
    main(*sys.argv[1:])
