"""Endless training data of the emulator: fresh galaxies from the prior, exact spectra, one segment.

The prior is uniform in the boxes of the parameters (Li et al. 2023, Table 1 and appendix A).
"""

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config import EmulatorConfig, ParameterConfig, SpectraConfig, TrainingSetConfig
from popsed_core.errors import InputError
from popsed_core.parameters import NAMES
from popsed_core.spectra.emulator_inputs import INPUTS
from popsed_core.spectra.population import PopulationSpectra
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.spectra.wavelength import log_edges
from popsed_core.theta import Theta, from_matrix

BLOCK = 2000  # spectra at a time, so that they stay in the cache
LN10 = float(np.log(10))


def segment_edges(
    grid: SSPGrid, training: TrainingSetConfig, config: EmulatorConfig
) -> list[np.ndarray]:
    """Return the pixel edges of each segment, as ln(AA): one uniform grid, split at its pixels.

    Raises:
        InputError: a segment has fewer pixels than components.
    """
    low = max(training.wave_low, float(grid.ssp_wave[0]))
    high = min(training.wave_high, float(grid.ssp_wave[-1]))
    edges = log_edges(low, high, training.n_pixels)
    inner = np.searchsorted(edges, np.log(config.edges[1:-1]))
    cuts = [0, *inner.tolist(), training.n_pixels]
    parts = [edges[first : last + 1] for first, last in itertools.pairwise(cuts)]
    for index, (part, n) in enumerate(zip(parts, config.n_components, strict=True)):
        if len(part) - 1 < n:
            raise InputError(
                f"emulator.n_components: {n} in segment {index}, which has {len(part) - 1} pixels "
                f"between {low:.0f} and {high:.0f} AA; raise training_set.n_pixels"
            )
    return parts


def uniform_theta(
    parameters: Mapping[str, ParameterConfig], n: int, generator: torch.Generator
) -> Theta:
    """Draw galaxies of one solar mass, uniform in the boxes."""
    low = torch.tensor([parameters[name].low for name in NAMES])
    high = torch.tensor([parameters[name].high for name in NAMES])
    theta = from_matrix(low + (high - low) * torch.rand(n, len(NAMES), generator=generator))
    return theta._replace(log_stellar_mass=torch.zeros(n))


class SpectrumSource:
    """Fresh galaxies of one segment: features of the network and log L_nu."""

    def __init__(
        self,
        grid: SSPGrid,
        spectra: SpectraConfig,
        parameters: Mapping[str, ParameterConfig],
        config: EmulatorConfig,
        edges: np.ndarray,
    ) -> None:
        self.parameters = parameters
        self.has_screen = config.target == "full"
        redshift = parameters["redshift"].high
        self.spectra = PopulationSpectra(grid, spectra, edges, max_redshift=redshift)
        self.inputs = INPUTS[config.inputs](self.spectra, self.has_screen)
        self.spectra.float()
        self.inputs.float()

    def to(self, device: torch.device) -> "SpectrumSource":
        """Move the tables to a device."""
        self.spectra.to(device)
        self.inputs.to(device)
        return self

    def log_lnu(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return what the network learns: log10 L_nu per solar mass [dex 10^log_unit Lsun/Hz]."""
        light = torch.log10(self.spectra.behind_screen(theta))
        if not self.has_screen:
            return light
        return light + self.spectra.dust.log_screen(theta.tau_ism, theta.dust_index) / LN10

    def features(self, theta: Theta) -> Float[Tensor, "galaxy input"]:
        """Return the inputs of the network."""
        return self.inputs(theta, self.spectra)

    @torch.no_grad()
    def draw(
        self, n: int, generator: torch.Generator, device: torch.device
    ) -> tuple[Float[Tensor, "galaxy input"], Float[Tensor, "galaxy pixel"]]:
        """Return features and spectra of fresh galaxies."""
        theta = uniform_theta(self.parameters, n, generator)
        theta = Theta(*(column.to(device) for column in theta))
        return self.features(theta), self.log_lnu(theta)


def principal_components(
    log_lnu: Float[Tensor, "spectrum pixel"], n: int
) -> tuple[Float[Tensor, "pixel"], Float[Tensor, "component pixel"], Float[Tensor, "component"]]:
    """Return mean, orthonormal components and the scatter along each, of log spectra [dex]."""
    values = log_lnu.double()
    mean = values.mean(0)
    moved = values - mean
    variance, vectors = torch.linalg.eigh(moved.T @ moved / len(moved))
    order = torch.argsort(variance, descending=True)[:n]
    sigma = variance[order].clamp(min=1e-14).sqrt()
    return mean, vectors[:, order].T, sigma
