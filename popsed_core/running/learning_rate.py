"""The one-cycle learning rate that every training uses (Smith 2017)."""

import math

from popsed_core.config.schedules import LearningRate


def one_cycle(progress: float, config: LearningRate) -> float:
    """Return the learning rate: cosine from start up to peak, then down to end."""
    if progress < config.rise:
        return _cosine(config.start, config.peak, progress / config.rise)
    return _cosine(config.peak, config.end, (progress - config.rise) / (1 - config.rise))


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2
