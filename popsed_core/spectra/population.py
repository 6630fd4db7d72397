"""Exact, differentiable spectra of many galaxies: a few matrix products and two dust screens.

    L = [ young(Z) . T_birth_cloud + old(Z) ] . T_screen,     young + old = sum_i W_i S_i(Z)

W are the star-formation weights on the age nodes, S the SSP spectra, linear in flux against
log age and log Z (FSPS: ztinterp, csp_gen, add_dust).  Nodes up to 10^7.00 yr are young.  The SSP
table may be factorised (``tolerance``), which costs less and changes less than the tolerance.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config import SpectraConfig
from popsed_core.spectra.burst import Burst, ContinuousBurst, ReleasedBurst
from popsed_core.spectra.cosmology import CosmologyTable
from popsed_core.spectra.derived import derived_quantities
from popsed_core.spectra.dust import Dust
from popsed_core.spectra.factors import factorise
from popsed_core.spectra.sfh import (
    BinnedStarFormation,
    ExactStarFormation,
    hat_weights,
    simplex_fractions,
)
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.spectra.surviving_mass import hearin21_surviving_fraction
from popsed_core.spectra.wavelength import rebin
from popsed_core.theta import Theta

YOUNG_LOG_AGE = 7.0  # [dex yr] nodes up to here sit in birth clouds (FSPS dust_tesc)
NODE_SLACK = 1e-3  # [dex] so that a node stored as 7.0000001 is still young
TABLE_TOLERANCE = 1e-4  # rms relative error of the factorised SSP table; costs < 0.01 mmag
STAR_FORMATION = {"exact": ExactStarFormation, "bins": BinnedStarFormation}
BURST = {"continuous": ContinuousBurst, "released": ReleasedBurst}


class NodeSpectra(nn.Module):
    """The linear map from weights on (metallicity, age) nodes to spectra, maybe factorised."""

    def __init__(self, flux: np.ndarray, tolerance: float | None) -> None:
        super().__init__()
        n_metallicities, n_ages, n_pixels = flux.shape
        basis, pixels = factorise(flux.reshape(-1, n_pixels), tolerance)
        basis = basis.reshape(n_metallicities, n_ages, -1).transpose(1, 0, 2)
        self.shape = basis.shape[1:]
        self.register_buffer(
            "basis", torch.as_tensor(basis.reshape(n_ages, -1).copy()), persistent=False
        )
        self.register_buffer("pixels", torch.as_tensor(pixels.copy()), persistent=False)

    def forward(
        self, ages: Float[Tensor, "galaxy node"], metals: Float[Tensor, "galaxy metallicity"]
    ) -> Float[Tensor, "galaxy pixel"]:
        """Return the sum over nodes of age weight x metallicity weight x SSP spectrum."""
        per_metal = (ages @ self.basis).unflatten(1, self.shape)
        return (metals[:, None, :] @ per_metal)[:, 0] @ self.pixels


class PopulationSpectra(nn.Module):
    """Rest-frame spectra of galaxies on ln-wavelength pixels, per solar mass formed."""

    def __init__(
        self,
        grid: SSPGrid,
        config: SpectraConfig,
        edges: np.ndarray | None,
        *,
        max_redshift: float,
        tolerance: float | None = TABLE_TOLERANCE,
    ) -> None:
        """Build the tables.

        Args:
            grid: the SSP table.
            config: star formation, burst, cosmology.
            edges: pixel edges (pixel + 1,), as ln(AA); None: the table's own wavelengths.
            max_redshift: up to which ages are tabulated.
            tolerance: of the factorised table; None for the plain table.
        """
        super().__init__()
        log_age = grid.ssp_lg_age_gyr + 9
        wave, flux = grid.ssp_wave, grid.ssp_flux.astype(float)
        if edges is not None:
            wave, flux = np.exp(0.5 * (edges[1:] + edges[:-1])), rebin(wave, flux, edges)
        self.log_unit = float(np.log10(np.median(flux[flux > 0])))
        flux = flux / 10**self.log_unit
        self.n_young = int((log_age <= YOUNG_LOG_AGE + NODE_SLACK).sum())
        self.first_old = max(self.n_young - 1, 0)  # a released burst at 10^7.0 yr counts as old
        self.young_spectra = NodeSpectra(flux[:, : self.n_young], tolerance)
        self.old_spectra = NodeSpectra(flux[:, self.first_old :], tolerance)
        self.star_formation = STAR_FORMATION[config.star_formation](log_age)
        self.burst = BURST[config.burst]()
        self.cosmology = CosmologyTable(config.cosmology, max_redshift)
        self.dust = Dust(wave)
        nodes = {
            "log_age": log_age,
            "logzsol": grid.ssp_lgmet - grid.log_zsun,
            "surviving_mass": grid.surviving_mass,
            "surviving_fit": hearin21_surviving_fraction(log_age, grid.imf),
        }
        for name, values in nodes.items():
            self.register_buffer(name, torch.as_tensor(values), persistent=False)
        self.register_buffer("is_old", torch.arange(len(log_age)) >= self.n_young, False)

    def forward(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu per solar mass formed, dust included [10^log_unit Lsun / Hz / Msun]."""
        return self.behind_screen(theta) * self.dust.screen(theta.tau_ism, theta.dust_index)

    def behind_screen(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return the light before the diffuse screen [10^log_unit Lsun / Hz / Msun]."""
        young, old = self.age_weights(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        light = self.young_spectra(young, metals) * self.dust.birth_cloud(theta.tau_bc)
        return light + self.old_spectra(old, metals)

    def age_weights(
        self, theta: Theta
    ) -> tuple[Float[Tensor, "galaxy young"], Float[Tensor, "galaxy old"]]:
        """Return the mass shares on the young nodes and on the old ones (from ``first_old``)."""
        smooth, burst = self._shares(theta)
        if self.burst.is_in_birth_cloud:
            smooth, burst = smooth + burst, torch.zeros_like(burst)
        old = torch.where(self.is_old, smooth, 0.0) + burst
        return smooth[:, : self.n_young], old[:, self.first_old :]

    def derived(self, theta: Theta) -> Float[Tensor, "galaxy quantity"]:
        """Return the quantities of ``parameters.DERIVED``, in its order and units."""
        age = self.cosmology.age_gyr(theta.redshift)
        smooth, burst = self._shares(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        weights = smooth + burst
        by_table = (weights * (metals @ self.surviving_mass)).sum(1)
        surviving = torch.stack([by_table, weights @ self.surviving_fit], dim=1)
        fractions = simplex_fractions(theta)
        held: Burst = self.burst(theta, age)
        histories = self.star_formation.histories
        return derived_quantities(theta, fractions, age, held, surviving, histories)

    def _shares(
        self, theta: Theta
    ) -> tuple[Float[Tensor, "galaxy node"], Float[Tensor, "galaxy node"]]:
        age = self.cosmology.age_gyr(theta.redshift)
        burst = self.burst(theta, age)
        smooth = self.star_formation(simplex_fractions(theta), age) * burst.smooth_share[:, None]
        position = torch.log10(burst.age) + 9
        return smooth, burst.share[:, None] * hat_weights(self.log_age, position)
