"""The priors of members trained together, each with its own draw of the uncertain values."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.randomisation import randomisation
from popsed_core.inference.space import ParameterSpace
from popsed_core.inference.task import FitTask
from popsed_core.theta import Column, Theta, from_matrix, to_matrix


class MemberPriors(nn.Module):
    """One prior for all members, or one for each.

    Args:
        tasks: of the members; they differ only in their number.
    """

    def __init__(self, tasks: Sequence[FitTask]) -> None:
        super().__init__()
        cosmology = tasks[0].spectra.cosmology
        drawn = [randomisation(task).parameters() for task in tasks]
        is_one = all(parameters == drawn[0] for parameters in drawn)
        self.priors = nn.ModuleList(
            PopulationPrior(parameters, cosmology)
            for parameters in (drawn[:1] if is_one else drawn)
        )

    def log_density_ratio(
        self,
        theta: Theta,
        u: Float[Tensor, "galaxy parameter"],
        log_density_u: Column,
        space: ParameterSpace,
    ) -> Column:
        """Return :meth:`PopulationPrior.log_density_ratio` for draws of one member after the other.

        Args:
            theta: equally many draws of each member.
            u: the same draws, unconstrained.
            log_density_u: log q(u) of the draws.
            space: the map between them.
        """
        n = len(self.priors)
        parts = (item.chunk(n) for item in (to_matrix(theta), u, log_density_u))
        found = [
            prior.log_density_ratio(from_matrix(matrix), *others, space)
            for prior, (matrix, *others) in zip(self.priors, zip(*parts, strict=True), strict=True)
        ]
        return torch.cat(found)
