"""Whole spectra of galaxies, for inspection: stars, gas and dust on one wavelength grid.

    f_nu(wave (1 + z)) = (1 + z) L_nu(wave) / (4 pi d_L^2) . transmission

The photometry never makes these: its pixels end where the filters do, and lines stand apart.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.spectra import SpectraConfig
from popsed_core.constants import MEGAPARSEC
from popsed_core.photometry.igm import transmission_at_rest
from popsed_core.stellar.node_spectra import Lost
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import log_edges
from popsed_core.theta import Theta

JANSKY = 1e-23  # [erg / s / cm2 / Hz] by definition
N_PIXELS = 2000


class ObservedSpectra(nn.Module):
    """Spectra over all wavelengths of an SSP table; buffers hold float64 until ``.to(dtype)``.

    Attributes:
        wave: rest-frame middles of the pixels, which are uniform in ln(wave) [AA].
    """

    def __init__(
        self, grid: SSPGrid, config: SpectraConfig, max_redshift: float, n_pixels: int = N_PIXELS
    ) -> None:
        """Build the tables; arguments as for :class:`ExactSpectra`."""
        super().__init__()
        low, high = float(grid.ssp_wave[0]), float(grid.ssp_wave[-1])
        edges = log_edges(low * (1 + 1e-12), high * (1 - 1e-12), n_pixels)
        self.wave = np.exp(0.5 * (edges[1:] + edges[:-1]))
        self.step = float(edges[1] - edges[0])
        self.spectra = ExactSpectra(grid, config, edges, max_redshift=max_redshift, tolerance=None)
        self.lsun, self.igm = grid.lsun, config.igm
        lines = np.log(self.spectra.line_wave / np.exp(edges[0])) / self.step
        pixel = torch.as_tensor(lines.astype(int).clip(0, n_pixels - 1))
        self.register_buffer("line_pixel", pixel, persistent=False)

    def luminosity(self, theta: Theta, f_lost: Lost | None = None) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu in the galaxy's frame, behind its dust [Lsun / Hz].

        Args:
            theta: physical parameters.
            f_lost: share of the ionising photons that makes no light of gas; None: 0.
        """
        light = self.spectra(theta, f_lost)
        pixels, lines = light[:, : len(self.wave)], light[:, len(self.wave) :]
        # a line's column is its integral over ln(wave): spread over the pixel that it is in
        pixels = pixels.index_add(1, self.line_pixel, lines / self.step)
        scale = 10 ** (theta.log_stellar_mass + self.spectra.log_unit)
        return pixels * scale[:, None]

    def flux(self, theta: Theta, luminosity: Float[Tensor, "galaxy pixel"]) -> Tensor:
        """Return f_nu as it arrives, at the wavelengths ``wave (1 + redshift)`` [Jy]."""
        distance = self.spectra.cosmology.luminosity_distance(theta.redshift) * MEGAPARSEC
        area = 4 * math.pi * distance**2
        flux = luminosity * ((1 + theta.redshift) * self.lsun / area / JANSKY)[:, None]
        if self.igm == "none":
            return flux
        stretch = 1 + theta.redshift.numpy(force=True)
        share = transmission_at_rest(self.wave, stretch)
        return flux * torch.as_tensor(share).to(flux)
