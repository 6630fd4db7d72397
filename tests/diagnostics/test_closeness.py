"""How close a fit comes to what is known, beside its prior."""

import dataclasses

import numpy as np
import pytest

from popsed_core.diagnostics.closeness import closeness
from popsed_core.diagnostics.recovery import (
    AS_WIDE,
    NARROWER,
    WIDER,
    compare,
    constraints,
)


def as_prior(samples, **changes):
    """Samples whose prior is the population of their first member."""
    theta, derived, mag = (part[0].copy() for part in (samples.theta, samples.derived, samples.mag))
    for name, change in changes.items():
        column = samples.names.index(name)
        theta[:, column] = change(theta[:, column])
    return dataclasses.replace(samples, prior_theta=theta, prior_derived=derived, prior_mag=mag)


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
