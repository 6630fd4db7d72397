"""Intergalactic absorption: the published means, and the laws that any mean transmission obeys."""

import numpy as np
import pytest

from popsed_core.photometry.igm import (
    JUMPS,
    LYMAN_ALPHA,
    LYMAN_LIMIT,
    transmission,
    transmission_at_rest,
)

REST = np.linspace(600.0, 1300.0, 1401)
REDSHIFT = np.linspace(0.0, 7.0, 281)[:, None]


@pytest.fixture(scope="module")
def share():
    return transmission(REST * (1 + REDSHIFT), REDSHIFT)


@pytest.mark.parametrize(
    ("redshift", "mean"),
    [(1.0, 0.9653), (2.0, 0.9052), (3.0, 0.7502), (4.0, 0.5200), (5.0, 0.2783)],
)
def test_mean_between_lyman_beta_and_alpha_is_that_of_inoue_2014(redshift, mean):
    """Their formulas as eazy 0.8.7 evaluates them, on average over 1050-1170 AA rest frame."""
    rest = np.linspace(1050.0, 1170.0, 2401)
    assert transmission(rest * (1 + redshift), redshift).mean() == pytest.approx(mean, abs=6e-5)


@pytest.mark.parametrize(
    ("redshift", "wave", "depth"),
    [(1.0, 800.0, 0.2432), (3.0, 800.0, 1.4742), (3.0, 600.0, 2.1898), (5.0, 800.0, 5.9704)],
)
def test_depth_below_the_lyman_limit(redshift, wave, depth):
    """As eazy 0.8.7 has it, whose coefficients have one more digit than the printed ones."""
    found = -np.log(transmission(np.array([wave * (1 + redshift)]), redshift))[0]
    assert found == pytest.approx(depth, rel=0.01)


def test_a_share_is_between_nothing_and_all(share):
    assert (share > 0).all()
    assert (share <= 1).all()


def test_nothing_is_absorbed_redward_of_lyman_alpha(share):
    assert (share[:, REST > LYMAN_ALPHA] == 1).all()
    assert (share[REDSHIFT[:, 0] > 0.2][:, (REST > 1100) & (REST < LYMAN_ALPHA)] < 1).all()


def test_the_farther_the_less_arrives(share):
    """Above the limit; below, the printed formulas change at two redshifts, by up to 0.006."""
    is_above = REST > LYMAN_LIMIT
    assert (np.diff(share[:, is_above], axis=0) <= 0).all()
    assert np.diff(share, axis=0).max() < 0.007


def test_every_line_is_a_step_down_to_the_blue():
    bluer, redder = (transmission(JUMPS[1:] * factor * 4, 3.0) for factor in (1 - 1e-9, 1 + 1e-9))
    assert (bluer < redder).all()


def test_the_depth_changes_without_steps_along_the_line_of_sight():
    """Where the number of absorbers changes its slope, the power laws meet."""
    for ratio in (2.2, 3.0, 5.7):
        sides = transmission(np.array([ratio - 1e-6, ratio + 1e-6]) * LYMAN_ALPHA, 6.5)
        assert sides[0] == pytest.approx(sides[1], rel=2e-3)


def test_a_galaxy_is_dark_below_its_lyman_limit_and_as_seen_above():
    stretch = np.array([1.0, 1.5, 4.0])
    found = transmission_at_rest(REST, stretch)
    assert (found[:, REST < LYMAN_LIMIT] == 0).all()
    seen = transmission(REST * stretch[:, None], stretch[:, None] - 1)
    is_above = REST > LYMAN_LIMIT
    np.testing.assert_array_equal(found[:, is_above], seen[:, is_above])
