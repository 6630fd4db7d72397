"""The exact engine on the exported table against FSPS itself, float64, 1000-10000 AA.

The difference that remains is FSPS's single precision (literals in its dust, ages of nodes).
Where FSPS cannot run, what it said once is in ``fsps_reference.npz``, at a few wavelengths.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from fsps_truth import CASES, engine, largest_difference, largest_error

from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.ssp import FSPSConfig
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.fsps import read_fsps
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import from_matrix

pytestmark = [pytest.mark.slow, pytest.mark.fsps]
TOLERANCE = 1e-5
N_GALAXIES = {"0.5.0": 200, "0.4.8": 60}  # the older one is slower
N_RECIPES = {"0.5.0": 200, "0.4.8": 20}  # one galaxy costs 0.1 s and 0.4 s
RANGE = (1000.0, 10_000.0)
REFERENCE = Path(__file__).resolve().parents[1] / "data" / "fsps_reference.npz"


@pytest.fixture(scope="module")
def grid(fsps_world):
    with fsps_world.installed():
        return read_fsps(FSPSConfig(version=fsps_world.version), fsps_world.home, RANGE)


@pytest.mark.parametrize("name", CASES)
def test_the_spectrum_is_that_of_fsps(fsps_world, grid, tmp_path, name):
    case = CASES[name]
    model = engine(grid, **case.spectra)
    n_galaxies = N_RECIPES if name == "recipe" else N_GALAXIES
    theta = case.galaxies(n_galaxies[fsps_world.version])
    answer = fsps_world.ask(name, tmp_path, **case.question(theta, model))
    assert largest_error(model, grid, theta, answer) <= TOLERANCE


@pytest.mark.parametrize("version", N_RECIPES)
@pytest.mark.parametrize("name", CASES)
def test_the_spectrum_is_what_fsps_once_said(version, name):
    with np.load(REFERENCE) as arrays:
        keys = [key for key in arrays if key.startswith(version)]
        frozen = {key.removeprefix(f"{version} "): arrays[key] for key in keys}
    cases = {key: frozen.pop(key) for key in list(frozen) if key.endswith((" theta", " spectra"))}
    grid = SSPGrid(**frozen | {"log_zsun": float(frozen["log_zsun"])}, imf="Chabrier")
    config = SpectraConfig(**CASES[name].spectra)
    model = ExactSpectra(grid, config, None, max_redshift=0.8, tolerance=None)
    light = model(from_matrix(torch.as_tensor(cases[f"{name} theta"])))
    found = light.numpy() * 10**model.log_unit
    assert largest_difference(found, cases[f"{name} spectra"]) <= TOLERANCE
