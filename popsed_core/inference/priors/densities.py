"""One-dimensional prior densities, each normalised over a parameter's range.

Every density has ``log_density`` (torch, differentiable) and ``quantile`` (numpy, to draw from
it).  Both take theta's columns, for a density that depends on another parameter.
"""

import math
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.checks import check_prior
from popsed_core.config.parameters import (
    ComovingVolume,
    FlatSimplex,
    LogUniform,
    ParameterConfig,
    Relation,
    Schechter,
    Tabulated,
    TruncatedNormal,
)
from popsed_core.config.spectra import CosmologyConfig
from popsed_core.coordinates import simplex_log_density
from popsed_core.inference.priors.normals import RelationDensity, TruncatedNormalDensity, Values
from popsed_core.parameters import SIMPLEX_POWER
from popsed_core.stellar.cosmology import comoving_volume_density
from popsed_core.theta import Column, Theta

N_NODES = 4097  # nodes of tabulated densities: cumulative errors below 1e-6
SMALLEST_SHARE = 1e-8  # [of the peak] floor of a tabulated density: KL stays finite at a zero edge

Table = Float[np.ndarray, "node"]


@runtime_checkable
class Density(Protocol):
    """A prior of one parameter, perhaps given others."""

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""


class UniformDensity(nn.Module):
    """p = 1 / (high - low)."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return torch.full_like(value, -math.log(self.high - self.low))

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        return self.low + (self.high - self.low) * share


class SimplexDensity(nn.Module):
    """p proportional to x^(power - 1): stick-breaking fractions flat on the simplex."""

    def __init__(self, low: float, high: float, power: int) -> None:
        super().__init__()
        self.low, self.high, self.power = low, high, power

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return simplex_log_density(value, self.low, self.high, self.power)

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        return self.low + (self.high - self.low) * share ** (1 / self.power)


class LogUniformDensity(nn.Module):
    """p proportional to 1 / (x + offset)."""

    def __init__(self, low: float, high: float, offset: float) -> None:
        super().__init__()
        self.low, self.offset = low, offset
        self.width = math.log((high + offset) / (low + offset))

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return -(value + self.offset).log() - math.log(self.width)

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        return (self.low + self.offset) * np.exp(self.width * share) - self.offset


class TabulatedDensity(nn.Module):
    """Density linear between nodes, normalised over the range.

    Args:
        nodes: increasing; they span the range.
        density: values at the nodes, in any unit.
    """

    nodes: Tensor
    density: Tensor

    def __init__(self, nodes: Table, density: Table) -> None:
        super().__init__()
        density = density / np.trapezoid(density, nodes)
        cumulative = np.cumsum(np.diff(nodes) * (density[1:] + density[:-1]) / 2)
        self.table = nodes, np.concatenate(([0.0], cumulative / cumulative[-1]))
        self.smallest = SMALLEST_SHARE * float(density.max())
        self.register_buffer("nodes", torch.from_numpy(nodes))
        self.register_buffer("density", torch.from_numpy(density))

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        right = torch.searchsorted(self.nodes, value.detach().to(self.nodes))
        right = right.clamp(1, len(self.nodes) - 1)
        x0, x1 = self.nodes[right - 1].to(value), self.nodes[right].to(value)
        y0, y1 = self.density[right - 1].to(value), self.density[right].to(value)
        density = y0 + (y1 - y0) * (value - x0) / (x1 - x0)
        return density.clamp(min=self.smallest).log()

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        return np.interp(share, self.table[1], self.table[0])


class SchechterDensity(TabulatedDensity):
    """Mass function per dex: sum of weight 10^((slope+1) d) exp(-10^d), d = log M - log knee.

    Source: Schechter 1976; Weigel et al. 2016, equation 3.  The table only normalises and draws.
    """

    def __init__(self, low: float, high: float, prior: Schechter) -> None:
        nodes = np.linspace(low, high, N_NODES)
        log_shape = schechter_log(torch.from_numpy(nodes), prior).numpy()
        shape = np.exp(log_shape - log_shape.max())
        super().__init__(nodes, shape)
        self.prior = prior
        self.log_total = float(log_shape.max() + np.log(np.trapezoid(shape, nodes)))

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return schechter_log(value, self.prior) - self.log_total


def schechter_log(value: Column, prior: Schechter) -> Column:
    """Return the log of the unnormalised mass function per dex."""
    above = value - prior.log_knee
    slope, weight = (above.new_tensor(item)[:, None] for item in (prior.slope, prior.weight))
    terms = weight.log() + (slope + 1) * math.log(10) * above
    return torch.logsumexp(terms, dim=0) - 10**above


def make_density(
    name: str, parameters: Mapping[str, ParameterConfig], cosmology: CosmologyConfig
) -> Density:
    """Return the prior density of one parameter.

    Args:
        name: the parameter.
        parameters: range and prior of it and of all others.
        cosmology: for the comoving volume.

    Raises:
        InputError: the prior does not fit the parameter or its range.
    """
    parameter = parameters[name]
    check_prior(name, parameter)
    low, high, prior = parameter.low, parameter.high, parameter.prior
    if isinstance(prior, FlatSimplex):
        return SimplexDensity(low, high, SIMPLEX_POWER[name])
    if isinstance(prior, TruncatedNormal):
        return TruncatedNormalDensity(low, high, prior)
    if isinstance(prior, Schechter):
        return SchechterDensity(low, high, prior)
    if isinstance(prior, Relation):
        other = parameters[prior.against]
        return RelationDensity(low, high, prior, (other.low, other.high))
    if isinstance(prior, LogUniform):
        return LogUniformDensity(low, high, prior.offset)
    if isinstance(prior, ComovingVolume):
        return _comoving_volume(low, high, prior, cosmology)
    if isinstance(prior, Tabulated):
        return _tabulated(low, high, prior)
    return UniformDensity(low, high)


def _comoving_volume(
    low: float, high: float, prior: ComovingVolume, cosmology: CosmologyConfig
) -> TabulatedDensity:
    # nodes in equal steps of the square root: the density is steep at its low end
    nodes = np.linspace(math.sqrt(low), math.sqrt(high), N_NODES) ** 2
    nodes[[0, -1]] = low, high
    density = comoving_volume_density(nodes, cosmology) * 10 ** (prior.evolution * nodes)
    return TabulatedDensity(nodes, density)


def _tabulated(low: float, high: float, prior: Tabulated) -> TabulatedDensity:
    x, density = np.array(prior.x), np.array(prior.density)
    inner = x[(x > low) & (x < high)]
    nodes = np.unique(np.concatenate((np.linspace(low, high, N_NODES), inner)))
    return TabulatedDensity(nodes, np.interp(nodes, x, density, left=0.0, right=0.0))
