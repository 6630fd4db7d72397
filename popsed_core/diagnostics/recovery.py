"""Diagnostics: the inferred population compared with the reference and with the prior.

``compare`` has a row for each column that both the samples and the reference have;
``constraints`` has one for each column, with or without a reference, and says whether the data or
the prior determine it.
"""

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Int

from popsed_core.diagnostics.closeness import Closeness, closeness, share_near
from popsed_core.diagnostics.columns import COLUMNS, all_names
from popsed_core.diagnostics.metrics import ONE_SIGMA, wasserstein1, width_ratio
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference

N_BINS = 40  # of the coverage histograms
TRUTH_RANGE = (0.005, 0.995)  # quantiles of the truth between which coverage is measured
MIN_COUNT = 10  # galaxies of the truth in a bin that counts
FULL_BAND = (0.0, 1.0)
# ASSUME: a posterior within 25% of the prior's width and 0.25 prior standard deviations of it is
# the prior's, not the data's.
PRIOR_DOMINATED = 0.25
# ASSUME: widths that differ by less are the same; that of 5000 draws is uncertain by some 2%.
SAME_WIDTH = 0.05
NARROWER, AS_WIDE, WIDER = "narrower than its prior", "as wide as its prior", "wider than its prior"
# the main quantities of a fit: they count even where they look like their prior
WANTED = ("redshift", "log_stellar_mass", "log_sfr")

Members = Float[np.ndarray, "member draw"]
Counts = Int[np.ndarray, "bin"]


@dataclass(frozen=True)
class Constraint:
    """What the data add to the prior in one quantity.

    Attributes:
        name: the quantity.
        constrained: 1 - width(posterior) / width(prior), widths being the central 68%; 0 means
            as wide as the prior, 1 a point, negative wider than the prior.
        prior_distance: W1(posterior, prior) / std(prior).
        is_prior_dominated: |constrained| and prior_distance are both below ``PRIOR_DOMINATED``:
            the posterior is neither shifted from the prior nor different in width.
        against_prior: the first number in words: narrower than, as wide as or wider than its
            prior, the same within ``SAME_WIDTH``.
    """

    name: str
    constrained: float
    prior_distance: float
    is_prior_dominated: bool
    against_prior: str


@dataclass(frozen=True, kw_only=True)
class Comparison(Closeness):
    """The inferred population, and its prior, against the reference in one quantity.

    Numbers of the ensemble are those of :class:`Closeness`.

    Attributes:
        name: the quantity.
        unit: of the distances and offsets that are not ratios.
        kind: ``spectroscopy`` or ``truth``, and what was done to it.
        n_reference: galaxies with a known value.
        w1_members: Wasserstein-1 distance of each member, whose spread is the ensemble's.
        coverage_68: see :func:`coverage`, between the 16% and 84% quantiles over members.
        coverage_full: see :func:`coverage`, between the least and the greatest member.
        share_near_reference: of redshift, what ``share_near`` should be.
        prior: the same numbers of the prior.
        prior_coverage: :func:`coverage` of the prior, as of an ensemble of one.
        constraint: the same quantity against the prior.
    """

    name: str
    unit: str
    kind: str
    n_reference: int
    w1_members: tuple[float, ...]
    coverage_68: float
    coverage_full: float
    share_near_reference: float | None
    prior: Closeness
    prior_coverage: float
    constraint: Constraint

    @property
    def is_better_than_prior(self) -> bool:
        """Whether its W1 is smaller than the prior's."""
        return self.w1 < self.prior.w1

    @property
    def is_worth_a_warning(self) -> bool:
        """Whether it is no better than its prior, in a quantity that the data constrain."""
        has_say = self.name in WANTED or not self.constraint.is_prior_dominated
        return has_say and not self.is_better_than_prior


def compare(samples: PopulationSamples, reference: Reference | None) -> list[Comparison]:
    """Compare every column that both have, in the order of the samples.

    Columns with fewer than two different known values are left out, as they have no distribution;
    without a reference there are no rows.
    """
    if reference is None:
        return []
    shared = [name for name in all_names(samples) if name in reference.names]
    spread = [name for name in shared if np.unique(reference.column(name)).size > 1]
    return [_compare_column(samples, reference, name) for name in spread]


def _compare_column(samples: PopulationSamples, reference: Reference, name: str) -> Comparison:
    members = samples.column(name).astype(np.float64)
    prior = samples.prior_column(name).astype(np.float64)
    truth = reference.column(name).astype(np.float64)
    return Comparison(
        **asdict(closeness(name, members.ravel(), truth)),
        name=name,
        unit=COLUMNS[name].unit,
        kind=reference.label,
        n_reference=truth.size,
        w1_members=tuple(wasserstein1(member, truth) for member in members),
        coverage_68=coverage(members, truth, ONE_SIGMA),
        coverage_full=coverage(members, truth, FULL_BAND),
        share_near_reference=share_near(name, truth),
        prior=closeness(name, prior, truth),
        prior_coverage=coverage(prior[None], truth, FULL_BAND),
        constraint=constrain(samples, name),
    )


def constraints(samples: PopulationSamples) -> dict[str, Constraint]:
    """Return what the data add to the prior, for every parameter and derived quantity."""
    return {name: constrain(samples, name) for name in all_names(samples)}


def constrain(samples: PopulationSamples, name: str) -> Constraint:
    """Return what the data add to the prior in one quantity."""
    posterior = samples.column(name).ravel().astype(np.float64)
    prior = samples.prior_column(name).astype(np.float64)
    constrained = 1 - width_ratio(posterior, prior)
    scale = float(prior.std())
    distance = wasserstein1(posterior, prior) / scale if scale > 0 else float("inf")
    is_dominated = abs(constrained) < PRIOR_DOMINATED and distance < PRIOR_DOMINATED
    return Constraint(name, constrained, distance, is_dominated, _in_words(constrained))


def _in_words(constrained: float) -> str:
    if abs(constrained) < SAME_WIDTH:
        return AS_WIDE
    return NARROWER if constrained > 0 else WIDER


def coverage(
    members: Members, truth: Float[np.ndarray, "galaxy"], band: tuple[float, float]
) -> float:
    """Return the share of histogram bins whose true density lies within the ensemble interval.

    The bins are ``N_BINS`` equal ones between the ``TRUTH_RANGE`` quantiles of the truth, of
    which those with at least ``MIN_COUNT`` true galaxies count.  With f = count / (sample size)
    in a bin, the band runs from the ``band[0]`` to the ``band[1]`` quantile of f over members,
    (0, 1) being the least and the greatest member.  It is widened on either side by one Poisson
    error of the comparison, sqrt(e_truth^2 + e_member^2) with e = sqrt(count) / (sample size)
    and the mean count of a member.  The same population thus scores near 1 in the full band, and
    above 0.68 in the 68% band.

    Args:
        members: draws of each member.
        truth: reference values, none of them NaN.
        band: quantiles over members.

    Returns:
        The share; 0 if the truth is too sparse for any bin to count.
    """
    edges = np.linspace(*np.quantile(truth, TRUTH_RANGE), N_BINS + 1)
    n_truth = _count(truth, edges)
    n_members = np.stack([_count(member, edges) for member in members])
    is_used = n_truth >= MIN_COUNT
    if not is_used.any():
        return 0.0
    n_draws = members.shape[1]
    low, high = np.quantile(n_members / n_draws, band, axis=0)
    error = np.sqrt(n_truth / truth.size**2 + n_members.mean(axis=0) / n_draws**2)
    share = n_truth / truth.size
    is_inside = (share >= low - error) & (share <= high + error)
    return float(is_inside[is_used].mean())


def _count(values: Float[np.ndarray, "value"], edges: Float[np.ndarray, "edge"]) -> Counts:
    return np.histogram(values, edges)[0]
