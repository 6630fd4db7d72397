"""Random galaxies, their spectra by plain FSPS and by the exact engine."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from laws_tools import prior_draws

from popsed_core.config.spectra import SpectraConfig
from popsed_core.stellar.burst import ContinuousBurst
from popsed_core.stellar.sfh import simplex_fractions
from popsed_core.stellar.sfh_bases import basis_knots
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid

HALF_WIDTH = 1e-6  # of a pixel, in ln wavelength: its mean is the value at its centre
COMPARED = (1000.0, 10_000.0)  # [AA]
# of a galaxy's brightest wavelength: fainter light is behind optical depths of hundreds, where FSPS
# adds its own floor of 1e-70 and tau itself, in single precision, is worth no more than 1e-5
DARK = 1e-20
LOWEST_METALS = -2.5  # FSPS extrapolates below its table, the engine does not


def engine(grid: SSPGrid, **config: str) -> ExactSpectra:
    """The exact engine on narrow pixels around the table's own wavelengths, plain table."""
    wave = grid.ssp_wave[(grid.ssp_wave > COMPARED[0]) & (grid.ssp_wave < COMPARED[1])]
    edges = np.sort(np.concatenate([np.log(wave) - HALF_WIDTH, np.log(wave) + HALF_WIDTH]))
    return ExactSpectra(grid, SpectraConfig(**config), edges, max_redshift=0.8, tolerance=None)


def engine_spectra(model: ExactSpectra, theta):
    """L_nu per Msun at the table's wavelengths within ``COMPARED`` [Lsun/Hz/Msun]."""
    light = torch.cat(
        [model(type(theta)(*part)) for part in zip(*(c.split(20) for c in theta), strict=True)]
    )
    return light[:, ::2].numpy() * 10**model.log_unit


def draws(n, seed):
    """Galaxies of the paper's prior, within the metallicities that FSPS has."""
    theta = prior_draws(n, seed=seed)
    return theta._replace(logzsol=theta.logzsol.clamp(min=LOWEST_METALS))


def dustless(n):
    """Smooth histories without dust."""
    theta = draws(n, seed=1)
    nothing = torch.zeros_like(theta.redshift)
    return theta._replace(f_burst=nothing, tau_bc=nothing, tau_ism=nothing)


def bursts(n):
    """Single bursts of all ages behind dust."""
    ages = 10 ** np.random.default_rng(2).uniform(-4, 1.1, n)  # [Gyr]
    theta = draws(n, seed=2)
    return theta._replace(t_burst=torch.as_tensor(ages), f_burst=torch.ones_like(theta.f_burst))


def rate_and_knots(theta, age, row):
    """Star-formation rate [1 / Gyr] of one galaxy at the knots of its bases up to its age."""
    knots, bases = basis_knots()
    time = np.append(knots[knots < age - 1e-6], age)
    beta = simplex_fractions(theta)[row].numpy()
    return time, sum(
        b * np.interp(time, knots, basis) for b, basis in zip(beta, bases, strict=True)
    )


def tabular_question(theta, model):
    """Arguments of ``fsps_child.tabular``: time since birth, oldest first."""
    ages = model.cosmology.age_gyr(theta.redshift).numpy()
    tables = [rate_and_knots(theta, age, row) for row, age in enumerate(ages)]
    size = max(time.size for time, _ in tables)
    time, rate = np.zeros((2, len(tables), size))
    for row, (age, (lookback, values)) in enumerate(zip(ages, tables, strict=True)):
        time[row, : lookback.size] = (age - lookback)[::-1]
        rate[row, : lookback.size] = values[::-1]
    n = np.array([lookback.size for lookback, _ in tables])
    return {"n": n, "time": time, "rate": rate, "logzsol": theta.logzsol.numpy()}


def dust_question(theta, model):
    """Arguments of ``fsps_child.dust``: every galaxy is one burst."""
    age = model.cosmology.age_gyr(theta.redshift)
    held = ContinuousBurst()(theta, age).age
    columns = (held, theta.logzsol, theta.tau_bc, theta.tau_ism, theta.dust_index)
    return {"rows": torch.stack(columns, 1).numpy()}


def recipe_question(theta, model):
    """Arguments of ``fsps_child.recipe``: edges and masses of the released code's time bins."""
    ages = model.cosmology.age_gyr(theta.redshift).numpy()
    fixed = np.concatenate([[0.0], 10 ** (6.05 + 0.1 * np.arange(41) - 9), [13.8]])
    size = fixed.size + 1
    edges, masses = np.zeros((len(ages), size)), np.zeros((len(ages), size - 1))
    n = np.zeros(len(ages), dtype=int)
    for row, age in enumerate(ages):
        mine = np.append(fixed[fixed < age], age)
        knots, rate = rate_and_knots(theta, age, row)
        fine = np.union1d(knots, mine)
        rate = np.interp(fine, knots, rate)
        total = np.concatenate([[0], np.cumsum(np.diff(fine) * (rate[1:] + rate[:-1]) / 2)])
        formed = np.diff(np.interp(mine, fine, total))
        n[row] = mine.size
        edges[row, : mine.size] = mine
        masses[row, : mine.size - 1] = formed / formed.sum()
    names = ("logzsol", "tau_bc", "tau_ism", "dust_index", "t_burst", "f_burst")
    rows = torch.stack([getattr(theta, name) for name in names], 1).numpy()
    return {"rows": rows, "n": n, "edges": edges, "masses": masses}


def largest_error(model, grid, theta, answer):
    """Largest relative difference between the engine and FSPS where there is any light."""
    wave = answer["wave"]
    is_compared = (wave > COMPARED[0]) & (wave < COMPARED[1]) & np.isin(wave, grid.ssp_wave)
    return largest_difference(engine_spectra(model, theta), answer["spectra"][:, is_compared])


def largest_difference(found, true):
    """Largest relative difference of spectra from true ones where there is any light."""
    return np.abs(found / true - 1)[true > DARK * true.max(1, keepdims=True)].max()


class Case(NamedTuple):
    """One task for FSPS: which galaxies, and with which settings the engine agrees."""

    galaxies: Callable
    question: Callable
    spectra: dict[str, str]


CASES = {  # by the tasks of fsps_child.py
    "tabular": Case(dustless, tabular_question, {"star_formation": "exact"}),
    "dust": Case(bursts, dust_question, {}),
    "recipe": Case(
        lambda n: draws(n, seed=3), recipe_question, {"star_formation": "bins", "burst": "released"}
    ),
}
