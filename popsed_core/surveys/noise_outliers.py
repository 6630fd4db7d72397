"""Errors that cannot be right: a notable share of them means that a column is damaged."""

import numpy as np
import torch

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_intrinsic import IMPLAUSIBLE

NOTABLE = 0.005  # share of a band's errors that is worth a warning


def implausible_errors(noise: NoiseTable, catalogue: Catalogue) -> dict[str, float]:
    """Return by band the share of errors ten times off the median at their magnitude.

    Raises:
        ValueError: the bands differ.
    """
    if noise.bands != catalogue.bands:
        raise ValueError(f"bands: noise has {noise.bands}, catalogue {catalogue.bands}")
    maggies = torch.as_tensor(catalogue.maggies, dtype=torch.float64)
    typical = NoiseModel(noise).double().sigma(maggies, torch.zeros_like(maggies)).numpy()
    error = catalogue.mag_error * catalogue.maggies / MAG_PER_LN
    is_wrong = np.abs(np.log10(error / typical)) > IMPLAUSIBLE
    return dict(zip(noise.bands, is_wrong.mean(axis=0).tolist(), strict=True))


def noise_warnings(noise: NoiseTable, catalogue: Catalogue) -> list[str]:
    """Return a sentence for each band with a notable share of such errors."""
    return [
        f"band {band}: {100 * share:.2g} % of the errors are more than ten times larger or smaller "
        "than others at their magnitude; check the column, or cut such rows"
        for band, share in implausible_errors(noise, catalogue).items()
        if share > NOTABLE
    ]
