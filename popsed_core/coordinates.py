"""How one parameter fills its range: from unconstrained u through the Gaussian CDF.

v = Phi(u) is uniform in (0, 1) when u is standard normal; each parameter then has a coordinate
that spreads v over its range [low, high]: linear, logarithmic, or the power that makes the
stick-breaking fractions flat on the simplex (Betancourt 2012; Li et al. 2023, section 2.4).
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from popsed_core.parameters import SIMPLEX_POWER
from popsed_core.theta import Column

SMALLEST_FRACTION = (
    1e-30  # [-] floor of log(fraction): its inverse squared fits no float32, it does
)


@runtime_checkable
class Box(Protocol):
    """A parameter's range, and the name of its coordinate."""

    @property
    def low(self) -> float:
        """Its lower end."""

    @property
    def high(self) -> float:
        """Its upper end."""

    @property
    def coordinate(self) -> str:
        """One of ``linear``, ``log``, ``flat_simplex``."""


@runtime_checkable
class Coordinate(Protocol):
    """How one parameter fills its range."""

    def physical(self, u: Column) -> Column:
        """Map u to the parameter."""

    def unconstrained(self, value: Column) -> Column:
        """Map the parameter back to u."""

    def log_density(self, value: Column) -> Column:
        """Return the log density of the parameter when u is standard normal."""


@dataclass(frozen=True)
class LinearCoordinate:
    """value = low + (high - low) v."""

    low: float
    high: float

    def physical(self, u: Column) -> Column:
        """Map u to the parameter; never outside the range, also after rounding."""
        return _between(self.low, self.high, torch.special.ndtr(u))

    def unconstrained(self, value: Column) -> Column:
        """Map the parameter back to u."""
        return torch.special.ndtri((value - self.low) / (self.high - self.low))

    def log_density(self, value: Column) -> Column:
        """Return the log density of the parameter when u is standard normal."""
        return torch.full_like(value, -math.log(self.high - self.low))


@dataclass(frozen=True)
class LogCoordinate:
    """value = low (high/low)^v."""

    low: float
    high: float

    def physical(self, u: Column) -> Column:
        """Map u to the parameter."""
        return _between(math.log(self.low), math.log(self.high), torch.special.ndtr(u)).exp()

    def unconstrained(self, value: Column) -> Column:
        """Map the parameter back to u."""
        return torch.special.ndtri((value / self.low).log() / math.log(self.high / self.low))

    def log_density(self, value: Column) -> Column:
        """Return the log density of the parameter when u is standard normal."""
        return -value.log() - math.log(math.log(self.high / self.low))


@dataclass(frozen=True)
class SimplexCoordinate:
    """Value = low + (high - low) v^(1/power): p(fraction) = power fraction^(power - 1)."""

    low: float
    high: float
    power: int

    def physical(self, u: Column) -> Column:
        """Map u to the parameter.

        The power is taken of log Phi(u): Phi(u)**(1/power) has an infinite float32 gradient
        for u <= -6.
        """
        return _between(self.low, self.high, (torch.special.log_ndtr(u) / self.power).exp())

    def unconstrained(self, value: Column) -> Column:
        """Map the parameter back to u."""
        fraction = (value - self.low) / (self.high - self.low)
        return torch.special.ndtri(fraction**self.power)

    def log_density(self, value: Column) -> Column:
        """Return the log density of the parameter when u is standard normal."""
        return simplex_log_density(value, self.low, self.high, self.power)


def simplex_log_density(value: Column, low: float, high: float, power: int) -> Column:
    """Return log p of one stick-breaking fraction when the fractions are flat on the simplex.

    p = power x^(power - 1) / (high - low), x = (value - low) / (high - low).
    """
    fraction = ((value - low) / (high - low)).clamp(min=SMALLEST_FRACTION)
    return (power - 1) * fraction.log() + math.log(power / (high - low))


def make_coordinate(name: str, config: Box) -> Coordinate:
    """Return the coordinate that the configuration asks for."""
    if config.coordinate == "flat_simplex":
        return SimplexCoordinate(config.low, config.high, SIMPLEX_POWER[name])
    kind = {"linear": LinearCoordinate, "log": LogCoordinate}[config.coordinate]
    return kind(config.low, config.high)


def _between(low: float, high: float, fraction: Column) -> Column:
    ends = fraction.new_tensor([low, high])
    return torch.lerp(ends[0], ends[1], fraction)
