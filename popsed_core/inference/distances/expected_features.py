"""Expected features of a galaxy, exactly: no draws of its noise.

Features are cosines and sines of random projections of the observed magnitudes x.  The errors of
different bands are independent given the true magnitudes m, so that

    E[exp(i k.x) | m] = exp(i k.mu(m)) prod_b C_b(k_b; m_b),

with mu and C from the tables of ``expected_noise.py``.  Errors of the model that are correlated
between bands, with covariance Lambda, multiply this by exp(-k.Lambda.k / 2).
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from popsed_core.inference.distances.expected_noise import FIRST, STEP, NoiseTables
from popsed_core.photometry.noise import MIN_MAGGIES


class ExpectedFeatures(nn.Module):
    """E[cos(k.x - phase)], E[sin(k.x - phase)] given true fluxes; differentiable in them.

    Args:
        k: frequencies [1/mag].
        origin: magnitudes at which all phases are zero [mag].
        tables: of the survey's noise at these frequencies.
        damping: factor by which correlated errors of the model reduce each feature, at most 1.
    """

    k: Tensor
    origin: Tensor
    bias: Tensor
    response: Tensor
    damping: Tensor

    def __init__(
        self,
        k: Float[Tensor, "band frequency"],
        origin: Float[Tensor, "band"],
        tables: NoiseTables,
        damping: Float[Tensor, "frequency"],
    ) -> None:
        super().__init__()
        self.register_buffer("k", k.float())
        self.register_buffer("origin", origin.float())
        self.register_buffer("bias", tables.bias.float())
        # real and imaginary parts: gathered and interpolated together
        self.register_buffer("response", torch.view_as_real(tables.response).float())
        self.register_buffer("damping", damping.float())

    def of_data(self, mag: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy feature"]:
        """Return features of observed magnitudes [mag], whose expectation :meth:`forward` gives."""
        phase = (mag - self.origin.to(mag)) @ self.k.to(mag)
        return torch.cat([phase.cos(), phase.sin()], dim=1)

    def forward(self, maggies: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy feature"]:
        """Return expected features of galaxies of these true fluxes: cosines, then sines."""
        mag = -2.5 * torch.log10(maggies.clamp(min=MIN_MAGGIES))
        position = (mag - FIRST) / STEP
        last = self.bias.shape[1] - 1
        cell = position.detach().floor().long().clamp(0, last - 1)
        share = position - cell
        mean = mag + self._bias(cell, share)
        phase = (mean - self.origin) @ self.k
        product = torch.polar(self.damping.expand_as(phase), phase)
        for band, (own, part) in enumerate(zip(cell.T, share.clamp(0, 1).T, strict=True)):
            product = product * self._response(band, own, part)
        return torch.cat([product.real, product.imag], dim=1)

    def _bias(self, cell: Tensor, share: Tensor) -> Float[Tensor, "galaxy band"]:
        """Return E[x] - m; beyond the tables, the line through the last two nodes."""
        band = torch.arange(len(self.bias), device=cell.device)
        low, high = self.bias[band, cell], self.bias[band, cell + 1]
        return low + share * (high - low)

    def _response(
        self, band: int, cell: Tensor, share: Tensor
    ) -> Complex[Tensor, "galaxy frequency"]:
        low = self.response[band].index_select(0, cell)
        step = self.response[band].index_select(0, cell + 1) - low
        return torch.view_as_complex(torch.addcmul(low, share[:, None, None], step))
