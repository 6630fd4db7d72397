"""The survey's faint limits as smooth probabilities, for the prior of observed galaxies.

Most galaxies in space are too faint for any catalogue, so a prior of volume and mass function
alone favours a population that keeps a few per cent of its draws far beyond the limits, where a
distance between samples is insensitive to them.  The selection probability prevents that:
log S = sum_b log sigmoid((limit_b - mag_b) / width), with limits read off the catalogue.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.fit import SelectionConfig
from popsed_core.surveys.catalogue import Catalogue


class Selection(nn.Module):
    """Smooth faint limits in every band."""

    def __init__(self, catalogue: Catalogue, config: SelectionConfig) -> None:
        """Read the limits.

        Args:
            catalogue: the observed galaxies.
            config: which quantile of each band's magnitudes is its limit, and the width.
        """
        super().__init__()
        limit = [np.quantile(band, config.quantile) for band in catalogue.mag.T]
        self.width = config.width
        self.register_buffer("limit", torch.as_tensor(limit, dtype=torch.float32))

    def forward(self, mag: Float[Tensor, "galaxy band"]) -> Float[Tensor, "galaxy"]:
        """Return the log probability of being selected; ``mag`` in magnitudes."""
        return nn.functional.logsigmoid((self.limit - mag) / self.width).sum(1)
