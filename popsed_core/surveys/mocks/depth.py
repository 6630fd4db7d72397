"""The lowest mass at which a mock galaxy can be seen: lighter ones need not be drawn.

Spectra are linear in the star-formation history, so no galaxy is brighter per formed mass than
the brightest of its parts: without dust, at any metallicity, (1 - f) of one of the smooth bases
and f in a burst of any allowed age.  Seen through the filter itself at each redshift, this is a
bound in any band, K-correction included.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.config.surveys import MockSurvey
from popsed_core.photometry.noise import NoiseModel
from popsed_core.photometry.synthetic import SyntheticPhotometry
from popsed_core.stellar.cosmology import make_universe
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta

LeastMass = Callable[[np.ndarray], np.ndarray]  # redshift to log formed mass [dex Msun]

SUN_ABSOLUTE_R = 4.65  # [mag AB] Willmer 2018, SDSS r
N_REDSHIFTS = 50  # at which the brightest galaxy is computed; linear between in the logarithms
NOISE_SIGMAS = 4.0  # by which noise may lift a galaxy above the limit
RARE = 1e-4  # probability that the model's error exceeds the margin at the bound
FAINTEST_SHARE = 0.05  # of the limit's flux: no pruning reaches fainter, however large the noise
SMOOTH = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 1.0))  # kappa of a basis


class Parts(NamedTuple):
    """What a population's galaxies are made of: age [Gyr] and largest share of their bursts."""

    youngest_burst: float
    largest_burst: float


def least_mass_in_r(config: CosmologyConfig, limit_mag: float, brightest_ml: float) -> LeastMass:
    """Return the least mass at a mass-to-light ratio in r, without K-correction.

    Args:
        config: cosmology.
        limit_mag: faint limit in r [mag].
        brightest_ml: least mass-to-light ratio [Msun / Lsun in r].
    """
    universe = make_universe(config)

    def least(redshift: np.ndarray) -> np.ndarray:
        distance = universe.distance_modulus(redshift)
        return 0.4 * (SUN_ABSOLUTE_R + distance - limit_mag) + np.log10(brightest_ml)

    return least


def least_mass_in_band(
    photometry: SyntheticPhotometry,
    grid: SSPGrid,
    parts: Parts,
    *,
    band: int,
    limit_mag: float,
    redshift_range: tuple[float, float],
) -> LeastMass:
    """Return the least mass of galaxies without errors that pass a limit in any one band.

    Args:
        photometry: float64 model of the survey's bands.
        grid: the SSP table that it was built from.
        parts: of the population's galaxies.
        band: number of the band.
        limit_mag: faint limit in it [mag].
        redshift_range: within which masses are asked for.
    """
    redshift = np.geomspace(*redshift_range, N_REDSHIFTS)
    brightest = np.array([_brightest(photometry, grid, parts, z)[band] for z in redshift])
    log_redshift, log_flux = np.log10(redshift), np.log10(brightest)

    def least(at: np.ndarray) -> np.ndarray:
        return -0.4 * limit_mag - np.interp(np.log10(at), log_redshift, log_flux)

    return least


def error_margin(config: MockSurvey, noise: NoiseModel, band: int, zero_point: float) -> float:
    """Return by how much errors may brighten a galaxy [mag].

    Args:
        config: the mock's limit and model errors.
        noise: the survey's noise, float64.
        band: number of the limit's band.
        zero_point: the offset drawn for this band [mag].
    """
    law = stats.norm if config.error_tail is None else stats.t(config.error_tail)
    model = law.isf(RARE) * np.hypot(config.model_error, config.colour_error)
    limit = torch.full((1, len(noise.first)), 10 ** (-0.4 * config.limit_mag)).double()
    share = noise.sigma(limit, torch.ones_like(limit))[0, band] / limit[0, band]
    lifted = max(1 - NOISE_SIGMAS * float(share), FAINTEST_SHARE)
    return float(model + abs(zero_point) - 2.5 * np.log10(lifted))


@torch.no_grad()
def _brightest(
    photometry: SyntheticPhotometry, grid: SSPGrid, parts: Parts, redshift: float
) -> np.ndarray:
    """Return the largest flux per formed mass in each band [maggies / Msun]."""
    logzsol = grid.ssp_lgmet - grid.log_zsun
    ages = 10**grid.ssp_lg_age_gyr
    ages = np.append(ages[ages > parts.youngest_burst], parts.youngest_burst)
    metal, age = (values.ravel() for values in np.meshgrid(logzsol, ages))
    burst = photometry(_bare(len(age), redshift, logzsol=metal, t_burst=age, f_burst=1.0)).amax(0)
    smooth = torch.stack(
        [
            photometry(_bare(len(logzsol), redshift, logzsol=logzsol, kappa=kappa)).amax(0)
            for kappa in SMOOTH
        ]
    ).amax(0)
    return (smooth + parts.largest_burst * (burst - smooth).clamp(min=0)).numpy()


def _bare(
    n: int,
    redshift: float,
    *,
    logzsol: np.ndarray,
    kappa: tuple[float, float, float] = SMOOTH[0],
    t_burst: np.ndarray | float = 1.0,
    f_burst: float = 0.0,
) -> Theta:
    """Return galaxies of unit formed mass without dust."""
    columns = (redshift, 0.0, *kappa, t_burst, f_burst, logzsol, 0.0, 0.0, 0.0)
    return Theta(*(torch.as_tensor(np.broadcast_to(column, n).astype(float)) for column in columns))
