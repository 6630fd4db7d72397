"""The population prior: the density of theta before the photometry is seen.

Photometry leaves directions of theta unconstrained; beta KL(q || prior) in the loss makes the
flow follow the prior there.  The divergence comes for free with the sampling pass:
KL = E_q[log q(u) - log N(u) - log w(theta)], with w the prior relative to the density that
theta has when u is standard normal.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.checks import check_types, drawing_order, parents
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import CosmologyConfig
from popsed_core.inference.flow import log_normal
from popsed_core.inference.priors.densities import make_density
from popsed_core.inference.priors.galaxy_types import GalaxyTypes
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.theta import Column, Theta


class PopulationPrior(nn.Module):
    """A product of one density per parameter, some given other parameters.

    Args:
        parameters: range and prior of each parameter.
        cosmology: for the comoving volume and ages.

    Raises:
        InputError: a prior does not fit its parameter, depends on an unknown one, or on itself.
    """

    def __init__(
        self, parameters: Mapping[str, ParameterConfig], cosmology: CosmologyConfig
    ) -> None:
        super().__init__()
        check_types(parameters)
        self.order = drawing_order(parents(parameters))
        has_types = parameters["kappa_1"].prior.kind == "star_formation"
        self.types = GalaxyTypes(parameters, cosmology) if has_types else None
        typed = () if self.types is None else self.types.names
        self.densities = nn.ModuleDict(
            {name: make_density(name, parameters, cosmology) for name in NAMES if name not in typed}
        )

    def log_density(self, theta: Theta) -> Column:
        """Return the log prior density of galaxies inside the box, normalised over the box."""
        return self.log_density_by_parameter(theta).sum(1)

    def log_density_by_parameter(self, theta: Theta) -> Float[Tensor, "galaxy parameter"]:
        """Return each parameter's log density; their sum is the joint one."""
        values = theta._asdict()
        columns = {} if self.types is None else self.types.log_densities(theta)
        for name, density in self.densities.items():
            columns[name] = density.log_density(values[name], theta)
        return torch.stack([columns[name] for name in NAMES], dim=1)

    def log_weight(self, theta: Theta, space: ParameterSpace) -> Column:
        """Return log w: the prior relative to uniform v, v = Phi(u)."""
        ratio = self.log_density_by_parameter(theta) - space.log_coordinate_density(theta)
        return ratio.sum(1)

    def log_density_ratio(
        self,
        theta: Theta,
        u: Float[Tensor, "galaxy parameter"],
        log_density_u: Column,
        space: ParameterSpace,
    ) -> Column:
        """Return log q - log prior at draws of q, whose mean estimates KL(q || prior) [nat].

        Args:
            theta: the draws; ``space.to_theta(u)``.
            u: the same draws, unconstrained.
            log_density_u: log q(u) of the draws.
            space: the map between them.
        """
        return log_density_u - log_normal(u) - self.log_weight(theta, space)

    def sample(self, n: int, generator: torch.Generator) -> Theta:
        """Draw galaxies from the prior by inverse cumulative distributions, in float64.

        Args:
            n: number of galaxies.
            generator: CPU stream.
        """
        return self.from_cdf(torch.rand(n, len(NAMES), generator=generator, dtype=torch.float64))

    def from_cdf(self, shares: Float[Tensor, "galaxy parameter"]) -> Theta:
        """Return the galaxies at these cumulative probabilities of the prior, in float64.

        Args:
            shares: cumulative probability of each parameter (given those that it depends on, and
                the galaxy's type), in (0, 1); uniform shares are draws from the prior.
        """
        values = dict(zip(NAMES, shares.numpy().T, strict=True))
        columns: dict[str, np.ndarray] = {}
        is_quiescent = np.zeros(len(shares), dtype=bool)
        for name in self.order:
            if self.types is None or name not in self.types.names:
                columns[name] = self.densities[name].quantile(values[name], columns)
                continue
            share = np.ascontiguousarray(values[name])
            if name == self.types.names[0]:
                is_quiescent, share = self.types.draw_types(share, columns)
            columns[name] = self.types.quantile(name, share, columns, is_quiescent)
        return Theta(*(torch.from_numpy(columns[name]) for name in NAMES))
