"""f_lost, the share of ionising photons that make no nebular light, one number per member.

Dust in HII regions absorbs some, others escape; spectra alone do not say how many.  Like the
zero points the share is fitted with the flow, under a normal prior truncated at 0 and 1, and
each randomised member is anchored to a draw from it.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.fit import LostPhotonsConfig

EDGE = 1e-3  # keeps a start away from 0 and 1, where the logit is infinite


class LostPhotons(nn.Module):
    """A share in (0, 1), parametrised by its logit, and its prior."""

    def __init__(
        self, config: LostPhotonsConfig, generator: torch.Generator | None, sign: float = 1.0
    ) -> None:
        """Start at the anchor.

        Args:
            config: the prior.
            generator: CPU stream of the anchor; None: the prior's mean.
            sign: -1: on the other side of the prior's median than the stream says.
        """
        super().__init__()
        prior, self.sigma = _prior(config), config.sigma
        share = prior.mean()
        if generator is not None:
            drawn = torch.rand((), generator=generator, dtype=torch.float64).item()
            share = prior.ppf(drawn if sign > 0 else 1 - drawn)
        anchor = torch.tensor(share, dtype=torch.float32).clamp(EDGE, 1 - EDGE)
        self.register_buffer("anchor", anchor)
        self.logit = nn.Parameter(torch.logit(anchor))

    def forward(self) -> Float[Tensor, ""]:
        """Return the share."""
        return torch.sigmoid(self.logit)

    def cost(self) -> Float[Tensor, ""]:
        """Return -log p of the share, its prior centred on the anchor, up to a constant [nat]."""
        return 0.5 * ((self() - self.anchor) / self.sigma).square()


def typical_share(config: LostPhotonsConfig) -> float:
    """Return the mean of the prior."""
    return float(_prior(config).mean())


def _prior(config: LostPhotonsConfig) -> "scipy.stats._distn_infrastructure.rv_frozen":
    from scipy import stats  # half a second, only where there is nebular light

    ends = (-config.mean / config.sigma, (1 - config.mean) / config.sigma)
    return stats.truncnorm(*ends, loc=config.mean, scale=config.sigma)
