"""Draws from the prior of observed galaxies: prior(theta) S(theta), with S the selection.

Of the galaxies in a survey's volume a few in ten thousand are bright enough for its catalogue, so
that rejection would waste nearly every draw.  Instead many chains walk in the space in which the
prior is standard normal, u = Phi^-1(cumulative share), by u' = sqrt(1 - b^2) u + b xi, which
leaves the prior invariant; a step is accepted with probability min(1, S'/S) (the preconditioned
Crank-Nicolson walk, Cotter et al. 2013).  The chains start at prior draws resampled by S.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import NAMES
from popsed_core.theta import Column, Theta

N_PILOT = 100_000  # prior draws among which the chains' starts are chosen
CHUNK = 5_000  # draws per call of the selection
N_CHAINS = 1_000
N_BURN = 150  # steps before the first state is kept
N_THIN = 20  # steps between states that are kept
LOG_STEP = (-2.5, 0.0)  # natural log of the step size b: uniform between these
MOVED = 0.5  # probability with which a step moves a parameter

LogSelection = Callable[[Theta], Column]
Shares = Float[Tensor, "draw parameter"]


def sample_selected(
    prior: PopulationPrior, log_selection: LogSelection, n: int, generator: torch.Generator
) -> Theta:
    """Draw galaxies from the prior times the probability of their selection, in float64.

    Args:
        prior: of all galaxies.
        log_selection: log S of galaxies, at most 0 [nat].
        n: number of galaxies.
        generator: CPU stream.

    Raises:
        FloatingPointError: none of the prior's galaxies can be selected.
    """
    chains = min(n, N_CHAINS)
    u, log_s = _start(prior, log_selection, chains, generator)
    kept = []
    for step in range(N_BURN + N_THIN * (-(-n // chains) - 1) + 1):
        u, log_s = _walk(prior, log_selection, u, log_s, generator)
        if step >= N_BURN and (step - N_BURN) % N_THIN == 0:
            kept.append(u)
    return prior.from_cdf(torch.special.ndtr(torch.cat(kept)[:n]))


def _start(
    prior: PopulationPrior, log_selection: LogSelection, chains: int, generator: torch.Generator
) -> tuple[Shares, Column]:
    u = torch.randn(N_PILOT, len(NAMES), generator=generator, dtype=torch.float64)
    parts = [log_selection(_theta(prior, part)).double() for part in u.split(CHUNK)]
    log_s = torch.cat(parts)
    weight = (log_s - log_s.max()).exp()
    if not torch.isfinite(weight).all():
        raise FloatingPointError("prior: the selection has no finite probability at any draw")
    chosen = torch.multinomial(weight, chains, replacement=True, generator=generator)
    return u[chosen], log_s[chosen]


def _walk(
    prior: PopulationPrior,
    log_selection: LogSelection,
    u: Shares,
    log_s: Column,
    generator: torch.Generator,
) -> tuple[Shares, Column]:
    n, width = u.shape
    low, high = LOG_STEP
    size = (low + (high - low) * torch.rand(n, 1, generator=generator, dtype=u.dtype)).exp()
    is_moved = torch.rand(n, width, generator=generator, dtype=u.dtype) < MOVED
    noise = torch.randn(n, width, generator=generator, dtype=u.dtype)
    proposed = torch.where(is_moved, (1 - size.square()).clamp(min=0).sqrt() * u + size * noise, u)
    proposed_log_s = log_selection(_theta(prior, proposed)).double()
    threshold = torch.rand(n, generator=generator, dtype=u.dtype).clamp(min=math.ulp(0.0)).log()
    is_accepted: Bool[Tensor, draw] = threshold < proposed_log_s - log_s
    return (
        torch.where(is_accepted[:, None], proposed, u),
        torch.where(is_accepted, proposed_log_s, log_s),
    )


def _theta(prior: PopulationPrior, u: Shares) -> Theta:
    return Theta(*(column.float() for column in prior.from_cdf(torch.special.ndtr(u))))
