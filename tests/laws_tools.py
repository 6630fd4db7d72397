"""Shared by the physics tests: draws of parameters, a slow float64 twin of the forward model."""

import numpy as np
import torch
from astropy.cosmology import FlatLambdaCDM
from real_data import WAVE_RANGE as WAVE_RANGE

from popsed_core.config.spectra import CosmologyConfig, SpectraConfig
from popsed_core.stellar.sfh_bases import basis_knots
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta, from_matrix

RANGES = np.array(
    [[0.005, 0.8], [7.5, 13], [0, 1], [0, 1], [0, 1], [0.01, 13.27], [0, 1], [-2.6, 0.3],
     [-3, 1], [0, 3], [0, 3]]
)  # fmt: skip
SDSS = tuple(f"sdss2010-{band}" for band in "ugriz")


def make_cosmology(config: CosmologyConfig) -> FlatLambdaCDM:
    """astropy's twin of the package's cosmology."""
    return FlatLambdaCDM(H0=config.hubble, Om0=config.omega_m)


def prior_draws(n: int, seed: int = 0) -> Theta:
    """Uniform draws over the paper's box, float64."""
    rng = np.random.default_rng(seed)
    return from_matrix(torch.as_tensor(rng.uniform(*RANGES.T, size=(n, len(RANGES)))))


def corner_draws(n: int, seed: int = 0) -> Theta:
    """Corners of the box."""
    rng = np.random.default_rng(seed)
    pick = rng.integers(0, 2, size=(n, len(RANGES)))
    return from_matrix(torch.as_tensor(np.where(pick, RANGES[:, 1], RANGES[:, 0])))


def galaxy(**changes: float) -> Theta:
    """One unremarkable galaxy, with changes."""
    values = {
        "redshift": 0.1, "log_stellar_mass": 10.5, "kappa_1": 0.5, "kappa_2": 0.5, "kappa_3": 0.5,
        "t_burst": 3.0, "f_burst": 0.2, "logzsol": -0.4, "dust_index": -0.3, "tau_bc": 0.6,
        "tau_ism": 0.4,
    } | changes  # fmt: skip
    return from_matrix(
        torch.tensor([[values[name] for name in Theta._fields]], dtype=torch.float64)
    )


def slow_spectrum(
    theta: Theta, grid: SSPGrid, config: SpectraConfig
) -> tuple[np.ndarray, np.ndarray]:
    """One galaxy's wavelengths [AA] and L_nu per formed mass, by brute force.

    Star formation is a sum over 2e5 time steps instead of closed integrals; dust is evaluated
    from its printed formula, on a grid finer than the table's; interpolation is numpy's.
    """
    row = {name: float(column[0]) for name, column in theta._asdict().items()}
    age = make_cosmology(config.cosmology).age(row["redshift"]).value
    k1, k2, k3 = row["kappa_1"], row["kappa_2"], row["kappa_3"]
    beta = np.array([1 - k1, k1 * (1 - k2), k1 * k2 * (1 - k3), k1 * k2 * k3])
    edges = np.concatenate([[0.0], np.geomspace(1e-5, age, 200_001)])
    time = 0.5 * (edges[1:] + edges[:-1])
    knots, bases = basis_knots()
    rate = sum(b * np.interp(time, knots, basis) for b, basis in zip(beta, bases, strict=True))
    mass = rate * np.diff(edges)
    weights = _hat(grid, time, mass * (1 - row["f_burst"]) / mass.sum())
    burst_age = row["t_burst"] * (1 + (row["t_burst"] / age) ** 8) ** (-1 / 8)
    weights = weights + _hat(grid, np.array([burst_age]), np.array([row["f_burst"]]))
    spectra = _at_metallicity(grid, row["logzsol"])
    is_young = grid.ssp_lg_age_gyr + 9 <= 7.001
    wave = refined(grid.ssp_wave)
    young = np.interp(wave, grid.ssp_wave, weights[is_young] @ spectra[is_young])
    old = np.interp(wave, grid.ssp_wave, weights[~is_young] @ spectra[~is_young])
    light = young * np.exp(-row["tau_bc"] * (wave / 5500) ** -1.0) + old
    return wave, light * np.exp(-row["tau_ism"] * attenuation(wave, row["dust_index"]))


def refined(wave: np.ndarray, max_step: float = 1.5e-4) -> np.ndarray:
    """The table's wavelengths and, where they are sparse, more between them.

    ``max_step`` in ln(wavelength): the dust curve and the filters are then linear in between.
    """
    n_parts = np.ceil(np.diff(np.log(wave)) / max_step).astype(int)
    cell = np.repeat(np.arange(len(n_parts)), n_parts)
    within = np.arange(len(cell)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    inner = wave[cell] + np.diff(wave)[cell] * within / n_parts[cell]
    return np.append(inner, wave[-1])


def attenuation(wave: np.ndarray, index: float) -> np.ndarray:
    """Calzetti et al. 2000 (eq. 4) with the slope and bump of Kriek & Conroy 2013 (eqs. 1-3)."""
    x = 1e4 / wave
    blue = 1.17 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 1.78
    curve = np.where(wave <= 6300, blue, 1.17 * (-1.857 + 1.04 * x) + 1.78) / 0.44 / 4.05
    drude = (350 * wave) ** 2 / ((wave**2 - 2175**2) ** 2 + (350 * wave) ** 2)
    bump = (0.85 - 1.9 * index) * drude / 4.05
    return (np.clip(curve, 0, None) + bump) * (wave / 5500) ** index


def _hat(grid: SSPGrid, time: np.ndarray, mass: np.ndarray) -> np.ndarray:
    nodes = grid.ssp_lg_age_gyr
    x = np.clip(np.log10(time), nodes[0], nodes[-1])
    cell = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    share = (x - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
    low = np.bincount(cell, mass * (1 - share), len(nodes))
    return low + np.bincount(cell + 1, mass * share, len(nodes))


def _at_metallicity(grid: SSPGrid, logzsol: float) -> np.ndarray:
    nodes = grid.ssp_lgmet - grid.log_zsun
    x = np.clip(logzsol, nodes[0], nodes[-1])
    cell = int(np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2))
    share = (x - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
    return (1 - share) * grid.ssp_flux[cell].astype(float) + share * grid.ssp_flux[cell + 1]


PAPER_COSMOLOGY = CosmologyConfig()
