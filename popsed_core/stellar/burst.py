"""The burst: a share of the mass formed at once, and its treatment if older than the galaxy.

Each variant turns (t_burst, f_burst, age of the galaxy) into the burst's mass share, its age and
the mass share left to the smooth history.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.stellar.sfh import EDGE_STEP, FIRST_EDGE
from popsed_core.theta import Theta

SHARPNESS = 8  # ASSUME: how sharply the burst's age is limited to the galaxy's


class Burst(NamedTuple):
    """Mass shares and age of the burst."""

    share: Float[Tensor, "galaxy"]
    age: Float[Tensor, "galaxy"]  # [Gyr]
    smooth_share: Float[Tensor, "galaxy"]


class ContinuousBurst(nn.Module):
    """Ours: no burst precedes its galaxy, no mass is lost, and everything is smooth.

    The burst's age is t_burst (1 + (t_burst / age)^8)^(-1/8): below the age of the galaxy always,
    equal to t_burst within 5e-4 below half of it, with finite derivatives everywhere.  The
    young part of a burst sits in birth clouds like any other young stars.
    """

    is_in_birth_cloud = True

    def forward(self, theta: Theta, age: Float[Tensor, "galaxy"]) -> Burst:
        """Return the burst of each galaxy; ``age`` in Gyr."""
        ratio = theta.t_burst / age
        held = theta.t_burst * (1 + ratio**SHARPNESS) ** (-1 / SHARPNESS)
        return Burst(theta.f_burst, held, 1 - theta.f_burst)


class ReleasedBurst(nn.Module):
    """The released code: a burst that is too old loses its light and its mass.

    "Too old" is older than the mid-point of the last 0.1 dex time bin, because the code compares
    with the loop's last age instead of the galaxy's.  The burst never sees birth clouds.
    """

    is_in_birth_cloud = False

    def forward(self, theta: Theta, age: Float[Tensor, "galaxy"]) -> Burst:
        """Return the burst of each galaxy; ``age`` in Gyr."""
        steps = torch.floor((torch.log10(age) + 9 - FIRST_EDGE) / EDGE_STEP)
        last_edge = 10 ** (FIRST_EDGE + EDGE_STEP * steps - 9)
        is_seen = theta.t_burst < 0.5 * (last_edge + age)
        share = torch.where(is_seen, theta.f_burst, torch.zeros_like(theta.f_burst))
        return Burst(share, torch.minimum(theta.t_burst, age), 1 - theta.f_burst)
