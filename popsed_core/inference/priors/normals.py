"""Normals truncated at the ends of a parameter's range; the mean may depend on others.

Each is normalised over the range for every value of the parameters it depends on.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from scipy import special
from torch import Tensor, nn

from popsed_core.config.parameters import Relation, TruncatedNormal
from popsed_core.theta import Column, Theta

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
N_NODES = 4097  # values of the other parameter at which means and normalisations are tabulated

Values = Float[np.ndarray, "galaxy"]
Rows = Float[Tensor, "normal galaxy"]
Row = tuple[float, ...]
Ends = tuple[float, float]


class TruncatedNormalDensity(nn.Module):
    """Normal inside the range; its mean may be linear in another parameter.

    It is normalised over the range for every value of the other parameter.
    """

    def __init__(self, low: float, high: float, prior: TruncatedNormal) -> None:
        super().__init__()
        self.low, self.high, self.prior = low, high, prior

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        sigma, against = self.prior.sigma, self.prior.against
        mean = torch.full_like(value, self.prior.mean)
        if against is not None:
            mean = mean + self.prior.slope * (getattr(theta, against) - self.prior.pivot)
        share = log_normal_between((self.low - mean) / sigma, (self.high - mean) / sigma)
        scaled = (value - mean) / sigma
        return -0.5 * scaled.square() - math.log(sigma * math.sqrt(2 * math.pi)) - share

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        mean, sigma = np.full_like(share, self.prior.mean), self.prior.sigma
        if self.prior.against is not None:
            mean += self.prior.slope * (columns[self.prior.against] - self.prior.pivot)
        return normal_quantile(share, mean, sigma, (self.low, self.high))


class NormalTable(nn.Module):
    """Mean, sigma and log normalisation of normals between two ends, against another parameter.

    All are linear between many nodes: the normalisation, expensive to compute, comes with the mean.

    Args:
        box: lowest and highest value of the other parameter.
        nodes: increasing values of it.
        medians: at the nodes, one row per normal.
        scatters: at the nodes.
        ends: of the range that the normals are cut to.
    """

    table: Tensor

    def __init__(
        self, box: Ends, nodes: Row, medians: Sequence[Row], scatters: Sequence[Row], ends: Ends
    ) -> None:
        super().__init__()
        self.box, self.n = box, len(medians)
        x = np.linspace(*box, N_NODES)
        means, sigmas = (
            torch.from_numpy(np.array([np.interp(x, nodes, row) for row in rows]))
            for rows in (medians, scatters)
        )
        low, high = ((end - means) / sigmas for end in ends)
        log_unit = sigmas.log() + HALF_LOG_2PI + log_normal_between(low, high)
        self.register_buffer("table", torch.cat([means, sigmas, log_unit]).T.contiguous())

    def forward(self, x: Column) -> tuple[Rows, Rows, Rows]:
        """Return mean, sigma and log normalisation, one row per normal."""
        low, high = self.box
        position = (x - low) * ((N_NODES - 1) / (high - low))
        cell = position.detach().long().clamp(0, N_NODES - 2)
        table = self.table.to(position)
        rows = torch.lerp(table[cell], table[cell + 1], (position - cell)[:, None]).T
        mean, sigma, log_unit = rows.split(self.n)
        return mean, sigma, log_unit


class RelationDensity(nn.Module):
    """Normal inside the range; median and scatter follow another parameter between nodes."""

    def __init__(self, low: float, high: float, prior: Relation, box: Ends) -> None:
        super().__init__()
        self.low, self.high, self.against = low, high, prior.against
        self.normal = NormalTable(box, prior.x, (prior.median,), (prior.scatter,), (low, high))

    def log_density(self, value: Column, theta: Theta) -> Column:
        """Return the log density of values inside the range."""
        (mean,), (sigma,), (log_unit,) = self.normal(getattr(theta, self.against))
        return -0.5 * ((value - mean) / sigma).square() - log_unit

    def quantile(self, share: Values, columns: Mapping[str, Values]) -> Values:
        """Return the values below which ``share`` of the probability lies."""
        rows = self.normal(torch.from_numpy(np.ascontiguousarray(columns[self.against])))
        mean, sigma = (row[0].numpy() for row in rows[:2])
        return normal_quantile(share, mean, sigma, (self.low, self.high))


def log_normal_between(
    low: Float[Tensor, "*any"], high: Float[Tensor, "*any"]
) -> Float[Tensor, "*any"]:
    """Return log(Phi(high) - Phi(low)), accurate far into either tail."""
    is_right = low > 0  # mirrored to the left tail, where log Phi keeps its digits
    left = torch.where(is_right, -high, low)
    right = torch.where(is_right, -low, high)
    upper = torch.special.log_ndtr(right)
    return upper + torch.log(-torch.expm1(torch.special.log_ndtr(left) - upper))


def normal_quantile(
    share: Values, mean: Values, sigma: Values | float, ends: tuple[Values | float, Values | float]
) -> Values:
    """Return the quantile of truncated normals, accurate far into either tail."""
    low, high = ((end - mean) / sigma for end in ends)
    is_right = low > 0  # mirrored to the left tail, where log Phi keeps its digits
    left, right = np.where(is_right, -high, low), np.where(is_right, -low, high)
    below, above = special.log_ndtr(left), special.log_ndtr(right)
    here = np.where(is_right, 1 - share, share)
    scaled = special.ndtri_exp(above + np.log(here + (1 - here) * np.exp(below - above)))
    scaled = np.clip(scaled, left, right)
    return mean + sigma * np.where(is_right, -scaled, scaled)
