import dataclasses

import numpy as np
import pytest
import synthetic

from popsed_core.diagnostics import recovery as diagnostics
from popsed_core.diagnostics.closeness import Closeness
from popsed_core.diagnostics.recovery import (
    FULL_BAND,
    ONE_SIGMA,
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


def test_the_prior_is_measured_like_an_ensemble_of_its_draws(samples, reference):
    alone = dataclasses.replace(
        samples, theta=samples.prior_theta[None], derived=samples.prior_derived[None],
        mag=samples.prior_mag[None],
    )  # fmt: skip
    for row, twin in zip(compare(samples, reference), compare(alone, reference), strict=True):
        for item in dataclasses.fields(Closeness):
            assert getattr(row.prior, item.name) == getattr(twin, item.name)
        assert row.prior_coverage == twin.coverage_full


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
