"""Inputs of the emulator's networks.

``literal`` are the parameters of the paper.  ``physical`` adds what the light follows more simply:
the age of the galaxy, the burst as it is (never older than the galaxy), the shares of the bases,
interpolation weights in metallicity, and logarithms of the mass weighted by generic fading laws.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.sfh import hat_weights, simplex_fractions
from popsed_core.theta import Theta

FADING_SLOPES = (0.25, 0.5, 0.75, 1.0, 1.5)  # luminosity of a population as age^-slope
YOUNGER_THAN = (6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5)  # [dex yr] of the mass counted as young
YOUNGER_WIDTH = 0.1  # [dex] over which such a count ends
FADING_START = 6.0  # [dex yr] nothing fades before
FADING_PIVOT = 7.0  # [dex yr] age of unit weight
SMALLEST_SHARE = 1e-6  # [-] of the mass, below which it does not affect the light


class LiteralInputs(nn.Module):
    """The paper's: kappa, burst, metallicity, dust and redshift as they are."""

    def __init__(self, mixture: StellarMixture, has_screen: bool) -> None:
        super().__init__()
        self.has_screen = has_screen

    def forward(self, theta: Theta, mixture: StellarMixture) -> Float[Tensor, "galaxy input"]:
        """Return the inputs, not yet normalised."""
        columns = [
            theta.redshift, theta.kappa_1, theta.kappa_2, theta.kappa_3, theta.t_burst,
            theta.f_burst, theta.logzsol, theta.tau_bc,
        ]  # fmt: skip
        return torch.stack(columns + _screen(theta, self.has_screen), dim=1)


class PhysicalInputs(nn.Module):
    """Ours: quantities on which the light depends smoothly."""

    def __init__(self, mixture: StellarMixture, has_screen: bool) -> None:
        super().__init__()
        self.has_screen = has_screen
        log_age = mixture.log_age.clamp(min=FADING_START)
        fading = [10 ** (-slope * (log_age - FADING_PIVOT)) for slope in FADING_SLOPES]
        young = [torch.sigmoid((age - log_age) / YOUNGER_WIDTH) for age in YOUNGER_THAN]
        self.register_buffer("laws", torch.stack(fading + young, dim=1), persistent=False)

    def forward(self, theta: Theta, mixture: StellarMixture) -> Float[Tensor, "galaxy input"]:
        """Return the inputs, not yet normalised."""
        age = mixture.cosmology.age_gyr(theta.redshift)
        burst = mixture.burst(theta, age)
        masses = simplex_fractions(theta) * mixture.star_formation.histories.cumulative(age)[0]
        smooth, bursty = mixture.shares(theta)
        columns = [
            theta.kappa_1, theta.kappa_2, theta.kappa_3, burst.share, theta.logzsol, theta.tau_bc,
            age, torch.log10(burst.age),
        ]  # fmt: skip
        parts = [
            torch.stack(columns + _screen(theta, self.has_screen), dim=1),
            masses / masses.sum(1, keepdim=True),
            hat_weights(mixture.logzsol, theta.logzsol),
            torch.log10((smooth + bursty) @ self.laws + SMALLEST_SHARE),
        ]
        return torch.cat(parts, dim=1)


INPUTS = {"literal": LiteralInputs, "physical": PhysicalInputs}


def _screen(theta: Theta, has_screen: bool) -> list[Tensor]:
    return [theta.dust_index, theta.tau_ism] if has_screen else []
