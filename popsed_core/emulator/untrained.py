"""An untrained emulator, with the size and speed of a trained one, for timings."""

import numpy as np
import torch

from popsed_core.config.base import to_json
from popsed_core.config.root import Config
from popsed_core.emulator.data import segment_edges
from popsed_core.emulator.inputs import INPUTS
from popsed_core.emulator.network import SegmentNetwork
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.running.runtime import generator
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta

SPREAD = 0.1  # [dex] of the spectra it makes about those of the table
FAINT = 1e-12  # of the brightest pixel of the table: no logarithm of zero


def untrained_emulator(grid: SSPGrid, config: Config) -> list[EmulatorSegment]:
    """Return the segments of the configured emulator with their first weights.

    The mean spectrum is that of the SSP table, so that magnitudes are of galaxies.

    Args:
        grid: SSP table.
        config: ``emulator``, ``training_set``, ``spectra``, ``parameters`` and ``seed`` count.

    Raises:
        InputError: a segment has fewer pixels than components.
    """
    settings = config.emulator
    has_screen = settings.target == "full"
    mixture = StellarMixture(grid, config.spectra, config.parameters["redshift"].high)
    drawn = draw_theta(config.parameters, 2, generator(config.seed, "untrained"))
    theta = Theta(*(column.double() for column in drawn))
    n_inputs = INPUTS[settings.inputs](mixture, has_screen)(theta, mixture).shape[1]
    return [
        {
            "segment": index,
            "emulator": to_json(settings),
            "spectra": to_json(config.spectra),
            "parameters": to_json(config.parameters),
            "seed": config.seed,
            "edges": torch.as_tensor(edges),
            "network": _network(grid, edges, (n_inputs, n_components), config).state_dict(),
        }
        for index, (edges, n_components) in enumerate(
            zip(
                segment_edges(grid, config.training_set, settings),
                settings.n_components,
                strict=True,
            )
        )
    ]


def _network(
    grid: SSPGrid, edges: np.ndarray, shape: tuple[int, int], config: Config
) -> SegmentNetwork:
    n_inputs, n_components = shape
    n_pixels = len(edges) - 1
    stream = generator(config.seed, "untrained", n_components, n_pixels)
    network = SegmentNetwork(
        n_inputs, n_components, n_pixels, config.emulator.n_hidden, config.emulator.n_layers
    )
    network.initialise(stream)
    light = grid.ssp_flux.reshape(-1, len(grid.ssp_wave)).mean(0)
    wave = np.exp(0.5 * (edges[1:] + edges[:-1]))
    mean = np.log10(np.interp(wave, grid.ssp_wave, np.maximum(light, FAINT * light.max())))
    network.mean.copy_(torch.as_tensor(mean))
    basis = torch.randn(n_components, n_pixels, generator=stream)
    network.components.copy_(torch.nn.functional.normalize(basis, dim=1))
    network.sigma.fill_(SPREAD)
    return network
