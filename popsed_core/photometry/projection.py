"""From rest-frame pixels to observed bands: a table of photon weights in ln(1 + redshift).

On a grid uniform in ln(wavelength) a redshift is a shift, so the weight of pixel k in band b at
shift s is the filter's integral over the shifted pixel,
P[s, k, b] = int_(pixel k + s) R_b dln(wave) / int R_b dln(wave).
The rows of P sum to 1: a flat source keeps its flux density in every band at every redshift.

Intergalactic absorption adds no cost: each row has a fixed redshift, and the mean of R_b times
the transmission replaces that of R_b.  Such rows sum to less than 1.
A line of zero width is an extra pixel at the end, with weight R_b(line) / int R_b dln(wave).
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.photometry.coverage import SHIFT_STEP
from popsed_core.photometry.filters import FilterCurve
from popsed_core.photometry.igm import JUMPS, LYMAN_ALPHA, transmission_at_rest
from popsed_core.stellar.node_spectra import NO_LINES
from popsed_core.stellar.wavelength import log_integral

LINE_HALVES = (-3e-4, 3e-4)  # [-] either side of a line, in which half of its light is
N_PARTS = 8  # of a pixel in which light is absorbed; more change nothing measurable


class Projection(nn.Module):
    """Photon-weighted band means of redshifted spectra."""

    def __init__(
        self,
        curves: Sequence[FilterCurve],
        edges: np.ndarray,
        max_redshift: float,
        *,
        line_wave: np.ndarray = NO_LINES,
        igm: str = "none",
    ) -> None:
        """Build the table.

        Args:
            curves: the filters.
            edges: pixel edges (pixel + 1,), as ln(AA), rest frame.
            max_redshift: of the table.
            line_wave: of lines whose light follows that of the pixels (line,) [AA].
            igm: ``inoue14``, or ``none`` for empty space.
        """
        super().__init__()
        n_shifts = int(np.ceil(np.log1p(max_redshift) / SHIFT_STEP)) + 2
        shifts = SHIFT_STEP * np.arange(n_shifts)
        pixels = np.stack([_pixel_weights(curve, edges, shifts) for curve in curves], axis=-1)
        lines = np.stack([_line_weights(curve, line_wave, shifts) for curve in curves], axis=-1)
        if igm == "inoue14":
            _absorb(pixels, curves, edges, shifts)
            lines *= _line_transmission(line_wave, shifts)[..., None]
        table = np.concatenate([pixels, lines], axis=1)
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


def _line_weights(curve: FilterCurve, line_wave: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    at = line_wave * np.exp(shifts[:, None])
    return np.interp(at, curve.wave, curve.response, left=0.0, right=0.0) / _total(curve)


def _total(curve: FilterCurve) -> np.ndarray:
    return log_integral(curve.wave, curve.response, np.log(curve.wave[-1:]))


def _line_transmission(line_wave: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return the mean transmission just blueward and redward: it jumps at Lyman lines."""
    ends = [transmission_at_rest(line_wave * (1 + way), np.exp(shifts)) for way in LINE_HALVES]
    return sum(ends) / len(ends)


def _absorb(
    table: np.ndarray, curves: Sequence[FilterCurve], edges: np.ndarray, shifts: np.ndarray
) -> None:
    """Put the absorbed weights of the pixels that reach below Lyman alpha into the table."""
    n_absorbed = min(int(np.searchsorted(edges, np.log(LYMAN_ALPHA))), len(edges) - 1)
    if n_absorbed == 0:
        return
    coarse = edges[: n_absorbed + 1]
    parts = np.interp(np.arange(n_absorbed * N_PARTS) / N_PARTS, np.arange(len(coarse)), coarse)
    jumps = JUMPS[slice(*np.searchsorted(JUMPS, np.exp(coarse[[0, -1]])))]
    fine = np.unique(np.concatenate([coarse, parts, np.log(jumps)]))
    share = transmission_at_rest(np.exp(0.5 * (fine[1:] + fine[:-1])), np.exp(shifts))
    first = np.searchsorted(fine, coarse[:-1])
    for band, curve in enumerate(curves):
        weights = _pixel_weights(curve, fine, shifts) * share
        table[:, :n_absorbed, band] = np.add.reduceat(weights, first, axis=1)
