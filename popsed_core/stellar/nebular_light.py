"""Nebular light on the pixels of the photometry: a continuum, and lines of zero width.

The strongest lines keep their wavelengths: each is an extra pixel after the others, which
dust and filters treat at the wavelength of the line.  The column of a line with
luminosity L holds int L_nu dln(wave) = L wave / c.  The faint rest is put into the continuum, each
line on its two nearest pixels such that flux and mean ln(wave) stay.
"""

import numpy as np

from popsed_core.constants import SPEED_OF_LIGHT
from popsed_core.stellar.node_spectra import NodeTable
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import rebin

STRONG = 0.02  # [ln wave] equivalent width; weaker lines are off by < 0.1 mmag on pixels
LOOSER = 5.0  # tolerance of gas over that of stars
NARROW = 0.02  # [ln wave] width of the narrowest bands for which lines are that accurate


def nebular_table(
    grid: SSPGrid, edges: np.ndarray, log_unit: float, tolerance: float | None
) -> tuple[NodeTable, np.ndarray]:
    """Return the light of gas on pixels and lines.

    Args:
        grid: the SSP table, which has gas.
        edges: edges of pixels of equal width (pixel + 1,), as ln(AA).
        log_unit: of the spectra [dex(Lsun / Hz / Msun)].
        tolerance: of the factorised table of stars; None for plain tables.

    Returns:
        The table (metallicity, young, pixel + line), precise relative to the light of stars and
        gas together, and the wavelengths of its lines (line,) [AA].
    """
    unit = 10**log_unit
    stars, continuum = (
        np.stack([rebin(grid.ssp_wave, part.astype(float), edges) for part in table]) / unit
        for table in (grid.ssp_flux[:, : grid.n_young], grid.nebular_continuum)
    )
    position = (np.log(grid.line_wave) - edges[0]) / (edges[1] - edges[0])
    is_seen = (position > 0) & (position < len(edges) - 1)
    lines = grid.line_luminosity.astype(float) * grid.line_wave / SPEED_OF_LIGHT / unit
    lines, position, wave = lines[..., is_seen], position[is_seen], grid.line_wave[is_seen]
    whole = stars + continuum
    behind = whole[..., position.astype(int)]
    is_exact = _widths(lines, behind) > STRONG
    rest = _on_pixels(position[~is_exact], len(edges) - 1) / (edges[1] - edges[0])
    flux = np.concatenate([continuum + lines[..., ~is_exact] @ rest, lines[..., is_exact]], axis=-1)
    like = np.concatenate([whole, NARROW * behind[..., is_exact]], axis=-1)
    looser = None if tolerance is None else LOOSER * tolerance
    return NodeTable(flux, looser, like, is_gas=True), wave[is_exact]


def _widths(lines: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Return the largest equivalent width of each line over all nodes, in ln(wave)."""
    return (lines / np.where(behind > 0, behind, np.inf)).max(axis=(0, 1))


def _on_pixels(position: np.ndarray, n_pixels: int) -> np.ndarray:
    """Return the shares (line, pixel) of lines at fractional pixels from the first edge."""
    low = np.floor(position - 0.5).astype(int).clip(0, n_pixels - 2)
    share = (position - 0.5 - low).clip(0, 1)  # in the outer half of an end pixel: all in there
    table = np.zeros((len(position), n_pixels))
    lines = np.arange(len(position))
    table[lines, low] = 1 - share
    table[lines, low + 1] = share
    return table
