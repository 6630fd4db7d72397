"""The density of an ensemble is one: it integrates to one, and its draws are distributed by it."""

import math

import pytest
import torch
from toy_world import FIT, PARAMETERS

from popsed_core.config.base import to_json
from popsed_core.inference.density import log_density
from popsed_core.inference.ensemble import load_flow
from popsed_core.inference.flow import PopulationFlow
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.running.runtime import generator

N = 60_000
SPACE = ParameterSpace(PARAMETERS)


def member(number, width=0.05):
    """A flow that no training has moved, but chance."""
    stream = generator(1, "density", number)
    flow = PopulationFlow.build(len(NAMES), FIT.flow, stream)
    with torch.no_grad():
        for weight in flow.parameters():
            weight += width * torch.randn(weight.shape, generator=stream)
    return {"member": number, "config": to_json(FIT), "flow": flow.state_dict()}


MEMBERS = [member(1), member(2)]


def base_draws(n=N):
    """Galaxies uniform in the coordinates, and their log density."""
    u = torch.randn(n, len(NAMES), generator=generator(2, "base"), dtype=torch.float64)
    theta = SPACE.to_theta(u)
    return theta, SPACE.log_coordinate_density(theta).sum(1)


def flow_draws(n=N):
    """Galaxies of the ensemble."""
    parts = []
    for number, each in enumerate(MEMBERS):
        flow = load_flow(each).double()
        with torch.no_grad():
            parts.append(flow.sample(n // len(MEMBERS), generator(3, "flow", number))[0])
    return SPACE.to_theta(torch.cat(parts))


@pytest.fixture(scope="module")
def weights():
    theta, log_base = base_draws()
    return theta, (log_density(MEMBERS, PARAMETERS, theta) - log_base).exp()


def test_it_integrates_to_one(weights):
    _, weight = weights
    error = weight.std().item() / math.sqrt(N)
    assert error < 0.02
    assert weight.mean().item() == pytest.approx(1, abs=5 * error)


def test_draws_have_the_marginal_that_it_says(weights):
    theta, weight = weights
    drawn = flow_draws()
    edges = [(0.01, 0.12, 0.2, 0.4), (8.0, 9.7, 11.0, 12.5)]
    for low, high in zip(edges[0][:-1], edges[0][1:], strict=True):
        for least, most in zip(edges[1][:-1], edges[1][1:], strict=True):

            def is_in(x, a=low, b=high, c=least, d=most):
                return (
                    (x.redshift >= a) & (x.redshift < b)
                    & (x.log_stellar_mass >= c) & (x.log_stellar_mass < d)
                )  # fmt: skip

            share = is_in(drawn).double().mean().item()
            said = weight * is_in(theta)
            error = math.hypot(said.std().item(), math.sqrt(share)) / math.sqrt(N)
            assert said.mean().item() == pytest.approx(share, abs=5 * error)


def test_an_ensemble_is_the_mean_of_its_flows():
    theta, _ = base_draws(50)
    both = log_density(MEMBERS, PARAMETERS, theta).exp()
    alone = [log_density([each], PARAMETERS, theta).exp() for each in MEMBERS]
    torch.testing.assert_close(both, sum(alone) / 2)


def test_it_is_zero_outside_and_finite_at_the_edge():
    theta, _ = base_draws(4)
    redshift = torch.tensor([0.005, 0.01, 0.4, 0.5], dtype=torch.float64)
    found = log_density(MEMBERS, PARAMETERS, theta._replace(redshift=redshift))
    assert torch.isinf(found).tolist() == [True, False, False, True]


def test_a_parameter_in_another_unit_changes_it_by_the_unit():
    """p(x) dx: a box half as wide at the same shares has twice the density."""
    theta, _ = base_draws(20)
    half = PARAMETERS | {"dust_index": type(PARAMETERS["dust_index"])(-1.5, 0.5)}
    moved = theta._replace(dust_index=theta.dust_index / 2)
    found = log_density(MEMBERS, half, moved)
    torch.testing.assert_close(
        found, log_density(MEMBERS, PARAMETERS, theta) + math.log(2), rtol=1e-9, atol=1e-9
    )
