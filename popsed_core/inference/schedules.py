"""Schedules, as pure functions of the progress t of a run in [0, 1]."""

import math
from collections.abc import Sequence

from popsed_core.config.schedules import NoiseAnnealing, PriorWeight


def noise_reduction(progress: float, config: NoiseAnnealing) -> float:
    """Return R(t) = 1 + amplitude exp(-rate t), by which the noise is divided.

    Source: Li et al. 2023, section 2.5.
    """
    return 1 + config.amplitude * math.exp(-config.rate * progress)


def prior_weight(progress: float, config: PriorWeight) -> float:
    """Return beta(t): geometric from start to end until ``until``, constant after; 0 stays 0."""
    if config.start == 0:
        return 0.0
    return config.start * (config.end / config.start) ** min(progress / config.until, 1.0)


def blur(progress: float, steps: Sequence[tuple[float, float]]) -> float:
    """Return the blur of the step in progress; before the first, that of the first.

    Args:
        progress: fraction of the run.
        steps: (fraction of the run at which it begins, blur) in any order.
    """
    begun = [step for step in steps if step[0] <= progress]
    return max(begun)[1] if begun else min(steps)[1]
