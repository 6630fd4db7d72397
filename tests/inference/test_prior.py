"""The population prior: normalisation, divergence, draws, and errors that name the key."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from boxes import COSMOLOGY, MASS_METALLICITY, PARAMETERS, RICH, UNIFORM, column_density, stream
from scipy import integrate, stats

from popsed_core.config.parameters import ParameterConfig
from popsed_core.errors import InputError
from popsed_core.inference.flow import log_normal
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.theta import to_matrix

SPACE = ParameterSpace(RICH)


def test_samples_follow_the_densities():
    prior = PopulationPrior(RICH, COSMOLOGY)
    theta = prior.sample(20_000, stream(1))
    for name in set(NAMES) - {"logzsol"}:
        x = np.linspace(RICH[name].low, RICH[name].high, 8001)
        cumulative = integrate.cumulative_simpson(column_density(prior, name, x), x=x, initial=0)
        values = getattr(theta, name).numpy()
        found = stats.kstest(values, lambda v, x=x, c=cumulative: np.interp(v, x, c))
        assert found.pvalue > 1e-4, name
        assert values.min() >= RICH[name].low
        assert values.max() <= RICH[name].high


def test_sampling_is_decided_by_the_generator():
    prior = PopulationPrior(RICH, COSMOLOGY)
    one, same, other = (to_matrix(prior.sample(50, stream(seed))) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_uniform_prior_over_linear_coordinates_has_no_weight():
    space = ParameterSpace(UNIFORM)
    u = torch.randn(100, len(NAMES), generator=stream()).double()
    weight = PopulationPrior(UNIFORM, COSMOLOGY).log_weight(space.to_theta(u), space)
    torch.testing.assert_close(weight, torch.zeros(100).double(), atol=1e-12, rtol=0)


def test_divergence_of_a_normal_from_the_uniform_prior_is_the_closed_form():
    space, prior = ParameterSpace(UNIFORM), PopulationPrior(UNIFORM, COSMOLOGY)
    mean, sigma = 0.4, 0.7
    base = torch.randn(200_000, len(NAMES), generator=stream()).double()
    u = mean + sigma * base
    log_density = log_normal(base) - len(NAMES) * np.log(sigma)
    found = prior.log_density_ratio(space.to_theta(u), u, log_density, space).mean()
    expected = len(NAMES) * (-np.log(sigma) + (sigma**2 + mean**2 - 1) / 2)
    assert found.item() == pytest.approx(expected, abs=0.02)


def test_divergence_of_the_prior_from_itself_is_zero():
    prior = PopulationPrior(RICH, COSMOLOGY)
    theta = prior.sample(2000, stream(2))
    u = SPACE.to_unconstrained(theta).requires_grad_()
    (slope,) = torch.autograd.grad(to_matrix(SPACE.to_theta(u)).sum(), u)
    log_density_u = prior.log_density(theta) + slope.log().sum(1)
    found = prior.log_density_ratio(theta, u.detach(), log_density_u, SPACE).mean()
    assert abs(found.item()) < 1e-9


def test_divergence_from_another_prior_is_positive():
    theta = PopulationPrior(UNIFORM, COSMOLOGY).sample(20_000, stream(3))
    space, prior = ParameterSpace(UNIFORM), PopulationPrior(RICH, COSMOLOGY)
    u = space.to_unconstrained(theta)
    assert prior.log_density_ratio(theta, u, log_normal(u), space).mean() > 1


def test_samples_recover_the_mean_weight_of_one():
    u = torch.randn(400_000, len(NAMES), generator=stream(4)).double()
    simple = {**UNIFORM, "tau_ism": RICH["tau_ism"], "redshift": RICH["redshift"]}
    space = ParameterSpace(simple)
    weight = PopulationPrior(simple, COSMOLOGY).log_weight(space.to_theta(u), space).exp()
    assert weight.mean().item() == pytest.approx(1, abs=0.01)


def test_gradients_equal_finite_differences():
    prior = PopulationPrior(RICH, COSMOLOGY)
    u = torch.randn(5, len(NAMES), generator=stream(5)).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda value: prior.log_weight(SPACE.to_theta(value), SPACE), u)


def test_weights_and_gradients_are_finite_in_float32_up_to_30():
    prior = PopulationPrior(RICH, COSMOLOGY)
    u = torch.linspace(-30, 30, 601)[:, None].repeat(1, len(NAMES)).requires_grad_()
    weight = prior.log_weight(SPACE.to_theta(u), SPACE)
    weight.sum().backward()
    assert torch.isfinite(weight).all()
    assert torch.isfinite(u.grad).all()


def _with_prior(name: str, prior, **box: float) -> dict[str, ParameterConfig]:
    return {**PARAMETERS, name: replace(PARAMETERS[name], prior=prior, **box)}


def test_slope_against_nothing_is_refused():
    boxes = _with_prior("tau_bc", replace(MASS_METALLICITY, against=None))
    with pytest.raises(InputError, match=r"slope 0.4 needs `against`"):
        PopulationPrior(boxes, COSMOLOGY)


@pytest.mark.parametrize("other", ["colour", "tau_bc", "logzsol"])
def test_unknown_or_circular_dependence_is_named(other):
    boxes = _with_prior("tau_bc", replace(MASS_METALLICITY, against=other))
    boxes["logzsol"] = replace(
        PARAMETERS["logzsol"], prior=replace(MASS_METALLICITY, against="tau_bc")
    )
    with pytest.raises(InputError, match=rf"prior.against: got '({other}|tau_bc)'"):
        PopulationPrior(boxes, COSMOLOGY)
