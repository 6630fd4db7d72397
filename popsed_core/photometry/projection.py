"""From rest-frame pixels to observed bands: a table of photon weights in ln(1 + redshift).

On a grid uniform in ln(wavelength) a redshift is a shift, so the weight of pixel k in band b at
shift s is the filter's integral over the shifted pixel,
P[s, k, b] = int_(pixel k + s) R_b dln(wave) / int R_b dln(wave).
The rows of P sum to 1: a flat source keeps its flux density in every band at every redshift.
A line of no width is one more pixel, behind the others, with weight R_b(line) / int R_b dln(wave).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.photometry.coverage import SHIFT_STEP
from popsed_core.photometry.filters import FilterCurve
from popsed_core.spectra.node_spectra import NO_LINES
from popsed_core.spectra.wavelength import log_integral


class Projection(nn.Module):
    """Photon-weighted band means of redshifted spectra."""

    def __init__(
        self,
        curves: Sequence[FilterCurve],
        edges: np.ndarray,
        max_redshift: float,
        line_wave: np.ndarray = NO_LINES,
    ) -> None:
        """Build the table.

        Args:
            curves: the filters.
            edges: pixel edges (pixel + 1,), as ln(AA).
            max_redshift: up to which it reaches.
            line_wave: of lines whose light follows that of the pixels (line,) [AA].
        """
        super().__init__()
        n_shifts = int(np.ceil(np.log1p(max_redshift) / SHIFT_STEP)) + 2
        shifts = SHIFT_STEP * np.arange(n_shifts)
        pixels = [_pixel_weights(curve, edges, shifts) for curve in curves]
        lines = [_line_weights(curve, np.log(line_wave), shifts) for curve in curves]
        table = np.concatenate([np.stack(pixels, axis=-1), np.stack(lines, axis=-1)], axis=1)
        self.register_buffer("table", torch.as_tensor(table), persistent=False)

    def forward(
        self, spectra: Float[Tensor, "galaxy pixel"], redshift: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy band"]:
        """Return each band's mean of the spectrum, in the spectrum's unit."""
        position = torch.log1p(redshift) / SHIFT_STEP
        row = position.detach().floor().long().clamp(0, len(self.table) - 2)
        share = (position - row)[:, None]
        low = torch.bmm(spectra[:, None, :], self.table[row])[:, 0]
        high = torch.bmm(spectra[:, None, :], self.table[row + 1])[:, 0]
        return low + share * (high - low)


def _pixel_weights(curve: FilterCurve, edges: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    at = edges[None, :] + shifts[:, None]
    integral = log_integral(curve.wave, curve.response, at.ravel()).reshape(at.shape)
    return np.diff(integral, axis=1) / _total(curve)


def _line_weights(curve: FilterCurve, lines: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    at = np.exp(lines[None, :] + shifts[:, None])
    return np.interp(at, curve.wave, curve.response, left=0.0, right=0.0) / _total(curve)


def _total(curve: FilterCurve) -> np.ndarray:
    return log_integral(curve.wave, curve.response, np.log(curve.wave[-1:]))
