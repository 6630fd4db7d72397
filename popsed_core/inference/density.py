"""The density of galaxies under an ensemble: the mean over its flows, in physical parameters.

    p(theta) = mean_k q_k(u(theta)) |du/dtheta|

The Jacobian is that of the coordinates alone: |du/dtheta| = c(theta) / N(u), with c the density
that a standard normal u gives theta.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.parameters import ParameterConfig
from popsed_core.inference.ensemble import load_flow
from popsed_core.inference.flow import log_normal
from popsed_core.inference.space import ParameterSpace
from popsed_core.inference.trained_member import TrainedMember
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta, to_matrix

# u of a parameter at the very end of its range, where it is infinite: beyond it lies a share of
# 1e-16 of the range
FARTHEST = 8.2


@torch.no_grad()
def log_density(
    members: Sequence[TrainedMember], parameters: Mapping[str, ParameterConfig], theta: Theta
) -> Float[Tensor, "galaxy"]:
    """Return ln p(theta), per unit of every parameter; minus infinity outside of their ranges.

    Args:
        members: the trained members, each of the same weight.
        parameters: the ranges and coordinates that they were trained with.
        theta: physical parameters, float64.
    """
    space, matrix = ParameterSpace(parameters), to_matrix(theta)
    ends = torch.tensor(
        [[parameters[name].low, parameters[name].high] for name in NAMES], dtype=matrix.dtype
    )
    is_inside = ((matrix >= ends[:, 0]) & (matrix <= ends[:, 1])).all(1)
    held = Theta(*matrix.clamp(ends[:, 0], ends[:, 1]).unbind(1))
    u = space.to_unconstrained(held).clamp(-FARTHEST, FARTHEST)
    of_flows = torch.stack([load_flow(dict(member)).double().log_prob(u) for member in members])
    mixed = torch.logsumexp(of_flows, 0) - math.log(len(members))
    jacobian = space.log_coordinate_density(held).sum(1) - log_normal(u)
    return torch.where(is_inside, mixed + jacobian, -math.inf)
