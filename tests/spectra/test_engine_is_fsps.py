"""The exact engine on the exported table against FSPS itself, float64, 1000-10000 AA.

The difference that remains is FSPS's single precision (literals in its dust, ages of nodes).
"""

import numpy as np
import pytest
import torch
from fsps_truth import (
    draws,
    dust_question,
    engine,
    largest_error,
    recipe_question,
    tabular_question,
)

from popsed_core.config import FSPSConfig
from popsed_core.spectra.ssp_fsps import read_fsps

TOLERANCE = 1e-5
N_GALAXIES = 200
N_RECIPES = {"0.5.0": 200, "0.4.8": 30}  # one galaxy costs 0.1 s and 0.4 s
RANGE = (1000.0, 10_000.0)


@pytest.fixture(scope="module")
def grid(fsps_world):
    with fsps_world.installed():
        return read_fsps(FSPSConfig(version=fsps_world.version), fsps_world.home, RANGE)


def zero(theta, *names):
    return theta._replace(**{name: torch.zeros_like(theta.redshift) for name in names})


def test_a_tabulated_history_gives_the_spectrum_of_fsps(fsps_world, grid, tmp_path):
    model = engine(grid, star_formation="exact")
    theta = zero(draws(N_GALAXIES, seed=1), "f_burst", "tau_bc", "tau_ism")
    answer = fsps_world.ask("tabular", tmp_path, **tabular_question(theta, model))
    assert largest_error(model, grid, theta, answer) <= TOLERANCE


def test_dust_before_stars_of_any_age_is_that_of_fsps(fsps_world, grid, tmp_path):
    model = engine(grid)
    ages = 10 ** np.random.default_rng(2).uniform(-4, 1.1, N_GALAXIES)  # [Gyr]
    theta = draws(N_GALAXIES, seed=2)
    theta = theta._replace(t_burst=torch.as_tensor(ages), f_burst=torch.ones_like(theta.f_burst))
    answer = fsps_world.ask("dust", tmp_path, **dust_question(theta, model))
    assert largest_error(model, grid, theta, answer) <= TOLERANCE


def test_the_released_recipe_gives_the_spectrum_of_fsps(fsps_world, grid, tmp_path):
    model = engine(grid, star_formation="bins", burst="released")
    theta = draws(N_RECIPES[fsps_world.version], seed=3)
    answer = fsps_world.ask("recipe", tmp_path, **recipe_question(theta, model))
    assert largest_error(model, grid, theta, answer) <= TOLERANCE
