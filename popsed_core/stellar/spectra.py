"""Exact, differentiable spectra of many galaxies: a few matrix products and two dust screens.

    L = [ (young(Z) + (1 - f_lost) gas(Z)) . T_birth_cloud + old(Z) ] . T_screen

young + old = sum_i W_i S_i(Z), where W are the star-formation weights on the age nodes, S the SSP
spectra, linear in flux against log age and log Z (FSPS: ztinterp, csp_gen, add_dust).  Nodes up to
10^7.00 yr are young and ionise gas, except for the share f_lost of their ionising photons.  The
tables may be factorised (``tolerance``), which costs less and changes less than the tolerance.
"""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.spectra import SpectraConfig
from popsed_core.stellar.dust import Dust
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.nebular_light import nebular_table
from popsed_core.stellar.node_spectra import NO_LINES, TABLE_TOLERANCE, Lost, NodeSpectra, NodeTable
from popsed_core.stellar.sfh import hat_weights
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import rebin
from popsed_core.theta import Theta


def _on_pixels(grid: SSPGrid, edges: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return wavelengths [AA] and the float64 table on the pixels; None: the table's own pixels."""
    if edges is None:
        return grid.ssp_wave, grid.ssp_flux.astype(float)
    # one metallicity at a time: the table may be large, and is copied several times on the way
    parts = [rebin(grid.ssp_wave, part.astype(float), edges) for part in grid.ssp_flux]
    return np.exp(0.5 * (edges[1:] + edges[:-1])), np.stack(parts)


class ExactSpectra(StellarMixture):
    """Rest-frame spectra of galaxies on ln-wavelength pixels, per solar mass formed.

    Attributes:
        line_wave: of emission lines, whose light is in columns behind those of the pixels [AA].
        log_unit: of the spectra [dex(Lsun / Hz / Msun)].
    """

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
            edges: pixel edges (pixel + 1,), as ln(AA); None: the table's own wavelengths, for
                stars only.
            max_redshift: up to which ages are tabulated.
            tolerance: of the factorised table; None for the plain table.
        """
        super().__init__(grid, config, max_redshift)
        wave, flux = _on_pixels(grid, edges)
        self.log_unit = float(np.log10(np.median(flux[flux > 0])))
        flux = flux / 10**self.log_unit
        young = [NodeTable(flux[:, : self.n_young], tolerance)]
        self.line_wave = NO_LINES
        if grid.has_nebular:
            gas, self.line_wave = nebular_table(grid, edges, self.log_unit, tolerance)
            young.append(gas)
        n_columns = len(wave) + len(self.line_wave)
        self.young_spectra = NodeSpectra(*young, n_pixels=n_columns)
        old = NodeTable(flux[:, self.first_old :], tolerance)
        self.old_spectra = NodeSpectra(old, n_pixels=n_columns)
        self.dust = Dust(np.concatenate([wave, self.line_wave]))

    @property
    def has_nebular(self) -> bool:
        """Whether there is gas, and so whether ``f_lost`` matters."""
        return bool(self.young_spectra.is_gas.any())

    def forward(self, theta: Theta, f_lost: Lost | None = None) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu per solar mass formed, dust included [10^log_unit Lsun / Hz / Msun].

        Args:
            theta: physical parameters.
            f_lost: share of the ionising photons that is lost; None: 0.
        """
        light = self.behind_screen(theta, f_lost)
        return light * self.dust.screen(theta.tau_ism, theta.dust_index)

    def behind_screen(
        self, theta: Theta, f_lost: Lost | None = None
    ) -> Float[Tensor, "galaxy pixel"]:
        """Return the light before the diffuse screen [10^log_unit Lsun / Hz / Msun]."""
        young, old = self.age_weights(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        light = self.young_spectra(young, metals, f_lost) * self.dust.birth_cloud(theta.tau_bc)
        return light + self.old_spectra(old, metals)
