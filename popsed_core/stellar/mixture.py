"""Mass of a galaxy on the age nodes of an SSP table, and the quantities that follow from it.

The part of the forward model that the exact spectra and their emulator share.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.spectra import SpectraConfig
from popsed_core.stellar.burst import Burst, ContinuousBurst, ReleasedBurst
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.derived import derived_quantities
from popsed_core.stellar.sfh import (
    BinnedStarFormation,
    ExactStarFormation,
    hat_weights,
    simplex_fractions,
)
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.surviving_mass import hearin21_surviving_fraction
from popsed_core.theta import Theta

STAR_FORMATION = {"exact": ExactStarFormation, "bins": BinnedStarFormation}
BURST = {"continuous": ContinuousBurst, "released": ReleasedBurst}


class StellarMixture(nn.Module):
    """Mass shares on the age nodes of an SSP table, and the quantities derived from them."""

    def __init__(self, grid: SSPGrid, config: SpectraConfig, max_redshift: float) -> None:
        """Build the tables.

        Args:
            grid: the SSP table.
            config: star formation, burst, cosmology.
            max_redshift: up to which ages are tabulated.
        """
        super().__init__()
        log_age = grid.ssp_lg_age_gyr + 9
        self.n_young = grid.n_young
        self.first_old = max(self.n_young - 1, 0)  # a released burst at 10^7.0 yr counts as old
        self.star_formation = STAR_FORMATION[config.star_formation](log_age)
        self.burst = BURST[config.burst]()
        self.cosmology = CosmologyTable(config.cosmology, max_redshift)
        nodes = {
            "log_age": log_age,
            "logzsol": grid.ssp_lgmet - grid.log_zsun,
            "surviving_mass": grid.surviving_mass,
            "surviving_fit": hearin21_surviving_fraction(log_age, grid.imf),
        }
        for name, values in nodes.items():
            self.register_buffer(name, torch.as_tensor(values), persistent=False)
        self.register_buffer("is_old", torch.arange(len(log_age)) >= self.n_young, False)

    def age_weights(
        self, theta: Theta
    ) -> tuple[Float[Tensor, "galaxy young"], Float[Tensor, "galaxy old"]]:
        """Return the mass shares on the young nodes and on the old ones (from ``first_old``)."""
        smooth, burst = self.shares(theta)
        if self.burst.is_in_birth_cloud:
            smooth, burst = smooth + burst, torch.zeros_like(burst)
        old = torch.where(self.is_old, smooth, 0.0) + burst
        return smooth[:, : self.n_young], old[:, self.first_old :]

    def derived(self, theta: Theta) -> Float[Tensor, "galaxy quantity"]:
        """Return the quantities of ``parameters.DERIVED``, in its order and units."""
        age = self.cosmology.age_gyr(theta.redshift)
        smooth, burst = self.shares(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        weights = smooth + burst
        by_table = (weights * (metals @ self.surviving_mass)).sum(1)
        surviving = torch.stack([by_table, weights @ self.surviving_fit], dim=1)
        fractions = simplex_fractions(theta)
        held: Burst = self.burst(theta, age)
        histories = self.star_formation.histories
        return derived_quantities(theta, fractions, age, held, surviving, histories)

    def shares(
        self, theta: Theta
    ) -> tuple[Float[Tensor, "galaxy node"], Float[Tensor, "galaxy node"]]:
        """Return the mass shares on all nodes, of the smooth history and of the burst."""
        age = self.cosmology.age_gyr(theta.redshift)
        burst = self.burst(theta, age)
        smooth = self.star_formation(simplex_fractions(theta), age) * burst.smooth_share[:, None]
        position = torch.log10(burst.age) + 9
        return smooth, burst.share[:, None] * hat_weights(self.log_age, position)
