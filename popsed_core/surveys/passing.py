"""The probability that a galaxy passes the catalogue's cuts, given its true fluxes.

Cuts are on noisy fluxes, independent between bands:

    P(pass | fluxes) = prod_b int Phi((flux_b - least_b) / s_b) p(sigma_b | flux_b) dsigma_b,

with the least flux that passes from ``noise.py``, the errors sigma scattered as its table says, and
s^2 = sigma^2 + the model's own error squared, which at a bright limit exceeds the noise.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import MAX_LIFT, NoiseModel

N_NODES = 7  # of the scatter of the errors (Gauss-Hermite)


def log_pass(
    noise: NoiseModel,
    maggies: Float[Tensor, "galaxy band"],
    model_error: float | Float[Tensor, "band"] = 0.0,
) -> Float[Tensor, "galaxy"]:
    """Return the log probability of passing all cuts; 0 where the catalogue has none [nat].

    Args:
        noise: the survey's noise, which includes the cuts.
        maggies: true fluxes.
        model_error: of the model in each band [mag].
    """
    if not noise.is_cut:
        return maggies.new_zeros(len(maggies))
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    own = maggies * model_error / MAG_PER_LN
    parts = [
        torch.special.log_ndtr(_reach(noise, maggies, own, node)) + math.log(weight)
        for node, weight in zip(nodes, weights / weights.sum(), strict=True)
    ]
    return torch.stack(parts).logsumexp(0).sum(1)


def _reach(
    noise: NoiseModel,
    maggies: Float[Tensor, "galaxy band"],
    own: Float[Tensor, "galaxy band"],
    draw: float,
) -> Float[Tensor, "galaxy band"]:
    """Return by how many errors, including the model's, a flux is above the least that passes.

    Values further below than ``MAX_LIFT`` are set to it, as in the noise: at a limit in
    magnitudes they would be thousands of errors.  The smooth limits distinguish such galaxies.
    """
    sigma = noise.sigma(maggies, torch.full_like(maggies, draw))
    snr = maggies / sigma - (noise.least / sigma).clamp(min=noise.min_snr)
    return (snr / (1 + (own / sigma).square()).sqrt()).clamp(min=-MAX_LIFT)
