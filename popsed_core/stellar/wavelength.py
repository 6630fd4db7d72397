"""Wavelength grids and exact integrals over ln(wavelength).

Photon counting makes ln(wavelength) the natural variable: the AB flux of a source is
int f_nu R dln(wave) / int R dln(wave), so a pixel that holds the mean of f_nu over its width in
ln(wave) loses nothing but the filter's change across the pixel.
"""

import numpy as np


def log_edges(low: float, high: float, n_pixels: int) -> np.ndarray:
    """Return the edges of ``n_pixels`` pixels uniform in ln(wavelength), as ln(AA)."""
    return np.linspace(np.log(low), np.log(high), n_pixels + 1)


def log_integral(wave: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Integrate a piecewise-linear function of wavelength over ln(wavelength), exactly.

    Args:
        wave: nodes, increasing (node,) [AA].
        values: function at the nodes (..., node); zero outside them.
        at: upper limits of the integral from the first node (limit,), as ln(AA).

    Returns:
        The integral up to each limit (..., limit).
    """
    slope = np.diff(values) / np.diff(wave)
    offset = values[..., :-1] - slope * wave[:-1]
    parts = offset * np.diff(np.log(wave)) + slope * np.diff(wave)
    total = np.concatenate([np.zeros_like(parts[..., :1]), np.cumsum(parts, axis=-1)], axis=-1)
    limit = np.clip(np.exp(at), wave[0], wave[-1])
    cell = np.clip(np.searchsorted(wave, limit, side="right") - 1, 0, len(wave) - 2)
    rest = offset[..., cell] * np.log(limit / wave[cell]) + slope[..., cell] * (limit - wave[cell])
    return total[..., cell] + rest


def rebin(wave: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the mean of each spectrum over ln-wavelength pixels.

    Args:
        wave: nodes (node,) [AA].
        values: spectra (..., node).
        edges: pixel edges (pixel + 1,), as ln(AA), within the nodes.

    Returns:
        Pixel means (..., pixel), in the unit of ``values``.

    Raises:
        ValueError: the pixels reach beyond the nodes.
    """
    if np.exp(edges[0]) < wave[0] * (1 - 1e-9) or np.exp(edges[-1]) > wave[-1] * (1 + 1e-9):
        raise ValueError(
            f"edges: {np.exp(edges[0]):.0f}-{np.exp(edges[-1]):.0f} AA reach beyond the spectra "
            f"({wave[0]:.0f}-{wave[-1]:.0f} AA)"
        )
    return np.diff(log_integral(wave, values, edges)) / np.diff(edges)
