"""The cuts of a survey that apply to predicted galaxies: SNR and faint limits in its bands.

A result describes the galaxies of the survey.  Noise that is drawn so that galaxies pass the cuts
(``noise.py``) lifts a galaxy by a few sigma at most; fainter galaxies, and galaxies
with noise that is only kept positive, may still fail the cuts, which is tested here.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from popsed_core.surveys.catalogue import Catalogue


@dataclass(frozen=True)
class Limits:
    """Cuts in signal-to-noise ratio and magnitude.

    Attributes:
        bands: band names.
        min_snr: flux over error that every galaxy has in every band.
        max_mag: faint limit of each band, infinite for no limit; empty: none [mag].
    """

    bands: tuple[str, ...]
    min_snr: float
    max_mag: tuple[float, ...]

    def passed(
        self, mag: Float[Tensor, "galaxy band"], snr: Float[Tensor, "galaxy band"]
    ) -> Bool[Tensor, "galaxy"]:
        """Return which observed galaxies pass every cut.

        Args:
            mag: observed magnitudes [mag].
            snr: observed flux over its error.
        """
        faintest = torch.as_tensor(self.max_mag or [float("inf")] * len(self.bands)).to(mag)
        return ((mag < faintest) & (snr > self.min_snr)).all(dim=1)

    def __str__(self) -> str:
        """Name the cuts, such as ``SNR > 1, r < 17.77``."""
        faint = [
            f"{band} < {limit:g}"
            for band, limit in zip(self.bands, self.max_mag or (), strict=False)
            if limit != float("inf")
        ]
        return ", ".join([f"SNR > {self.min_snr:g}", *faint])


def limits_of(catalogue: Catalogue) -> Limits:
    """Return the cuts of a catalogue."""
    return Limits(catalogue.bands, catalogue.min_snr, catalogue.max_mag)
