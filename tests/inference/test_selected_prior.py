"""Draws from prior times selection: the distribution that rejection would give, and its limits."""

import math

import pytest
import torch
from boxes import COSMOLOGY, PARAMETERS
from scipy import stats

from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.selected_prior import sample_selected
from popsed_core.parameters import NAMES

PRIOR = PopulationPrior(PARAMETERS, COSMOLOGY)
RARE = {"redshift", "log_stellar_mass"}  # what the selection below depends on
SIGNIFICANCE = 1e-3  # of each of 11 tests: about one stream of draws in a hundred would fail


def stream(seed):
    return torch.Generator().manual_seed(seed)


def near_and_massive(theta):
    """Log probability that falls with redshift and rises with mass: few in a thousand pass."""
    brightness = 4 * (theta.log_stellar_mass - 10.7) - 14 * theta.redshift
    return torch.nn.functional.logsigmoid(brightness)


@pytest.fixture(scope="module")
def drawn():
    return sample_selected(PRIOR, near_and_massive, 2000, stream(1))


@pytest.fixture(scope="module")
def rejected():
    """The slow twin: accept prior draws with the probability of their selection."""
    theta = PRIOR.sample(2_000_000, stream(2))
    share = torch.rand(len(theta.redshift), generator=stream(3))
    is_kept = share < near_and_massive(theta).exp()
    return type(theta)(*(column[is_kept] for column in theta))


@pytest.mark.parametrize("name", NAMES)
def test_draws_are_those_that_rejection_would_keep(drawn, rejected, name):
    """By the two-sample Kolmogorov-Smirnov test, for every parameter."""
    assert 1000 < len(rejected.redshift) < 3000  # of two million: the selection is a rare one
    found, expected = getattr(drawn, name), getattr(rejected, name)
    assert stats.ks_2samp(found, expected).pvalue > SIGNIFICANCE


def test_what_the_selection_ties_together_is_tied(drawn, rejected):
    """Redshift and mass are selected by their brightness: its distribution must agree too."""
    brightness = [4 * c.log_stellar_mass - 14 * c.redshift for c in (drawn, rejected)]
    assert stats.ks_2samp(*brightness).pvalue > SIGNIFICANCE
    slopes = [stats.linregress(c.redshift, c.log_stellar_mass) for c in (drawn, rejected)]
    error = math.hypot(*(slope.stderr for slope in slopes))
    assert abs(slopes[0].slope - slopes[1].slope) < 4 * error


@pytest.mark.parametrize("name", sorted(RARE))
def test_the_selection_changes_what_it_depends_on(drawn, name):
    prior = getattr(PRIOR.sample(2000, stream(4)), name)
    assert stats.ks_2samp(getattr(drawn, name), prior).statistic > 0.3


def test_without_limits_the_prior_itself_is_drawn():
    drawn = sample_selected(PRIOR, lambda theta: torch.zeros_like(theta.redshift), 2000, stream(5))
    expected = PRIOR.sample(4000, stream(6))
    for name in NAMES:
        pvalue = stats.ks_2samp(getattr(drawn, name), getattr(expected, name)).pvalue
        assert pvalue > SIGNIFICANCE, name


def test_the_same_stream_gives_the_same_draws(drawn):
    again = sample_selected(PRIOR, near_and_massive, 2000, stream(1))
    assert all(torch.equal(first, second) for first, second in zip(drawn, again, strict=True))


def test_an_impossible_selection_is_refused():
    with pytest.raises(FloatingPointError, match="selection"):
        sample_selected(PRIOR, lambda theta: theta.redshift * 0 - math.inf, 100, stream(7))
