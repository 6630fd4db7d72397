"""Populations of known truth: the paper's Table 2, and a realistic one.

Both draw redshift and mass from comoving volume times a mass function (never from a survey's
spectroscopic redshifts); the survey's magnitude limit then shapes what is observed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import truncnorm

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.errors import InputError
from popsed_core.stellar.cosmology import comoving_volume_density
from popsed_core.surveys.catalogue import Reference
from popsed_core.surveys.mocks.depth import LeastMass, Parts

Columns = dict[str, np.ndarray]


class Population(NamedTuple):
    """A recipe: adds all other parameters to given redshifts and masses.

    ``brightest_ml`` is the mass-to-light ratio [Msun / Lsun in r] below which it has (almost) no
    galaxies, ``parts`` what they are made of.  Redshift-mass cells too faint for any of them are
    not drawn, which changes nothing but the time.
    """

    draw: Callable[[np.random.Generator, Columns], Columns]
    brightest_ml: float
    parts: Parts


MASS_RANGE = (7.5, 13.0)  # [dex Msun] the paper's range of formed mass
MIN_REDSHIFT = 0.002  # below, peculiar velocities dominate
# Baldry et al. 2012 (GAMA): knee [dex Msun], phi* [1e-3 / Mpc3 / dex] and slopes, surviving mass
MASS_KNEE, MASS_WEIGHTS, MASS_SLOPES = 10.66, (3.96, 0.79), (-0.35, -1.47)
FORMED_TO_SURVIVING = -0.22  # [dex] 60 % of the formed mass survives at old ages (Chabrier)
KNEE_EVOLUTION = 0.1  # ASSUME: [dex] fall of the knee per unit redshift
N_GRID = 1500  # cells per axis of the (redshift, mass) density


def table2(rng: np.random.Generator, columns: Columns) -> Columns:
    """Return the paper's Table 2 for given redshifts and masses (mu, sigma taken literally)."""
    n = len(columns["redshift"])
    return columns | {
        "kappa_1": _truncated(rng, 0.0, 1.0, 0.5, 0.3, n),
        "kappa_2": rng.uniform(size=n),
        "kappa_3": rng.uniform(size=n),
        "t_burst": _truncated(rng, 0.01, 13.27, 12.0, 7.0, n),
        "f_burst": _truncated(rng, 0.0, 1.0, 0.1, 0.7, n),
        "logzsol": _truncated(rng, -2.6, 0.3, -1.2, 0.9, n),
        "dust_index": _truncated(rng, -3.0, 1.0, 2.0, 2.0, n),
        "tau_bc": _truncated(rng, 0.0, 3.0, 1.0, 0.8, n),
        "tau_ism": _truncated(rng, 0.0, 3.0, 0.6, 0.8, n),
    }


SEQUENCE_SLOPE, SEQUENCE_ZERO = 0.76, -7.64  # Renzini & Peng 2015: log SFR = 0.76 log M - 7.64
SEQUENCE_SCATTER = 0.3  # [dex] Renzini & Peng 2015
QUIESCENT_SSFR, QUIESCENT_SCATTER = -12.0, 0.4  # ASSUME: [dex / yr]
QUENCHING_MASS, QUENCHING_POWER = 10.56, 0.8  # mass quenching of Peng et al. 2010 [dex Msun]
YOUNG_RATE = 0.237e-9  # [1 / yr] recent SFR per formed mass of the youngest SFH basis
# stellar metallicity [dex] against surviving mass [dex Msun]: medians of Gallazzi et al. 2005
METAL_MASS = (8.9, 9.5, 9.9, 10.3, 10.7, 11.1, 11.9)
METAL_MEDIAN = (-0.60, -0.60, -0.41, -0.11, 0.04, 0.10, 0.15)
METAL_SCATTER = (0.4, 0.4, 0.35, 0.3, 0.2, 0.15, 0.12)  # half of their 16-84 % range


def realistic(rng: np.random.Generator, columns: Columns) -> Columns:
    """Return star-forming and quiescent galaxies for given redshifts and masses.

    Star-forming galaxies follow the main sequence, quiescent ones old histories; metallicity
    follows mass; dust laws are narrow.  Values without a source below are assumptions of this mock,
    deliberately unlike the fit's priors.
    """
    n = len(columns["redshift"])
    mass = columns["log_stellar_mass"] + FORMED_TO_SURVIVING
    quenched = 1 - np.exp(-(10 ** (QUENCHING_POWER * (mass - QUENCHING_MASS))))
    is_quiescent = rng.uniform(size=n) < quenched
    sequence = (SEQUENCE_SLOPE - 1) * mass + SEQUENCE_ZERO
    log_ssfr = np.where(
        is_quiescent,
        QUIESCENT_SSFR + QUIESCENT_SCATTER * rng.normal(size=n),
        sequence + FORMED_TO_SURVIVING + SEQUENCE_SCATTER * rng.normal(size=n),
    )
    young = np.clip(10**log_ssfr / YOUNG_RATE, 0.0, 0.95)
    old = rng.dirichlet([1.0, 1.0, 1.0], size=n)
    older = rng.dirichlet([0.5, 2.0, 4.0], size=n)
    rest = np.where(is_quiescent[:, None], older, old) * (1 - young)[:, None]
    return columns | _kappas(young, rest) | _burst_and_dust(rng, mass, is_quiescent)


def _kappas(first: np.ndarray, rest: np.ndarray) -> Columns:
    left = 1 - first
    after = np.clip(left - rest[:, 0], 1e-9, None)
    return {
        "kappa_1": left,
        "kappa_2": np.clip(after / left, 0, 1),
        "kappa_3": np.clip(rest[:, 2] / after, 0, 1),
    }


def _burst_and_dust(
    rng: np.random.Generator, mass: np.ndarray, is_quiescent: np.ndarray
) -> Columns:
    n = len(mass)
    metal_scatter = np.interp(mass, METAL_MASS, METAL_SCATTER)
    logzsol = np.interp(mass, METAL_MASS, METAL_MEDIAN) + metal_scatter * rng.normal(size=n)
    tau_star = np.clip(0.35 + 0.15 * (mass - 10) + 0.2 * rng.normal(size=n), 0.0, 2.9)
    tau_ism = np.where(is_quiescent, np.abs(0.08 * rng.normal(size=n)), tau_star)
    return {
        "t_burst": rng.uniform(np.where(is_quiescent, 5.0, 0.3), 13.0),
        "f_burst": np.where(is_quiescent, rng.uniform(0, 0.4, n), rng.uniform(0, 0.1, n)),
        "logzsol": np.clip(logzsol, -2.5, 0.29),
        "dust_index": np.clip(-0.25 + 0.2 * rng.normal(size=n), -2.9, 0.9),
        "tau_bc": np.clip(tau_ism * (1 + 0.3 * rng.normal(size=n)), 0.0, 2.9),
        "tau_ism": tau_ism,
    }


POPULATIONS = {
    "table2_mock": Population(table2, brightest_ml=0.1, parts=Parts(0.01, 1.0)),
    "realistic_mock": Population(realistic, brightest_ml=0.5, parts=Parts(0.3, 0.4)),
}


class VolumeMassDensity:
    """Draws (redshift, formed mass) from volume x mass function, among observable galaxies."""

    def __init__(self, config: CosmologyConfig, max_redshift: float, least_mass: LeastMass) -> None:
        """Tabulate the density.

        Args:
            config: cosmology.
            max_redshift: highest redshift.
            least_mass: lighter galaxies cannot be seen and are left out.

        Raises:
            InputError: no galaxy can be seen.
        """
        edges_z = np.linspace(MIN_REDSHIFT, max_redshift, N_GRID + 1)
        edges_m = np.linspace(*MASS_RANGE, N_GRID + 1)
        self.step = np.array([edges_z[1] - edges_z[0], edges_m[1] - edges_m[0]])
        self.origin = np.array([edges_z[0], edges_m[0]])
        redshift = 0.5 * (edges_z[1:] + edges_z[:-1])[:, None]
        mass = 0.5 * (edges_m[1:] + edges_m[:-1])[None, :]
        density = comoving_volume_density(redshift, config) * mass_function(mass, redshift)
        seen = np.where(mass > least_mass(redshift), density, 0.0)
        self.cumulative = np.cumsum(seen.ravel())
        if self.cumulative[-1] == 0:
            raise InputError("limit_mag: no galaxy of the mock can be that bright; loosen it")

    def sample(self, rng: np.random.Generator, n: int) -> Columns:
        """Return ``n`` redshifts and log formed masses."""
        cell = np.searchsorted(self.cumulative, rng.uniform(size=n) * self.cumulative[-1])
        index = np.stack([cell // N_GRID, cell % N_GRID]) + rng.uniform(size=(2, n))
        redshift, mass = self.origin[:, None] + self.step[:, None] * index
        return {"redshift": redshift, "log_stellar_mass": mass}


class Resampled:
    """Draws (redshift, formed mass) from galaxies of a survey, as the paper's mock does."""

    def __init__(self, reference: Reference, max_redshift: float) -> None:
        """Keep the galaxies within the mock's ranges.

        Raises:
            InputError: the reference lacks redshifts or masses, or none are within the ranges.
        """
        names = ("redshift", "log_stellar_mass")
        if missing := [name for name in names if name not in reference.names]:
            raise InputError(f"joint: reference, but the survey's reference has no {missing[0]}")
        columns = [reference.values[:, reference.names.index(name)] for name in names]
        known = np.stack(columns, axis=1).astype(np.float64)
        (low, high), redshift, mass = MASS_RANGE, known[:, 0], known[:, 1]
        is_inside = (redshift > MIN_REDSHIFT) & (redshift < max_redshift)
        self.known = known[is_inside & (mass > low) & (mass < high)]
        if not len(self.known):
            raise InputError(
                f"joint: reference, but no galaxy has a redshift in {MIN_REDSHIFT:g}-"
                f"{max_redshift:g} and a log mass in {low:g}-{high:g}"
            )

    def sample(self, rng: np.random.Generator, n: int) -> Columns:
        """Return ``n`` redshifts and log formed masses, pairs of the same galaxy."""
        redshift, mass = self.known[rng.integers(len(self.known), size=n)].T
        return {"redshift": redshift, "log_stellar_mass": mass}


def mass_function(log_formed_mass: np.ndarray, redshift: np.ndarray) -> np.ndarray:
    """Return the double Schechter function of Baldry et al. 2012, with a slowly falling knee."""
    knee = MASS_KNEE - KNEE_EVOLUTION * redshift
    x = 10 ** (log_formed_mass + FORMED_TO_SURVIVING - knee)
    terms = sum(
        weight * x ** (slope + 1) for weight, slope in zip(MASS_WEIGHTS, MASS_SLOPES, strict=True)
    )
    return terms * np.exp(-x)


def _truncated(
    rng: np.random.Generator, low: float, high: float, mean: float, sigma: float, n: int
) -> np.ndarray:
    ends = (low - mean) / sigma, (high - mean) / sigma
    return truncnorm.rvs(*ends, loc=mean, scale=sigma, size=n, random_state=rng)
