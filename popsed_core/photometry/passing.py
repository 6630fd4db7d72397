"""The probability that a galaxy passes the catalogue's cuts, given its true fluxes.

Cuts are on noisy fluxes, independent between bands:

    P(pass | fluxes) = prod_b int Phi(flux_b / sigma_b - bound_b) p(sigma_b | flux_b) dsigma_b,

with the bound of ``noise.py`` in units of the error, and the errors scattered as its table says.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.photometry.noise import MAX_LIFT, NoiseModel

N_NODES = 7  # of the scatter of the errors (Gauss-Hermite)


def log_pass(noise: NoiseModel, maggies: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy"]:
    """Return the log probability of passing all cuts; 0 where the catalogue has none [nat].

    Args:
        noise: the survey's noise, which knows the cuts.
        maggies: true fluxes.
    """
    if not noise.is_cut:
        return maggies.new_zeros(len(maggies))
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    parts = [
        torch.special.log_ndtr(_reach(noise, maggies, node)) + math.log(weight / weights.sum())
        for node, weight in zip(nodes, weights, strict=True)
    ]
    return torch.stack(parts).logsumexp(0).sum(1)


def _reach(
    noise: NoiseModel, maggies: Float[Tensor, "galaxy band"], draw: float
) -> Float[Tensor, "galaxy band"]:
    """Return by how many of its errors a flux is above what passes.

    What lies further below than ``MAX_LIFT`` is held there, as the noise holds it: at a limit in
    magnitudes its errors would be thousands.  The smooth limits tell such galaxies apart.
    """
    sigma = noise.sigma(maggies, torch.full_like(maggies, draw))
    reach = maggies / sigma - (noise.least / sigma).clamp(min=noise.min_snr)
    return reach.clamp(min=-MAX_LIFT)
