"""Parameters that differ between star-forming and quiescent galaxies: a mixture of two products.

Given mass and redshift a share f of galaxies is quiescent, and

    p(kappa_2, kappa_3, kappa_1, logzsol, tau_ism, f_burst) = (1 - f) prod_k s_k + f prod_k q_k,

s_k and q_k the densities of parameter k in star-forming and in quiescent galaxies.

One parameter after the other, each is a mixture of its own two densities, weighted by how the
parameters before it divide galaxies into types.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Bool
from torch import nn

from popsed_core.config.checks import BY_TYPE, TYPE_KINDS
from popsed_core.config.parameters import Bursts, OlderStars, ParameterConfig, RelationByType
from popsed_core.config.spectra import CosmologyConfig
from popsed_core.inference.priors.normals import Values
from popsed_core.inference.priors.star_formation import (
    Both,
    BurstShares,
    Given,
    OlderShares,
    Rates,
    Relations,
)
from popsed_core.theta import Column, Theta

Mask = Bool[np.ndarray, "galaxy"]


class GalaxyTypes(nn.Module):
    """Prior of the parameters whose ``kind`` depends on galaxy type; ``names`` in drawing order.

    Args:
        parameters: range and prior of each parameter; kappa_1's is ``star_formation``.
        cosmology: for ages.
    """

    def __init__(
        self, parameters: Mapping[str, ParameterConfig], cosmology: CosmologyConfig
    ) -> None:
        super().__init__()
        self.names = tuple(name for name in BY_TYPE if parameters[name].prior.kind in TYPE_KINDS)
        self.boxes = {name: (parameters[name].low, parameters[name].high) for name in self.names}
        redshift, kappa_1 = parameters["redshift"], parameters["kappa_1"]
        mass = parameters["log_stellar_mass"]
        self.masses = mass.low, mass.high
        self.rates = Rates(
            kappa_1.low, kappa_1.high, kappa_1.prior, (redshift.low, redshift.high), cosmology
        )
        self.parts = nn.ModuleDict(
            {name: self._make(self.boxes[name], parameters[name].prior) for name in self.names}
        )

    def _make(self, box: tuple[float, float], prior: object) -> nn.Module:
        if isinstance(prior, OlderStars):
            return OlderShares(*box, prior)
        if isinstance(prior, RelationByType):
            return Relations(*box, prior, self.masses)
        if isinstance(prior, Bursts):
            return BurstShares(*box, prior)
        return self.rates

    def log_densities(self, theta: Theta) -> dict[str, Column]:
        """Return the log density of each parameter, given those before it."""
        given = theta._asdict()
        odds = self.rates.log_odds(given)
        both = nn.functional.logsigmoid(torch.stack([-odds, odds]))
        before, found = torch.zeros_like(odds), {}
        for name in self.names:
            both = both + self._log_densities(name, given)
            joint = both[0] + nn.functional.softplus(both[1] - both[0])
            found[name], before = joint - before, joint
        return found

    def _log_densities(self, name: str, given: Given) -> Both:
        part = self.parts[name]
        return part.log_densities(given[name], part.state(given))

    @torch.no_grad()
    def draw_types(self, share: Values, columns: Mapping[str, Values]) -> tuple[Mask, Values]:
        """Divide the share of the first parameter: its lowest part is of quiescent galaxies.

        Args:
            share: in (0, 1).
            columns: redshift and mass.

        Returns:
            Which galaxies are quiescent, and the share, stretched to (0, 1) within each type.
        """
        fraction = torch.sigmoid(self.rates.log_odds(_tensors(columns))).numpy()
        is_quiescent = share < fraction
        stretched = np.where(is_quiescent, share / fraction, (share - fraction) / (1 - fraction))
        return is_quiescent, stretched

    @torch.no_grad()
    def quantile(
        self, name: str, share: Values, columns: Mapping[str, Values], is_quiescent: Mask
    ) -> Values:
        """Return the values below which ``share`` of the galaxies of each one's type lie.

        Args:
            name: the parameter.
            share: in (0, 1).
            columns: the parameters before it.
            is_quiescent: each galaxy's type.
        """
        part, mask = self.parts[name], torch.from_numpy(is_quiescent)
        state = part.state(_tensors(columns))
        return part.quantile(torch.from_numpy(share), state, mask).numpy()


def _tensors(columns: Mapping[str, Values]) -> Given:
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in columns.items()}
