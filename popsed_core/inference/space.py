"""From the flow's unconstrained u to physical theta, one coordinate per parameter.

A standard normal u is uniform in the coordinates of all parameters (Li et al. 2023, section 2.4).
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.parameters import ParameterConfig
from popsed_core.coordinates import make_coordinate
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta


class ParameterSpace:
    """The bijection between u and theta, and the density of theta at the start of the flow."""

    def __init__(self, parameters: Mapping[str, ParameterConfig]) -> None:
        self.coordinates = tuple(make_coordinate(name, parameters[name]) for name in NAMES)

    def to_theta(self, u: Float[Tensor, "galaxy parameter"]) -> Theta:
        """Map unconstrained u, columns in the order of ``parameters.NAMES``, to theta."""
        pairs = zip(self.coordinates, u.unbind(1), strict=True)
        return Theta(*(coordinate.physical(column) for coordinate, column in pairs))

    def to_unconstrained(self, theta: Theta) -> Float[Tensor, "galaxy parameter"]:
        """Map theta back to u; infinite where a parameter is at the edge of its range."""
        pairs = zip(self.coordinates, theta, strict=True)
        return torch.stack([item.unconstrained(value) for item, value in pairs], dim=1)

    def log_coordinate_density(self, theta: Theta) -> Float[Tensor, "galaxy parameter"]:
        """Return the log density of each parameter when u ~ N(0, 1), that is v uniform.

        Units are the inverse of each parameter's unit.
        """
        pairs = zip(self.coordinates, theta, strict=True)
        return torch.stack([item.log_density(value) for item, value in pairs], dim=1)
