"""The star-formation rate that kappa_1 implies, and its distribution in galaxies of two types.

Only the youngest SFH basis forms stars today: with beta_1 = 1 - kappa_1 its share, c_i the mass
that basis i has formed at the galaxy's age, and r what basis 1 forms per year of the last 0.1 Gyr,

    SFR / M_formed = beta_1 r / (beta_1 c_1 + (1 - beta_1) c_old),

c_old the mean of c_2 to c_4 with the shares that kappa_2 and kappa_3 give them; bursts come on top.
Star-forming galaxies scatter about the main sequence, quiescent ones about a low specific rate.
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from popsed_core.config.parameters import Bursts, OlderStars, RelationByType, StarFormation
from popsed_core.config.spectra import CosmologyConfig
from popsed_core.coordinates import SMALLEST_FRACTION
from popsed_core.inference.priors.normals import (
    HALF_LOG_2PI,
    Ends,
    NormalTable,
    log_normal_between,
    normal_quantile,
)
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.derived import SFR_WINDOW
from popsed_core.stellar.sfh import Histories
from popsed_core.theta import Column

SURVIVING = -0.22  # [dex] ASSUME: surviving per formed mass, as of old stars (Chabrier)
LEAST_SHARE = 1e-8  # of beta_1: ten sigma below quiescent galaxies, and a number in float32
LEAST_MASS = 1e-6  # c_old over c_1 at least: no old basis has begun at the highest redshifts
LOG_LN10 = math.log(math.log(10))
N_NODES = 1025  # redshifts at which ages and formed masses are tabulated

Given = Mapping[str, Column]  # columns of theta by name
Both = Float[Tensor, "2 #galaxy"]  # of star-forming and of quiescent galaxies
Mask = Bool[Tensor, "galaxy"]
Spread = tuple[Both, Both]  # mean and sigma


def surviving_mass(given: Given) -> Column:
    """Return the surviving mass, which published relations use [dex Msun]."""
    return given["log_stellar_mass"] + SURVIVING


class TypeDensities(Protocol):
    """A parameter's densities in star-forming and in quiescent galaxies."""

    def state(self, given: Given) -> Any:
        """Return everything that does not depend on the parameter itself."""

    def log_densities(self, value: Column, state: Any) -> Both:
        """Return the log density in both types of galaxies."""

    def quantile(self, share: Column, state: Any, is_quiescent: Mask) -> Column:
        """Return the values below which ``share`` of the galaxies of each one's type lie."""


class OlderShares(nn.Module):
    """kappa_2 or kappa_3: p = a x^(a - 1), as ``coordinates.simplex_log_density``."""

    def __init__(self, low: float, high: float, prior: OlderStars) -> None:
        super().__init__()
        self.low, self.width = low, high - low
        self.powers = (prior.star_forming,), (prior.quiescent,)

    def state(self, given: Given) -> Both:
        """Return the powers: other parameters do not matter."""
        return given["redshift"].new_tensor(self.powers)

    def log_densities(self, value: Column, state: Both) -> Both:
        """Return the log density in both types of galaxies."""
        fraction = ((value - self.low) / self.width).clamp(min=SMALLEST_FRACTION)
        return (state - 1) * fraction.log() + (state / self.width).log()

    def quantile(self, share: Column, state: Both, is_quiescent: Mask) -> Column:
        """Return the values below which ``share`` of the galaxies of each one's type lie."""
        return self.low + self.width * share ** (1 / of_type(state, is_quiescent))


class Rates(nn.Module):
    """kappa_1: log-normal specific star-formation rates of both types of galaxies."""

    table: Tensor

    def __init__(
        self,
        low: float,
        high: float,
        prior: StarFormation,
        redshifts: tuple[float, float],
        cosmology: CosmologyConfig,
    ) -> None:
        """Tabulate ages and formed masses.

        Args:
            low: lowest kappa_1.
            high: highest kappa_1.
            prior: both distributions.
            redshifts: lowest and highest.
            cosmology: for ages.
        """
        super().__init__()
        self.prior, self.redshifts = prior, redshifts
        self.shares = (max(1 - high, LEAST_SHARE),), (max(1 - low, LEAST_SHARE),)
        redshift = torch.linspace(*redshifts, N_NODES, dtype=torch.float64)
        age = CosmologyTable(cosmology, redshifts[1]).age_gyr(redshift)
        histories = Histories()
        window = torch.tensor([SFR_WINDOW], dtype=torch.float64)
        rate = histories.cumulative(window)[0][0, 0] / (SFR_WINDOW * 1e9)
        years = histories.cumulative(age)[0] / rate
        self.register_buffer("table", torch.cat([age[:, None], years], dim=1))

    def state(self, given: Given) -> tuple[Column, Column, Spread]:
        """Return the masses formed by unit shares of young and old [yr], and the distributions."""
        low, high = self.redshifts
        position = (given["redshift"] - low) * ((N_NODES - 1) / (high - low))
        cell = position.detach().long().clamp(0, N_NODES - 2)
        table = self.table.to(position)
        rows = torch.lerp(table[cell], table[cell + 1], (position - cell)[:, None])
        age, young, second, third, fourth = rows.unbind(1)
        old = second + given["kappa_2"] * (third - second + given["kappa_3"] * (fourth - third))
        return young, torch.maximum(old, LEAST_MASS * young), self.spread(given, age)

    def spread(self, given: Given, age: Column) -> Spread:
        """Return mean and sigma of log SFR per formed mass of both types [dex / yr]."""
        sequence, quiescent = self.prior.sequence, self.prior.quiescent
        mean = self.main_sequence(surviving_mass(given), age) - given["log_stellar_mass"]
        low = torch.full_like(mean, quiescent.log_ssfr + SURVIVING)
        sigma = mean.new_tensor([[sequence.scatter], [quiescent.scatter]])
        return torch.stack([mean, low]), sigma

    def log_densities(self, value: Column, state: tuple[Column, Column, Spread]) -> Both:
        """Return the log density in both types of galaxies."""
        young, old, spread = state
        share = (1 - value).clamp(min=LEAST_SHARE)
        formed = share * young + (1 - share) * old
        log_slope = (old / (share * formed)).log() - LOG_LN10
        log_rate = (share / formed).log10()
        return log_normal(log_rate, spread, self.ends(young, old)) + log_slope

    def quantile(
        self, share: Column, state: tuple[Column, Column, Spread], is_quiescent: Mask
    ) -> Column:
        """Return the values below which ``share`` of each one's type lie: those of higher rate."""
        young, old, spread = state
        mean, sigma = (of_type(item, is_quiescent) for item in spread)
        years = 10 ** -_normal_quantile(1 - share, mean, sigma, self.ends(young, old))
        return 1 - old / (years - young + old)

    def ends(self, young: Column, old: Column) -> Both:
        """Return the lowest and highest log SFR per formed mass in the box [dex / yr]."""
        return -((young - old) + old / young.new_tensor(self.shares)).log10()

    def main_sequence(self, log_mass: Column, age: Column) -> Column:
        """Return log SFR [dex Msun / yr] at a surviving mass and age of the universe [Gyr].

        Popesso et al. 2023, equation 15.
        """
        law = self.prior.sequence
        above = log_mass - law.turnover - law.turnover_slope * age
        bend = nn.functional.softplus(-math.log(10) * above) / math.log(10)
        return law.rate + law.rate_slope * age - bend

    def log_odds(self, given: Given) -> Column:
        """Return log f / (1 - f) of the quiescent fraction at each mass and redshift."""
        law = self.prior.fraction
        half = law.log_mass + law.evolution * given["redshift"]
        return law.power * math.log(10) * (surviving_mass(given) - half)


class Relations(nn.Module):
    """logzsol or tau_ism: normal about medians that follow mass, truncated at the box."""

    def __init__(self, low: float, high: float, prior: RelationByType, masses: Ends) -> None:
        super().__init__()
        self.ends = low, high
        both = prior.star_forming, prior.quiescent
        formed = tuple(log_mass - SURVIVING for log_mass in prior.log_mass)
        medians, scatters = zip(*((one.median, one.scatter) for one in both), strict=True)
        self.normals = NormalTable(masses, formed, medians, scatters, (low, high))

    def state(self, given: Given) -> tuple[Both, Both, Both]:
        """Return mean, sigma and log normalisation of both types."""
        return self.normals(given["log_stellar_mass"])

    def log_densities(self, value: Column, state: tuple[Both, Both, Both]) -> Both:
        """Return the log density in both types of galaxies."""
        mean, sigma, log_unit = state
        return -0.5 * ((value - mean) / sigma).square() - log_unit

    def quantile(self, share: Column, state: tuple[Both, Both, Both], is_quiescent: Mask) -> Column:
        """Return the values below which ``share`` of the galaxies of each one's type lie."""
        mean, sigma = (of_type(item, is_quiescent) for item in state[:2])
        return _normal_quantile(share, mean, sigma, self.ends)


class BurstShares(nn.Module):
    """f_burst: many small bursts, few large ones; young bursts had less time to grow."""

    def __init__(self, low: float, high: float, prior: Bursts) -> None:
        super().__init__()
        self.low, self.width, self.prior = low, high - low, prior
        self.rates = (prior.star_forming,), (prior.quiescent,)

    def state(self, given: Given) -> Both:
        """Return the share of the mass in a typical burst of both types."""
        time = given["t_burst"].clamp(max=self.prior.longest)
        return time.new_tensor(self.rates) * time

    def log_densities(self, value: Column, state: Both) -> Both:
        """Return the log density in both types of galaxies."""
        power = self.prior.power
        fall = (1 + power) * torch.log1p((value - self.low) / state)
        inside = -torch.expm1(-power * torch.log1p(self.width / state))
        return math.log(power) - fall - (state * inside).log()

    def quantile(self, share: Column, state: Both, is_quiescent: Mask) -> Column:
        """Return the values below which ``share`` of the galaxies of each one's type lie."""
        scale, power = of_type(state, is_quiescent), self.prior.power
        inside = torch.expm1(-power * torch.log1p(self.width / scale))
        return self.low + scale * torch.expm1(-torch.log1p(share * inside) / power)


def of_type(both: Both, is_quiescent: Mask) -> Column:
    """Return what holds for each galaxy's own type."""
    return torch.where(is_quiescent, both[1], both[0])


def log_normal(value: Column, spread: Spread, ends: Both) -> Both:
    """Return the log density of normals truncated at two ends (low, high)."""
    mean, sigma = spread
    scaled = (value - mean) / sigma
    between = log_normal_between((ends[0] - mean) / sigma, (ends[1] - mean) / sigma)
    return -0.5 * scaled.square() - sigma.log() - HALF_LOG_2PI - between


def _normal_quantile(
    share: Column, mean: Column, sigma: Column, ends: tuple[float, float] | Both
) -> Column:
    low, high = (end if isinstance(end, float) else end.numpy() for end in ends)
    found = normal_quantile(share.numpy(), mean.numpy(), sigma.numpy(), (low, high))
    return torch.from_numpy(found)
