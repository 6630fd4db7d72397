"""Cosmology as tensors: the age of the universe and distances, by cubic Hermite tables.

Values and exact derivatives come from astropy's flat LambdaCDM once, when the table is built;
evaluation is a differentiable interpolation (errors below 1e-6 relative).
"""

import numpy as np
import torch
from astropy import units as u
from astropy.cosmology import FlatLambdaCDM
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.spectra import CosmologyConfig
from popsed_core.constants import SPEED_OF_LIGHT_KM_S

N_NODES = 2001


def make_cosmology(config: CosmologyConfig) -> FlatLambdaCDM:
    """Return astropy's cosmology for a configuration."""
    return FlatLambdaCDM(H0=config.hubble, Om0=config.omega_m)


def comoving_volume_density(redshift: np.ndarray, config: CosmologyConfig) -> np.ndarray:
    """Return dV/dz per unit solid angle at each redshift [Mpc^3 / sr]."""
    cosmology = make_cosmology(config)
    return cosmology.differential_comoving_volume(redshift).to_value(u.Mpc**3 / u.sr)


class CosmologyTable(nn.Module):
    """Age and distance at 0 <= redshift <= ``max_redshift``."""

    def __init__(self, config: CosmologyConfig, max_redshift: float) -> None:
        super().__init__()
        cosmology = make_cosmology(config)
        redshift = np.linspace(0.0, max_redshift, N_NODES)
        hubble = cosmology.H(redshift)
        self.max_redshift = max_redshift
        self.step = redshift[1]
        columns = {
            "age": cosmology.age(redshift).to_value(u.Gyr),
            "age_slope": -1.0 / ((1 + redshift) * hubble.to_value(1 / u.Gyr)),
            "distance": cosmology.comoving_distance(redshift).to_value(u.Mpc),
            "distance_slope": SPEED_OF_LIGHT_KM_S / hubble.to_value(u.km / u.s / u.Mpc),
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
