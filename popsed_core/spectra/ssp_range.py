"""What the SSP readers share: the part of a wavelength table that the model needs."""

from pathlib import Path

import numpy as np

from popsed_core.errors import InputError


def trim(wave: np.ndarray, wave_range: tuple[float, float], path: str | Path) -> slice:
    """Return the pixels within ``wave_range`` and, where there is one, the next beyond each end.

    The extra pixels let an integral over the range interpolate up to its very ends.

    Args:
        wave: increasing wavelengths of the table [AA].
        wave_range: lowest and highest wavelength needed [AA].
        path: the table, for the message.

    Raises:
        InputError: the table does not cover the range.
    """
    low, high = wave_range
    if not wave[0] <= low < high <= wave[-1]:
        raise InputError(
            f"{path}: covers {wave[0]:g} to {wave[-1]:g} AA, but ssp.wave_low = {low:g} and "
            f"ssp.wave_high = {high:g}; choose limits inside the table"
        )
    first = max(int(np.searchsorted(wave, low, side="left")) - 1, 0)
    last = min(int(np.searchsorted(wave, high, side="right")), wave.size - 1)
    return slice(first, last + 1)
