"""Write fsps_reference.npz: spectra by FSPS itself, for machines on which FSPS cannot run.

    python tests/data/make_fsps_reference.py

For each python-fsps it runs FSPS on the toy SPS_HOME of ``fsps_home.py`` and keeps, at a few
wavelengths, the SSPs and the spectra of random galaxies as computed by ``fsps_child.py``.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("fsps_reference.npz")
TESTS = PATH.parent.parent
N_GALAXIES, N_WAVES = 40, 20
RANGE = (1000.0, 10_000.0)  # [AA]
GRID = ("ssp_lgmet", "ssp_lg_age_gyr", "ssp_wave", "ssp_flux", "surviving_mass", "log_zsun")


def main() -> None:
    sys.path[:0] = [str(TESTS), str(TESTS.parent)]
    from fsps_tools import LAYOUTS, make_world

    arrays = {}
    for version in LAYOUTS:
        with tempfile.TemporaryDirectory() as folder:
            found = ask_fsps(make_world(version, Path(folder)), Path(folder))
        arrays |= {f"{version} {name}": value for name, value in found.items()}
    np.savez_compressed(PATH, **arrays)


def ask_fsps(world, folder):
    """The table at a few wavelengths, and for each case theta and the spectra of FSPS."""
    from fsps_truth import CASES, engine

    from popsed_core.config.ssp import FSPSConfig
    from popsed_core.stellar.ssp.fsps import read_fsps

    with world.installed():
        grid = read_fsps(FSPSConfig(version=world.version), world.home, RANGE)
    is_kept = np.isin(np.arange(grid.ssp_wave.size), chosen(grid.ssp_wave))
    found = {name: getattr(grid, name) for name in GRID}
    found |= {"ssp_wave": grid.ssp_wave[is_kept], "ssp_flux": grid.ssp_flux[..., is_kept]}
    for name, case in CASES.items():
        theta = case.galaxies(N_GALAXIES)
        question = case.question(theta, engine(grid, **case.spectra))
        answer = world.ask(name, folder, **question)
        pixels = np.isin(answer["wave"], found["ssp_wave"])
        assert pixels.sum() == is_kept.sum()
        found |= {
            f"{name} theta": np.stack(theta, axis=1),
            f"{name} spectra": answer["spectra"][:, pixels],
        }
    return found


def chosen(wave):
    """Indices of wavelengths evenly spaced in the logarithm, within the range."""
    inside = np.flatnonzero((wave > RANGE[0]) & (wave < RANGE[1]))
    wanted = np.geomspace(wave[inside[0]], wave[inside[-1]], N_WAVES)
    return inside[np.abs(wave[inside][:, None] - wanted).argmin(axis=0)]


if __name__ == "__main__":
    main()
