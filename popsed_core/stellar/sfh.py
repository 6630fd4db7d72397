"""Star-formation histories as weights on the age nodes of an SSP table.

The star-formation rate is a mix of four piecewise-linear bases (``nmf_bases``), cut at the age
of the galaxy (Li et al. 2023, eq. 1).  SSP spectra are linear in flux against log10(age) between
nodes, so the light of the history is a weighted sum of nodes, with integrals in closed form: with
C0(t) = int_0^t s dt and C1(t) = int_0^t s log10(t) dt, the interval between nodes x_i and x_i+1
(log10 ages) adds (x_i+1 dC0 - dC1) / (x_i+1 - x_i) to node i and (dC1 - x_i dC0) / (x_i+1 - x_i)
to node i+1: the integral of FSPS for ``sfh=3`` (Conroy et al. 2009; sfh_weight.f90).
"""

from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.stellar.sfh_bases import basis_knots
from popsed_core.theta import Theta

LOG10_E = np.log10(np.e)
FIRST_EDGE = 6.05  # [dex yr] upper edge of the paper's first time bin
EDGE_STEP = 0.1  # [dex] width of the paper's time bins
N_EDGES = 41  # edges 10^6.05 ... 10^10.05 yr


def simplex_fractions(theta: Theta) -> Float[Tensor, "galaxy 4"]:
    """Return beta_i of the four bases from kappa by stick breaking (Betancourt 2012)."""
    k1, k2, k3 = theta.kappa_1, theta.kappa_2, theta.kappa_3
    return torch.stack([1 - k1, k1 * (1 - k2), k1 * k2 * (1 - k3), k1 * k2 * k3], dim=1)


class Histories(nn.Module):
    """The cumulative integrals C0 and C1 of the bases, exact and differentiable in time."""

    def __init__(self) -> None:
        super().__init__()
        knots, values = basis_knots()
        slope = np.diff(values) / np.diff(knots)
        level = values[:, :-1] - slope * knots[:-1]
        zeros = np.zeros((3, len(level), 1))
        low = _antiderivatives(level, slope, knots[:-1])
        high = _antiderivatives(level, slope, knots[1:])
        start = np.cumsum(np.concatenate([zeros, (high - low)[..., :-1]], axis=-1), -1) - low
        table = np.stack([level, slope, *start])
        self.register_buffer("knots", torch.as_tensor(knots[1:-1].copy()), persistent=False)
        self.register_buffer("table", torch.as_tensor(table.transpose(2, 0, 1).copy()), False)

    def cumulative(
        self, time: Float[Tensor, "galaxy"]
    ) -> tuple[Float[Tensor, "galaxy 4"], Float[Tensor, "galaxy 4"]]:
        """Return C0 and C1 (log10 of time in yr) of each basis up to ``time`` [Gyr]."""
        cell = torch.bucketize(time.detach(), self.knots, right=True)
        level, slope, start0, start1, _ = self.table[cell].unbind(1)
        t = time[:, None]
        log_t = torch.log10(t)
        half = 0.5 * slope * t * t
        mass = start0 + level * t + half
        in_gyr = start1 + level * t * (log_t - LOG10_E) + half * (log_t - 0.5 * LOG10_E)
        return mass, in_gyr + 9.0 * mass

    def time_moment(self, time: Float[Tensor, "galaxy"]) -> Float[Tensor, "galaxy 4"]:
        """Return the integral of (basis x lookback time) of each basis up to ``time`` [Gyr]."""
        cell = torch.bucketize(time.detach(), self.knots, right=True)
        level, slope, _, _, start = self.table[cell].unbind(1)
        t = time[:, None]
        return start + level * t**2 / 2 + slope * t**3 / 3


def _antiderivatives(level: np.ndarray, slope: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return the indefinite integrals of s, s log10(t) and s t for s = level + slope t."""
    log_t = np.log10(np.where(time > 0, time, 1.0))
    half = 0.5 * slope * time**2
    moment = level * time * (log_t - LOG10_E) + half * (log_t - 0.5 * LOG10_E)
    return np.stack([level * time + half, moment, level * time**2 / 2 + slope * time**3 / 3])


class StarFormation(Protocol):
    """Weights on the age nodes for a unit formed mass, cut at the age of the galaxy."""

    def __call__(
        self, fractions: Float[Tensor, "galaxy 4"], age: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy node"]:
        """Return weights that sum to 1; ``age`` in Gyr."""


class ExactStarFormation(nn.Module):
    """The exact integral of the piecewise-linear history against the SSP interpolation."""

    def __init__(self, log_age_yr: np.ndarray) -> None:
        super().__init__()
        self.histories = Histories()
        mass, moment = self.histories.cumulative(torch.as_tensor(10 ** (log_age_yr - 9)))
        nodes = torch.as_tensor(log_age_yr)
        left, right = _node_shares(nodes[:-1], nodes[1:], mass.diff(dim=0).T, moment.diff(dim=0).T)
        self.register_buffer("nodes", nodes, persistent=False)
        self.register_buffer("node_ages", 10 ** (nodes - 9), persistent=False)
        self.register_buffer("node_mass", mass, persistent=False)
        self.register_buffer("node_moment", moment, persistent=False)
        self.register_buffer("left", left, persistent=False)
        self.register_buffer("right", right, persistent=False)

    def forward(
        self, fractions: Float[Tensor, "galaxy 4"], age: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy node"]:
        """Return weights that sum to 1; ``age`` in Gyr."""
        mass, moment = self.histories.cumulative(age)
        last = torch.bucketize(age.detach(), self.node_ages, right=True) - 1
        last = last.clamp(0, len(self.nodes) - 2)
        is_full = torch.arange(len(self.nodes) - 1, device=age.device) < last[:, None]
        left = torch.where(is_full, fractions @ self.left, 0.0)
        right = torch.where(is_full, fractions @ self.right, 0.0)
        part_mass = (fractions * (mass - self.node_mass[last])).sum(1)
        part_moment = (fractions * (moment - self.node_moment[last])).sum(1)
        low, high = _node_shares(self.nodes[last], self.nodes[last + 1], part_mass, part_moment)
        youngest = fractions @ self.node_mass[0]  # younger than the first node: assigned to it
        weights = nn.functional.pad(left, (0, 1)) + nn.functional.pad(right, (1, 0))
        ends = torch.stack([torch.zeros_like(last), last, last + 1], dim=1)
        weights = weights.scatter_add(1, ends, torch.stack([youngest, low, high], dim=1))
        return weights / (fractions * mass).sum(1, keepdim=True)


def _node_shares(low: Tensor, high: Tensor, mass: Tensor, moment: Tensor) -> tuple[Tensor, Tensor]:
    """Split mass formed between two nodes (log10 yr) over them; see the module's formula."""
    width = high - low
    return (high * mass - moment) / width, (moment - low * mass) / width


class BinnedStarFormation(nn.Module):
    """The paper's recipe: 0.1 dex time bins, each an SSP at its arithmetic mid-point age."""

    def __init__(self, log_age_yr: np.ndarray) -> None:
        super().__init__()
        self.histories = Histories()
        log_edges = FIRST_EDGE + EDGE_STEP * np.arange(N_EDGES)
        edges = torch.as_tensor(np.concatenate([[0.0], 10 ** (log_edges - 9)]))
        mass = torch.zeros(len(edges), 4, dtype=edges.dtype)
        mass[1:] = self.histories.cumulative(edges[1:])[0]
        nodes = torch.as_tensor(log_age_yr)
        hats = hat_weights(nodes, torch.log10(0.5 * (edges[1:] + edges[:-1])) + 9)
        self.register_buffer("nodes", nodes, persistent=False)
        self.register_buffer("edges", edges, persistent=False)
        self.register_buffer("edge_mass", mass, persistent=False)
        self.register_buffer("hats", hats, persistent=False)

    def forward(
        self, fractions: Float[Tensor, "galaxy 4"], age: Float[Tensor, "galaxy"]
    ) -> Float[Tensor, "galaxy node"]:
        """Return weights that sum to 1; ``age`` in Gyr."""
        total = (fractions * self.histories.cumulative(age)[0]).sum(1, keepdim=True)
        cumulative = fractions @ self.edge_mass.T
        last = torch.bucketize(age.detach(), self.edges, right=True) - 1
        is_full = torch.arange(len(self.edges) - 1, device=age.device) < last[:, None]
        full = torch.where(is_full, cumulative.diff(dim=1), 0.0) / total
        rest = 1 - cumulative.gather(1, last[:, None])[:, 0] / total[:, 0]
        midpoint = torch.log10(0.5 * (self.edges[last] + age)) + 9
        return full @ self.hats + rest[:, None] * hat_weights(self.nodes, midpoint)


def hat_weights(
    nodes: Float[Tensor, "node"], position: Float[Tensor, "galaxy"]
) -> Float[Tensor, "galaxy node"]:
    """Return linear-interpolation weights of ``position`` between nodes, clamped to their ends."""
    x = position.clamp(nodes[0], nodes[-1])
    cell = (torch.bucketize(x.detach(), nodes, right=True) - 1).clamp(0, len(nodes) - 2)
    share = (x - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
    weights = torch.zeros(len(x), len(nodes), dtype=x.dtype, device=x.device)
    ends = torch.stack([cell, cell + 1], dim=1)
    return weights.scatter_add(1, ends, torch.stack([1 - share, share], dim=1))
