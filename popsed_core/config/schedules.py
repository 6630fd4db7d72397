"""Schedules of training: learning rate, prior weight, noise."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from popsed_core.config.base import STRICT, NonNegative, Positive


@dataclass(frozen=True, config=STRICT)
class LearningRate:
    """One-cycle learning rate of Adam."""

    start: Positive = 3e-4
    peak: Positive = 3e-3
    end: Positive = 3e-5
    rise: Annotated[float, Field(gt=0, lt=1, description="fraction of the run to the peak")] = 0.3


@dataclass(frozen=True, config=STRICT)
class PriorWeight:
    """beta(t) of beta KL(q || prior): geometric from start to end over `until`; 0 = the paper."""

    start: NonNegative = 0.05
    end: NonNegative = 0.005
    until: Annotated[float, Field(gt=0, le=1, description="fraction of the run")] = 0.6

    def __post_init__(self) -> None:
        if (self.start == 0) != (self.end == 0):
            raise ValueError("start and end must both be zero or both be positive")


@dataclass(frozen=True, config=STRICT)
class NoiseAnnealing:
    """R(t) = 1 + amplitude exp(-rate t): the noise is divided by R (paper, section 2.5)."""

    amplitude: NonNegative = 30.0
    rate: Positive = 12.0
