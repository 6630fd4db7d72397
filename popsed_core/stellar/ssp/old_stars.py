"""A correction of the light of old stars, smooth in rest wavelength.

Spectral libraries make red galaxies too red in g - r and too blue in r - i (Maraston et al. 2009).
Surveys with spectroscopic redshifts separate such an error, one of rest wavelength, from the
zero point of a band (docs/real_surveys.md).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from popsed_core.stellar.ssp.grid import SSPGrid

BEGINS, HOLDS = -0.15, 0.15  # [dex Gyr] ages: none up to the first, in full from the second


def offset_old_stars(grid: SSPGrid, offsets: Sequence[tuple[float, float]]) -> SSPGrid:
    """Return the table with the light of its old stars changed, gas and young stars unchanged.

    Args:
        grid: the SSP table.
        offsets: rest-frame wavelengths, increasing [AA], each with its offset, positive: fainter
            [mag]; linear in ln(wavelength) between them and the same beyond the first and the
            last; empty: none.
    """
    if not offsets:
        return grid
    wave, mag = zip(*offsets, strict=True)
    share = np.clip((grid.ssp_lg_age_gyr - BEGINS) / (HOLDS - BEGINS), 0.0, 1.0)
    offset = np.interp(np.log(grid.ssp_wave), np.log(wave), mag)
    factor = 10 ** (-0.4 * share[:, None] * offset)
    return replace(grid, ssp_flux=(grid.ssp_flux * factor).astype(grid.ssp_flux.dtype))
