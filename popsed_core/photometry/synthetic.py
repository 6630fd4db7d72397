"""Synthetic photometry: physical parameters to noiseless AB fluxes, differentiable.

maggies = M* Lsun (1 + z) / (4 pi d_L^2 3631 Jy) . band mean of L_nu(wave / (1 + z))

Where the SSP table has gas, its light is part of L_nu, reduced by the share of ionising photons
lost to dust or out of the galaxy.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from popsed_core.config.spectra import SpectraConfig
from popsed_core.constants import AB_ZERO_POINT, MEGAPARSEC
from popsed_core.emulator.emulator import EmulatedSpectra
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.errors import InputError
from popsed_core.photometry.coverage import check_coverage, rest_frame_range
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.projection import Projection
from popsed_core.stellar.node_spectra import TABLE_TOLERANCE, Lost
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import log_edges
from popsed_core.theta import Theta

MANY = 2048  # galaxies beyond which a CPU computes spectra in parts, and recomputes them backwards


class SyntheticPhotometry(nn.Module):
    """Spectra seen through filters; buffers hold float64 until ``.to(dtype)``."""

    def __init__(
        self, spectra: ExactSpectra | EmulatedSpectra, projection: Projection, lsun: float
    ) -> None:
        super().__init__()
        self.spectra = spectra
        self.projection = projection
        flux_unit = lsun / (4 * math.pi * MEGAPARSEC**2 * AB_ZERO_POINT)
        self.log_unit = spectra.log_unit + math.log10(flux_unit)

    @property
    def has_nebular(self) -> bool:
        """Whether there is gas, and so whether ``f_lost`` matters."""
        return self.spectra.has_nebular

    def forward(self, theta: Theta, f_lost: Lost | None = None) -> Float[Tensor, "galaxy band"]:
        """Return the noiseless flux of each galaxy in each band [maggies].

        Args:
            theta: physical parameters.
            f_lost: share of the ionising photons that is lost to dust or out of the galaxy, of all
                galaxies or of each; None: 0. Without gas it changes nothing.
        """
        is_large = len(theta.redshift) > MANY and theta.redshift.device.type == "cpu"
        if is_large and torch.is_grad_enabled():
            parts = zip(*(column.split(MANY) for column in theta), strict=True)
            lost = _split(f_lost, len(theta.redshift))
            options = {"use_reentrant": False, "preserve_rng_state": False}
            pairs = zip(lost, parts, strict=True)
            return torch.cat([checkpoint(self._maggies, *pair, **options) for pair in pairs])
        return self._maggies(f_lost, theta)

    def _maggies(
        self, f_lost: Lost | None, columns: Sequence[Float[Tensor, "galaxy"]]
    ) -> Float[Tensor, "galaxy band"]:
        theta = Theta(*columns)
        light = self.projection(self.spectra(theta, f_lost), theta.redshift)
        distance = self.spectra.cosmology.luminosity_distance(theta.redshift)
        log_scale = theta.log_stellar_mass + self.log_unit - 2 * torch.log10(distance)
        return light * ((1 + theta.redshift) * 10**log_scale)[:, None]

    def derived(self, theta: Theta) -> Float[Tensor, "galaxy quantity"]:
        """Return the quantities of ``parameters.DERIVED``."""
        return self.spectra.derived(theta)


def _split(f_lost: Lost | None, n: int) -> Sequence[Tensor | None]:
    """Return the arguments of each part of the galaxies."""
    if f_lost is None or f_lost.ndim == 0:
        return [f_lost] * -(-n // MANY)
    return f_lost.split(MANY)


def build_synthetic_photometry(
    grid: SSPGrid,
    filters: Sequence[str],
    config: SpectraConfig,
    redshift_range: tuple[float, float],
    *,
    tolerance: float | None = TABLE_TOLERANCE,
) -> SyntheticPhotometry:
    """Build the tables of the forward model.

    Args:
        grid: the SSP table.
        filters: names that :func:`popsed_core.photometry.filters.load_filter` knows.
        config: number of pixels, star formation, burst, intergalactic absorption, cosmology.
        redshift_range: lowest and highest redshift that will be asked for.
        tolerance: of the factorised SSP table; None for the plain one.

    Raises:
        InputError: an unknown filter, or one whose wavelengths the table does not cover.
    """
    curves = [load_filter(name) for name in filters]
    check_coverage(curves, redshift_range, (grid.ssp_wave[0], grid.ssp_wave[-1]), config.igm)
    low, high = rest_frame_range(curves, redshift_range, config.igm)
    edges = log_edges(max(low, grid.ssp_wave[0]), high, config.n_pixels)
    spectra = ExactSpectra(grid, config, edges, max_redshift=redshift_range[1], tolerance=tolerance)
    projection = Projection(
        curves, edges, redshift_range[1], line_wave=spectra.line_wave, igm=config.igm
    )
    return SyntheticPhotometry(spectra, projection, grid.lsun)


def build_emulated_photometry(
    segments: Sequence[EmulatorSegment],
    grid: SSPGrid,
    filters: Sequence[str],
    config: SpectraConfig,
    redshift_range: tuple[float, float],
) -> SyntheticPhotometry:
    """Build the forward model on an emulator; its pixels are those it was trained on.

    Args:
        segments: the emulator.
        grid: the SSP table that it was trained on.
        filters: names that :func:`popsed_core.photometry.filters.load_filter` knows.
        config: star formation, burst, intergalactic absorption, cosmology.
        redshift_range: lowest and highest redshift that will be asked for.

    Raises:
        InputError: an unknown filter, or one whose wavelengths the emulator does not cover.
    """
    curves = [load_filter(name) for name in filters]
    ends = (segments[0]["edges"][0], segments[-1]["edges"][-1])
    check_coverage(curves, redshift_range, (math.exp(ends[0]), math.exp(ends[1])), config.igm)
    spectra = EmulatedSpectra(
        segments,
        grid,
        config,
        max_redshift=redshift_range[1],
        wave_range=rest_frame_range(curves, redshift_range, config.igm),
    )
    projection = Projection(
        curves, spectra.edges, redshift_range[1], line_wave=spectra.line_wave, igm=config.igm
    )
    return SyntheticPhotometry(spectra, projection, grid.lsun)


def build_photometry(
    grid: SSPGrid,
    filters: Sequence[str],
    config: SpectraConfig,
    redshift_range: tuple[float, float],
    segments: Sequence[EmulatorSegment] | None = None,
) -> SyntheticPhotometry:
    """Build the forward model for ``spectra.engine``; ``segments`` is the emulator.

    Raises:
        InputError: the emulator is missing; or as in the two builders.
    """
    if config.engine == "exact":
        return build_synthetic_photometry(grid, filters, config, redshift_range)
    if segments is None:
        raise InputError("spectra.engine: emulator, but no emulator is given; add --emulator PATH")
    return build_emulated_photometry(segments, grid, filters, config, redshift_range)
