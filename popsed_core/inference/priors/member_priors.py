"""The priors of members trained together, each with its own draw of the uncertain values."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.parameters import ParameterConfig
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.prior_draws import draw_parameters, is_uncertain
from popsed_core.inference.space import ParameterSpace
from popsed_core.inference.task import FitTask
from popsed_core.running.runtime import generator
from popsed_core.theta import Column, Theta, from_matrix, to_matrix


def member_parameters(task: FitTask) -> dict[str, ParameterConfig]:
    """Return the parameters with the member's own prior; for restarts, the central one."""
    if task.fit.members != "randomised":
        return task.parameters
    first, sign = task.pair
    stream = generator(task.seed, "fit", task.survey, first, "prior")
    return draw_parameters(task.parameters, stream, sign)


class MemberPriors(nn.Module):
    """One prior for all members, or one for each.

    Args:
        tasks: of the members; they differ only in their number.
    """

    def __init__(self, tasks: Sequence[FitTask]) -> None:
        super().__init__()
        first = tasks[0]
        is_one = first.fit.members != "randomised" or not is_uncertain(first.parameters)
        self.priors = nn.ModuleList(
            PopulationPrior(member_parameters(task), task.spectra.cosmology)
            for task in (tasks[:1] if is_one else tasks)
        )

    def excess(
        self,
        theta: Theta,
        u: Float[Tensor, "galaxy parameter"],
        log_density_u: Column,
        space: ParameterSpace,
    ) -> Column:
        """Return :meth:`PopulationPrior.excess` for draws of one member after the other.

        Args:
            theta: equally many draws of each member.
            u: the same draws, unconstrained.
            log_density_u: log q(u) of the draws.
            space: the map between them.
        """
        n = len(self.priors)
        parts = (item.chunk(n) for item in (to_matrix(theta), u, log_density_u))
        found = [
            prior.excess(from_matrix(matrix), *others, space)
            for prior, (matrix, *others) in zip(self.priors, zip(*parts, strict=True), strict=True)
        ]
        return torch.cat(found)
