"""Cosmology as tensors: the age of the universe and distances, by cubic Hermite tables.

Flat LambdaCDM without radiation, whose integrals are closed: the age is an inverse hyperbolic sine
(Thomas & Kantowski 2000), the distance a hypergeometric function (Baes et al. 2017).  Tables of
both, with exact derivatives, are interpolated differentiably (errors below 1e-6 relative).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import hyp2f1
from torch import Tensor, nn

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.constants import SPEED_OF_LIGHT_KM_S

N_NODES = 2001
HUBBLE_GYR = 977.7922216807891  # [Gyr km/s/Mpc] a megaparsec (IAU 2015 B2) over km and Julian Gyr
HUBBLE_PER_GYR = 0.0010227121650456948  # [1/Gyr per km/s/Mpc] its inverse

Redshifts = Float[np.ndarray, "*redshift"]


@dataclass(frozen=True)
class FlatUniverse:
    """Matter and a cosmological constant.

    Attributes:
        hubble: the Hubble constant [km/s/Mpc].
        omega_m: density of matter over the critical one, today.
    """

    hubble: float
    omega_m: float

    def expansion_rate(self, redshift: Redshifts) -> Redshifts:
        """Return H(z) [km/s/Mpc]."""
        return self.hubble * self._relative_rate(redshift)

    def age(self, redshift: Redshifts) -> Redshifts:
        """Return the age of the universe [Gyr]."""
        # complex numbers as in astropy: real ones differ in the last bit
        ratio = (1 / self.omega_m - 1 + 0j) / (redshift + 1.0) ** 3
        unit = 2.0 / 3 * (1 / self.hubble * HUBBLE_GYR) / np.emath.sqrt(1 - self.omega_m)
        return (unit * np.arcsinh(np.emath.sqrt(ratio))).real

    def comoving_distance(self, redshift: Redshifts) -> Redshifts:
        """Return the comoving distance along the line of sight [Mpc]."""
        s = ((1 - self.omega_m) / self.omega_m) ** (1.0 / 3)
        here = _distance_integral(s / (np.zeros_like(redshift) + 1.0))
        there = _distance_integral(s / (redshift + 1.0))
        return self._hubble_distance / np.sqrt(s * self.omega_m) * (here - there)

    def distance_modulus(self, redshift: Redshifts) -> Redshifts:
        """Return apparent less absolute magnitude [mag]."""
        return 5.0 * np.log10((redshift + 1.0) * self.comoving_distance(redshift)) + 25.0

    def volume_density(self, redshift: Redshifts) -> Redshifts:
        """Return the comoving volume per redshift and solid angle [Mpc^3 / sr]."""
        distance = self.comoving_distance(redshift)
        return self._hubble_distance * distance**2.0 / self._relative_rate(redshift)

    def _relative_rate(self, redshift: Redshifts) -> Redshifts:
        return np.sqrt((redshift + 1.0) ** 3 * self.omega_m + (1.0 - self.omega_m))

    @property
    def _hubble_distance(self) -> float:
        """Speed of light over Hubble constant [Mpc]."""
        return SPEED_OF_LIGHT_KM_S * 1e3 / self.hubble * 1e-3


def _distance_integral(x: Redshifts) -> Redshifts:
    return 2 * np.sqrt(x) * hyp2f1(1.0 / 6, 1.0 / 2, 7.0 / 6, -(x**3))


def make_universe(config: CosmologyConfig) -> FlatUniverse:
    """Return the universe of a configuration."""
    return FlatUniverse(config.hubble, config.omega_m)


def comoving_volume_density(redshift: np.ndarray, config: CosmologyConfig) -> np.ndarray:
    """Return dV/dz per unit solid angle at each redshift [Mpc^3 / sr]."""
    return make_universe(config).volume_density(redshift)


class CosmologyTable(nn.Module):
    """Age and distance at 0 <= redshift <= ``max_redshift``."""

    def __init__(self, config: CosmologyConfig, max_redshift: float) -> None:
        super().__init__()
        universe = make_universe(config)
        redshift = np.linspace(0.0, max_redshift, N_NODES)
        rate = universe.expansion_rate(redshift)
        self.max_redshift = max_redshift
        self.step = redshift[1]
        columns = {
            "age": universe.age(redshift),
            "age_slope": -1.0 / ((1 + redshift) * (rate * HUBBLE_PER_GYR)),
            "distance": universe.comoving_distance(redshift),
            "distance_slope": SPEED_OF_LIGHT_KM_S / rate,
        }
        for name, column in columns.items():
            self.register_buffer(name, torch.as_tensor(column), persistent=False)

    def age_gyr(self, redshift: Float[Tensor, "galaxy"]) -> Float[Tensor, "galaxy"]:
        """Return the age of the universe at each redshift [Gyr]."""
        return self._hermite(self.age, self.age_slope, redshift)

    def luminosity_distance(self, redshift: Float[Tensor, "galaxy"]) -> Float[Tensor, "galaxy"]:
        """Return the luminosity distance at each redshift [Mpc]."""
        return self._hermite(self.distance, self.distance_slope, redshift) * (1 + redshift)

    def _hermite(self, value: Tensor, slope: Tensor, redshift: Tensor) -> Tensor:
        position = redshift / self.step
        cell = position.detach().floor().long().clamp(0, N_NODES - 2)
        x = position - cell
        rise = value[cell + 1] - value[cell]
        start, end = slope[cell] * self.step, slope[cell + 1] * self.step
        curve = start - rise + x * (2 * rise - start - end)
        return value[cell] + x * (rise + (1 - x) * curve)
