import dataclasses

import numpy as np
import pytest
import synthetic

from popsed_core.diagnostics import recovery as diagnostics
from popsed_core.diagnostics.closeness import Closeness, closeness
from popsed_core.diagnostics.recovery import (
    AS_WIDE,
    FULL_BAND,
    NARROWER,
    ONE_SIGMA,
    WIDER,
    compare,
    constraints,
    coverage,
)
from popsed_core.surveys.catalogue import Reference


def normal(shape, seed, mean=0.0, sigma=1.0):
    return np.random.default_rng(seed).normal(mean, sigma, shape)


def shifted(samples, name, shift):
    """Samples whose posterior of one parameter is the truth moved by ``shift``."""
    theta = samples.theta.copy()
    theta[:, :, samples.names.index(name)] += shift
    return dataclasses.replace(samples, theta=theta)


def test_coverage_of_the_same_population_is_near_one():
    members, truth = normal((4, 5000), 1), normal(8000, 2)
    assert coverage(members, truth, FULL_BAND) > 0.95
    assert coverage(members, truth, ONE_SIGMA) > 0.68


def test_coverage_of_a_shifted_population_is_low():
    members, truth = normal((4, 5000), 1, mean=0.6), normal(8000, 2)
    assert coverage(members, truth, FULL_BAND) < 0.3


def test_coverage_grows_with_the_spread_of_the_members():
    truth = normal(8000, 2)
    narrow = normal((4, 5000), 1) + 0.3
    wide = narrow + np.array([-0.8, -0.4, 0.0, 0.2])[:, None]
    assert coverage(wide, truth, FULL_BAND) > coverage(narrow, truth, FULL_BAND) + 0.2


def test_coverage_of_a_sparse_truth_is_zero():
    assert coverage(normal((2, 100), 1), normal(9, 2), FULL_BAND) == 0


def test_samples_equal_to_the_truth_have_no_distance(samples):
    values = samples.theta.reshape(-1, len(samples.names))
    for row in compare(samples, Reference(values, samples.names, "truth")):
        assert row.w1 == pytest.approx(0, abs=1e-6)
        assert row.ks == 0
        assert row.width_ratio == pytest.approx(1)


def test_a_shift_is_reported_in_every_number(samples):
    values = samples.theta.reshape(-1, len(samples.names)).copy()
    truth = Reference(values, samples.names, "truth")
    rows = {row.name: row for row in compare(shifted(samples, "log_stellar_mass", 0.25), truth)}
    row = rows["log_stellar_mass"]
    std = values[:, 1].astype(float).std()
    for value in (row.w1, row.mean_offset, row.median_offset, row.q16_offset, row.q84_offset):
        assert value == pytest.approx(0.25, abs=1e-4)
    assert row.w1_over_std == pytest.approx(0.25 / std, rel=1e-3)
    assert len(row.w1_members) == 3
    assert rows["redshift"].w1 == pytest.approx(0, abs=1e-6)


def test_offsets_of_n_of_z_are_also_told_over_one_plus_z():
    samples = synthetic.make_samples()
    truth = samples.theta.reshape(-1, len(samples.names)).astype(np.float64)
    known = truth.copy()
    known[:, 0] = 0.2 + 0.5 * (truth[:, 0] - truth[:, 0].mean())
    rows = {row.name: row for row in compare(samples, Reference(known, samples.names, "truth"))}
    row = rows["redshift"]
    assert row.std_offset == pytest.approx(truth[:, 0].std() / 2)
    assert row.mean_offset_1pz == pytest.approx((truth[:, 0].mean() - 0.2) / 1.2)
    assert row.std_offset_1pz == pytest.approx(row.std_offset / 1.2)
    assert rows["logzsol"].mean_offset_1pz is None
    assert rows["logzsol"].std_offset == pytest.approx(0)


def test_comparison_has_the_columns_both_know(samples, reference):
    assert [row.name for row in compare(samples, reference)] == [
        *samples.names,
        *samples.derived_names,
    ]
    _, spectroscopy = synthetic.make_observed(kind="spectroscopy")
    (row,) = compare(samples, spectroscopy)
    assert (row.name, row.kind) == ("redshift", "spectroscopy")
    assert row.n_reference == np.isfinite(spectroscopy.values).sum()
    assert compare(samples, None) == []


def test_unknown_columns_are_left_out(samples):
    values = np.full((50, 2), np.nan)
    values[:, 1] = 0.1
    assert compare(samples, Reference(values, ("log_stellar_mass", "redshift"))) == []


def test_a_posterior_that_is_the_prior_is_prior_dominated(samples):
    flags = constraints(samples)
    assert flags["dust_index"].is_prior_dominated
    assert flags["dust_index"].constrained == pytest.approx(0, abs=0.1)
    assert not flags["redshift"].is_prior_dominated
    assert flags["redshift"].constrained > 0.5


def test_a_posterior_moved_from_the_prior_is_not_prior_dominated(samples):
    moved = constraints(shifted(samples, "dust_index", 1.0))["dust_index"]
    assert moved.constrained == pytest.approx(0, abs=0.1)
    assert moved.prior_distance > diagnostics.PRIOR_DOMINATED
    assert not moved.is_prior_dominated


def as_prior(samples, **changes):
    """Samples whose prior is the population of their first member."""
    theta, derived, mag = (part[0].copy() for part in (samples.theta, samples.derived, samples.mag))
    for name, change in changes.items():
        column = samples.names.index(name)
        theta[:, column] = change(theta[:, column])
    return dataclasses.replace(samples, prior_theta=theta, prior_derived=derived, prior_mag=mag)


def test_the_prior_is_measured_like_an_ensemble_of_its_draws(samples, reference):
    alone = dataclasses.replace(
        samples, theta=samples.prior_theta[None], derived=samples.prior_derived[None],
        mag=samples.prior_mag[None],
    )  # fmt: skip
    for row, twin in zip(compare(samples, reference), compare(alone, reference), strict=True):
        for item in dataclasses.fields(Closeness):
            assert getattr(row.prior, item.name) == getattr(twin, item.name)
        assert row.prior_coverage == twin.coverage_full


def test_a_fit_is_better_than_its_prior_where_it_is_closer(samples, reference):
    rows = {row.name: row for row in compare(samples, reference)}
    assert rows["redshift"].is_better_than_prior
    truth = reference.values[:600].astype(np.float32)
    n = len(samples.names)
    perfect = dataclasses.replace(
        samples, prior_theta=truth[:, :n], prior_derived=truth[:, n:],
        prior_mag=samples.mag[0],
    )  # fmt: skip
    rows = {row.name: row for row in compare(perfect, reference)}
    assert not rows["redshift"].is_better_than_prior
    assert rows["redshift"].is_worth_a_warning
    assert rows["redshift"].prior.w1 < 0.01


@pytest.mark.parametrize(
    ("stretch", "words"), [(1.0, AS_WIDE), (1.03, AS_WIDE), (1.3, NARROWER), (0.7, WIDER)]
)
def test_widths_are_compared_with_the_prior_in_words(samples, stretch, words):
    alone = dataclasses.replace(
        samples, theta=samples.theta[:1], derived=samples.derived[:1], mag=samples.mag[:1]
    )
    changed = as_prior(alone, logzsol=lambda value: stretch * value)
    assert constraints(changed)["logzsol"].against_prior == words


def test_tails_are_shares_of_the_draws():
    known = np.linspace(0.05, 0.4, 1001)
    values = np.concatenate([np.full(30, 0.01), np.full(50, 0.5), np.full(920, 0.2)])
    found = closeness("redshift", values, known)
    assert (found.share_near, found.share_beyond) == (0.03, 0.05)
    assert closeness("logzsol", values, known).share_near is None
    assert closeness("redshift", known, known).share_beyond == pytest.approx(0.01, abs=1e-3)


def test_what_is_known_beyond_the_draws_counts_in_the_coverage(samples):
    """A tenth of the galaxies outside the range of draws: their bins are missed."""
    draws = samples.column("redshift").ravel().astype(np.float64)
    far = np.linspace(0.9, 1.2, draws.size // 10)
    near, both = (
        Reference(values[:, None], ("redshift",)) for values in (draws, np.append(draws, far))
    )
    (inside,), (beyond,) = compare(samples, near), compare(samples, both)
    assert inside.coverage_full > 0.9
    assert beyond.coverage_full < 0.75
