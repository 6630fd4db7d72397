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
from scipy import stats
from torch import Tensor, nn

from popsed_core import config
from popsed_core.config import CosmologyConfig, ParameterConfig
from popsed_core.config_checks import check_prior
from popsed_core.coordinates import simplex_log_density
from popsed_core.parameters import SIMPLEX_POWER
from popsed_core.spectra.cosmology import comoving_volume_density
from popsed_core.theta import Column, Theta

N_NODES = 4097  # nodes of tabulated densities: cumulative errors below 1e-6
SMALLEST_SHARE = 1e-8  # [of the peak] floor of a tabulated density: KL stays finite at a zero edge

Values = Float[np.ndarray, "galaxy"]
Table = Float[np.ndarray, "node"]


@runtime_checkable
class Density(Protocol):
    """A prior of one parameter, perhaps given another one."""

    against: str | None

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""


class UniformDensity(nn.Module):
    """p = 1 / (high - low)."""

    against = None

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

    against = None

    def __init__(self, low: float, high: float, power: int) -> None:
        super().__init__()
        self.low, self.high, self.power = low, high, power

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return simplex_log_density(value, self.low, self.high, self.power)

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        return self.low + (self.high - self.low) * share ** (1 / self.power)


class TruncatedNormalDensity(nn.Module):
    """Normal inside the range; its mean may be linear in another parameter.

    It is normalised over the range for every value of the other parameter.
    """

    def __init__(self, low: float, high: float, prior: config.TruncatedNormal) -> None:
        super().__init__()
        self.low, self.high, self.prior = low, high, prior
        self.against = prior.against

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        sigma = self.prior.sigma
        mean = torch.full_like(value, self.prior.mean)
        if self.against is not None:
            mean = mean + self.prior.slope * (getattr(theta, self.against) - self.prior.pivot)
        share = log_normal_between((self.low - mean) / sigma, (self.high - mean) / sigma)
        scaled = (value - mean) / sigma
        return -0.5 * scaled.square() - math.log(sigma * math.sqrt(2 * math.pi)) - share

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        mean, sigma = np.full_like(share, self.prior.mean), self.prior.sigma
        if self.against is not None:
            mean += self.prior.slope * (columns[self.against] - self.prior.pivot)
        ends = (self.low - mean) / sigma, (self.high - mean) / sigma
        return stats.truncnorm.ppf(share, *ends, loc=mean, scale=sigma)


def log_normal_between(low: Column, high: Column) -> Column:
    """Return log(Phi(high) - Phi(low)), also far in either tail."""
    is_right = low > 0  # mirrored to the left tail, where log Phi keeps its digits
    left = torch.where(is_right, -high, low)
    right = torch.where(is_right, -low, high)
    upper = torch.special.log_ndtr(right)
    return upper + torch.log(-torch.expm1(torch.special.log_ndtr(left) - upper))


class TabulatedDensity(nn.Module):
    """Density linear between nodes, normalised over the range.

    Args:
        nodes: increasing; they span the range.
        density: values at the nodes, in any unit.
    """

    against = None
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

    def __init__(self, low: float, high: float, prior: config.Schechter) -> None:
        nodes = np.linspace(low, high, N_NODES)
        log_shape = schechter_log(torch.from_numpy(nodes), prior).numpy()
        shape = np.exp(log_shape - log_shape.max())
        super().__init__(nodes, shape)
        self.prior = prior
        self.log_total = float(log_shape.max() + np.log(np.trapezoid(shape, nodes)))

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        return schechter_log(value, self.prior) - self.log_total


def schechter_log(value: Column, prior: config.Schechter) -> Column:
    """Return the log of the unnormalised mass function per dex."""
    above = value - prior.log_knee
    slope, weight = (above.new_tensor(item)[:, None] for item in (prior.slope, prior.weight))
    terms = weight.log() + (slope + 1) * math.log(10) * above
    return torch.logsumexp(terms, dim=0) - 10**above


def make_density(name: str, parameter: ParameterConfig, cosmology: CosmologyConfig) -> Density:
    """Return the prior density of one parameter.

    Raises:
        InputError: the prior does not fit the parameter or its range.
    """
    check_prior(name, parameter)
    low, high, prior = parameter.low, parameter.high, parameter.prior
    if isinstance(prior, config.FlatSimplex):
        return SimplexDensity(low, high, SIMPLEX_POWER[name])
    if isinstance(prior, config.TruncatedNormal):
        return TruncatedNormalDensity(low, high, prior)
    if isinstance(prior, config.Schechter):
        return SchechterDensity(low, high, prior)
    if isinstance(prior, config.ComovingVolume):
        return _comoving_volume(low, high, cosmology)
    if isinstance(prior, config.Tabulated):
        return _tabulated(low, high, prior)
    return UniformDensity(low, high)


def _comoving_volume(low: float, high: float, cosmology: CosmologyConfig) -> TabulatedDensity:
    # nodes in equal steps of the square root: the density is steep at its low end
    nodes = np.linspace(math.sqrt(low), math.sqrt(high), N_NODES) ** 2
    nodes[[0, -1]] = low, high
    return TabulatedDensity(nodes, comoving_volume_density(nodes, cosmology))


def _tabulated(low: float, high: float, prior: config.Tabulated) -> TabulatedDensity:
    x, density = np.array(prior.x), np.array(prior.density)
    inner = x[(x > low) & (x < high)]
    nodes = np.unique(np.concatenate((np.linspace(low, high, N_NODES), inner)))
    return TabulatedDensity(nodes, np.interp(nodes, x, density, left=0.0, right=0.0))
