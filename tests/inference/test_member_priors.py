"""Members trained together: each has its own prior, as it would alone."""

from dataclasses import replace

import torch
from boxes import PARAMETERS
from galaxies import GALAXIES, PRIOR, stream
from toy_world import FIT, make_task

from popsed_core.inference.flow import log_normal
from popsed_core.inference.priors.member_priors import MemberPriors
from popsed_core.inference.randomisation import randomisation
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES

NUMBERS = (1, 2, 5)
SPACE = ParameterSpace(GALAXIES)


def tasks(parameters=GALAXIES, **changes):
    fit = replace(FIT, **changes)
    return [replace(make_task(number, fit), parameters=parameters) for number in NUMBERS]


def log_density_ratio(prior, u):
    return prior.log_density_ratio(SPACE.to_theta(u), u, log_normal(u), SPACE)


def test_members_together_have_the_priors_that_they_have_alone():
    u = torch.randn(30, len(NAMES), generator=stream())
    together = log_density_ratio(MemberPriors(tasks()), u).split(10)
    for task, part, found in zip(tasks(), u.split(10), together, strict=True):
        torch.testing.assert_close(found, log_density_ratio(MemberPriors([task]), part))
    assert len({randomisation(task).parameters()["kappa_1"] for task in tasks()}) == len(NUMBERS)


def test_restarts_and_certain_priors_share_the_central_one():
    u = torch.randn(30, len(NAMES), generator=stream())
    shared = MemberPriors(tasks(members="restarts"))
    torch.testing.assert_close(log_density_ratio(shared, u), log_density_ratio(PRIOR, u))
    assert len(shared.priors) == len(MemberPriors(tasks(PARAMETERS)).priors) == 1


def test_the_members_of_a_pair_have_opposite_draws_of_the_prior():
    first, second, third = (replace(make_task(k, FIT), parameters=GALAXIES) for k in (1, 2, 3))
    knees = [
        randomisation(task).parameters()["log_stellar_mass"].prior.log_knee
        - GALAXIES["log_stellar_mass"].prior.log_knee
        for task in (first, second, third)
    ]
    assert knees[0] == -knees[1] != 0
    assert abs(knees[2]) != abs(knees[0])
