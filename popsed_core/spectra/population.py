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
from popsed_core.spectra.dust import Dust
from popsed_core.spectra.factors import factorise
from popsed_core.spectra.mixture import StellarMixture
from popsed_core.spectra.sfh import hat_weights
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.spectra.wavelength import rebin
from popsed_core.theta import Theta

TABLE_TOLERANCE = 1e-4  # rms relative error of the factorised SSP table; costs < 0.01 mmag


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


def _on_pixels(grid: SSPGrid, edges: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return wavelengths [AA] and the float64 table on the pixels; the table's own for None."""
    if edges is None:
        return grid.ssp_wave, grid.ssp_flux.astype(float)
    # one metallicity at a time: the table may be large, and is copied several times on the way
    parts = [rebin(grid.ssp_wave, part.astype(float), edges) for part in grid.ssp_flux]
    return np.exp(0.5 * (edges[1:] + edges[:-1])), np.stack(parts)


class PopulationSpectra(StellarMixture):
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
        super().__init__(grid, config, max_redshift)
        wave, flux = _on_pixels(grid, edges)
        self.log_unit = float(np.log10(np.median(flux[flux > 0])))
        flux = flux / 10**self.log_unit
        self.young_spectra = NodeSpectra(flux[:, : self.n_young], tolerance)
        self.old_spectra = NodeSpectra(flux[:, self.first_old :], tolerance)
        self.dust = Dust(wave)

    def forward(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu per solar mass formed, dust included [10^log_unit Lsun / Hz / Msun]."""
        return self.behind_screen(theta) * self.dust.screen(theta.tau_ism, theta.dust_index)

    def behind_screen(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return the light before the diffuse screen [10^log_unit Lsun / Hz / Msun]."""
        young, old = self.age_weights(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        light = self.young_spectra(young, metals) * self.dust.birth_cloud(theta.tau_bc)
        return light + self.old_spectra(old, metals)
