"""The paper's emulator untrained, for timings: same structure, random weights.

Five networks of five layers of 256 units predict the PCA coefficients of five wavelength
segments (80/50/50/50/50); the spectra are redshifted by interpolation of all pixels and
integrated through five filters with trapezoids (Li et al. 2023, appendix A; the order of work is
that of the released code).  Only its time is of use.
"""

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from popsed_core.photometry.filters import load_filter

# the FSPS MILES wavelengths: (from, to, step) [AA]
PIECES = ((1000, 3000, 10), (3000, 3600, 20), (3600, 7410, 0.9), (7410, 1e4, 20), (1e4, 6e4, 125))
SEGMENTS = ((1000, 2000, 80), (2000, 3600, 50), (3600, 5500, 50), (5500, 7410, 50), (7410, 6e4, 50))
N_INPUTS, N_HIDDEN, N_LAYERS = 10, 256, 5


class Activation(nn.Module):
    """a(x) = gamma x + (1 - gamma) x sigmoid(beta x), trainable per unit (Alsing et al. 2020)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.beta, self.gamma = nn.Parameter(torch.randn(n)), nn.Parameter(torch.randn(n))

    def forward(self, x: Tensor) -> Tensor:
        return (self.gamma + torch.sigmoid(self.beta * x) * (1 - self.gamma)) * x


def network(n_outputs: int) -> nn.Sequential:
    sizes = [N_INPUTS] + [N_HIDDEN] * N_LAYERS
    layers: list[nn.Module] = []
    for n_in, n_out in itertools.pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), Activation(n_out)]
    return nn.Sequential(*layers, nn.Linear(N_HIDDEN, n_outputs))


class EmulatorStructure(nn.Module):
    """Parameters (galaxy, 10) and redshift (galaxy,) to band fluxes (galaxy, band)."""

    def __init__(self, filters: tuple[str, ...]) -> None:
        super().__init__()
        wave = np.unique(np.concatenate([np.arange(a, b, step) for a, b, step in PIECES]))
        self.networks = nn.ModuleList(network(n) for *_, n in SEGMENTS)
        counts = [int(((wave >= a) & (wave < b)).sum()) for a, b, _ in SEGMENTS]
        self.bases = nn.ParameterList(
            0.01 * torch.randn(n, count) for (*_, n), count in zip(SEGMENTS, counts, strict=True)
        )
        curves = [load_filter(name) for name in filters]
        response = [np.interp(wave, c.wave, c.response, left=0, right=0) * wave for c in curves]
        weight = np.gradient(wave) * np.array(response)
        self.register_buffer("wave", torch.as_tensor(wave, dtype=torch.float32))
        self.register_buffer("weight", torch.as_tensor(weight, dtype=torch.float32))

    def forward(self, parameters: Tensor, redshift: Tensor) -> Tensor:
        parts = [net(parameters) @ b for net, b in zip(self.networks, self.bases, strict=True)]
        spectra = 10 ** torch.cat(parts, dim=1).clamp(-5, 5)
        rest = self.wave / (1 + redshift[:, None])
        cell = torch.searchsorted(self.wave, rest.detach().contiguous()).clamp(
            1, len(self.wave) - 1
        )
        low, high = self.wave[cell - 1], self.wave[cell]
        share = (rest - low) / (high - low)
        observed = torch.lerp(spectra.gather(1, cell - 1), spectra.gather(1, cell), share)
        return (observed[:, None, :] * self.weight).sum(2)
