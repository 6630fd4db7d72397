"""One member: its zero points, their anchors, the catalogue as it sees it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_world import FIT, make_task

from popsed_core.config.distances import FeaturesConfig, SlicedConfig
from popsed_core.inference.fit import FlowFit

pytestmark = pytest.mark.usefixtures("one_thread")
MEMBERS = ("randomised", "restarts")


def member_of(number, fit, survey):
    """A member before its first step."""
    return FlowFit([make_task(number, fit)], survey).members[0]


@pytest.mark.parametrize("members", MEMBERS)
def test_zero_points_cost_their_distance_from_the_anchor(survey, members):
    member = member_of(1, replace(FIT, zero_point_error=0.02, members=members), survey)
    assert member.calibration_cost().item() == 0
    with torch.no_grad():
        member.zero_points.add_(torch.tensor([0.02, -0.04, 0.0, 0.0, 0.0]))
    assert member.calibration_cost().item() == pytest.approx(0.5 * (1 + 4), rel=1e-4)


def test_anchors_of_randomised_members_are_draws_from_the_zero_points_prior(survey):
    fit = replace(FIT, zero_point_error=0.04)
    anchors = torch.stack([member_of(k, fit, survey).anchor for k in range(1, 40, 2)])
    n_draws = anchors.numel()
    assert anchors.std().item() == pytest.approx(0.04, rel=4 / math.sqrt(2 * n_draws))
    assert abs(anchors.mean().item()) < 4 * 0.04 / math.sqrt(n_draws)
    restart = member_of(1, replace(fit, members="restarts"), survey)
    assert (restart.anchor == 0).all()
    assert (restart.zero_points == 0).all()


def test_the_members_of_a_pair_have_opposite_anchors(survey):
    first, second, third = (member_of(k, FIT, survey).anchor for k in (1, 2, 3))
    assert (first == -second).all()
    assert (first.abs() != third.abs()).all()


def test_randomised_members_see_a_bootstrap_of_the_catalogue_restarts_all_of_it(survey):
    """In whitened features the mean of a bootstrap of n galaxies scatters by 1/sqrt(n)."""
    fit = replace(
        FIT, distance=SlicedConfig(n_pool=512, n_step=32), features=FeaturesConfig("whitened")
    )
    squares = []
    for k in range(1, 9):
        first, second = (member_of(k, replace(fit, members=m), survey).misfit for m in MEMBERS)
        assert torch.equal(first.features.matrix, second.features.matrix)
        moved = first.distance.quantiles.mean(1) - second.distance.quantiles.mean(1)
        n_kept = len(survey.catalogue.mag) - round(FIT.holdout * len(survey.catalogue.mag))
        squares.append(n_kept * moved.square().mean().item())
    assert 0.5 < np.mean(squares) < 1.7  # chi-squared of 40 degrees of freedom, over 40
