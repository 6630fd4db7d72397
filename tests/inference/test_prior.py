"""The population prior: normalisation, divergence, draws, and errors that name the key."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from astropy.cosmology import FlatLambdaCDM
from boxes import COSMOLOGY, PARAMETERS, UNIFORM
from scipy import integrate, stats

from popsed_core.config.parameters import (
    ComovingVolume,
    FlatSimplex,
    ParameterConfig,
    Schechter,
    Tabulated,
    TruncatedNormal,
    Uniform,
)
from popsed_core.errors import InputError
from popsed_core.inference.flow import log_normal
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.theta import Theta, to_matrix

MASS_METALLICITY = TruncatedNormal(
    kind="truncated_normal",
    mean=-0.2,
    sigma=0.3,
    slope=0.4,
    against="log_stellar_mass",
    pivot=10.5,
)
RICH = {
    **PARAMETERS,
    "logzsol": replace(PARAMETERS["logzsol"], prior=MASS_METALLICITY),
    "dust_index": replace(
        PARAMETERS["dust_index"],
        prior=TruncatedNormal(kind="truncated_normal", mean=2.0, sigma=2.0),
    ),
    "tau_ism": replace(
        PARAMETERS["tau_ism"],
        prior=Tabulated(kind="tabulated", x=(-1.0, 0.3, 2.0, 5.0), density=(1.0, 4.0, 1.0, 0.2)),
    ),
}
SPACE = ParameterSpace(RICH)
DENSITIES = {
    "uniform": ("tau_bc", Uniform()),
    "simplex": ("kappa_1", FlatSimplex()),
    "normal": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=1.0, sigma=0.8)),
    "normal_far_below": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=-9, sigma=0.5)),
    "normal_far_above": ("tau_bc", TruncatedNormal(kind="truncated_normal", mean=9, sigma=0.5)),
    "tabulated": ("tau_bc", Tabulated(kind="tabulated", x=(0, 1, 3), density=(0.0, 2.0, 1.0))),
    "volume": ("redshift", ComovingVolume("comoving_volume")),
    "schechter": (
        "log_stellar_mass",
        Schechter(kind="schechter", log_knee=10.66, slope=(-0.35, -1.47), weight=(3.96, 0.79)),
    ),
}


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def middle(n: int) -> Theta:
    """Return n galaxies at the middle of the box."""
    return Theta(
        *(torch.full((n,), (RICH[name].low + RICH[name].high) / 2).double() for name in NAMES)
    )


def column_density(prior: PopulationPrior, name: str, x: np.ndarray, **given: float) -> np.ndarray:
    """Return one parameter's density at x, other parameters as given."""
    other = {key: torch.full((len(x),), value).double() for key, value in given.items()}
    theta = middle(len(x))._replace(**{name: torch.from_numpy(x), **other})
    return prior.log_density_by_parameter(theta)[:, NAMES.index(name)].exp().numpy()


@pytest.mark.parametrize("case", DENSITIES)
def test_density_integrates_to_one_over_the_box(case):
    name, density = DENSITIES[case]
    box = replace(RICH[name], prior=density)
    prior = PopulationPrior({**RICH, name: box}, COSMOLOGY)
    x = np.linspace(box.low, box.high, 20_001)
    total = integrate.simpson(column_density(prior, name, x), x=x)
    assert total == pytest.approx(1, abs=2e-5)


@pytest.mark.parametrize("mass", [7.5, 10.5, 13.0])
def test_conditional_density_integrates_to_one_for_each_value_of_the_other(mass):
    x = np.linspace(RICH["logzsol"].low, RICH["logzsol"].high, 20_001)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "logzsol", x, log_stellar_mass=mass)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=1e-5)


def test_conditional_mean_follows_the_other_parameter():
    theta = PopulationPrior(RICH, COSMOLOGY).sample(100_000, stream())
    near = (theta.log_stellar_mass - 9.5).abs() < 0.1
    ends = (np.array([-2.6, 0.3]) - (-0.6)) / 0.3
    assert theta.logzsol[near].mean().item() == pytest.approx(
        stats.truncnorm.mean(*ends, loc=-0.6, scale=0.3), abs=0.02
    )


def test_redshift_density_is_the_comoving_volume_of_astropy():
    redshift = np.geomspace(0.001, 0.8, 200)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "redshift", redshift)
    cosmology = FlatLambdaCDM(H0=COSMOLOGY.hubble, Om0=COSMOLOGY.omega_m)
    expected = cosmology.differential_comoving_volume(redshift).value * 4 * np.pi
    ends = cosmology.comoving_volume(np.array([0.001, 0.8])).value
    total = ends[1] - ends[0]
    np.testing.assert_allclose(density, expected / total, rtol=1e-4)


def test_mass_density_falls_off_as_schechter():
    mass = np.array([9.0, 11.0])
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "log_stellar_mass", mass)
    expected = 10 ** (0.2 * 2) * np.exp(-0.01) / np.exp(-1)  # slope -1.2, knee 11, per dex
    assert density[0] / density[1] == pytest.approx(expected)


def test_truncated_normal_equals_scipy():
    x = np.linspace(-3, 1, 50)
    density = column_density(PopulationPrior(RICH, COSMOLOGY), "dust_index", x)
    expected = stats.truncnorm.pdf(x, (-3 - 2) / 2, (1 - 2) / 2, loc=2, scale=2)
    np.testing.assert_allclose(density, expected, rtol=1e-10)


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
    found = prior.excess(space.to_theta(u), u, log_density, space).mean()
    expected = len(NAMES) * (-np.log(sigma) + (sigma**2 + mean**2 - 1) / 2)
    assert found.item() == pytest.approx(expected, abs=0.02)


def test_divergence_of_the_prior_from_itself_is_zero():
    prior = PopulationPrior(RICH, COSMOLOGY)
    theta = prior.sample(2000, stream(2))
    u = SPACE.to_unconstrained(theta).requires_grad_()
    (slope,) = torch.autograd.grad(to_matrix(SPACE.to_theta(u)).sum(), u)
    log_density_u = prior.log_density(theta) + slope.log().sum(1)
    found = prior.excess(theta, u.detach(), log_density_u, SPACE).mean()
    assert abs(found.item()) < 1e-9


def test_divergence_from_another_prior_is_positive():
    theta = PopulationPrior(UNIFORM, COSMOLOGY).sample(20_000, stream(3))
    space, prior = ParameterSpace(UNIFORM), PopulationPrior(RICH, COSMOLOGY)
    u = space.to_unconstrained(theta)
    assert prior.excess(theta, u, log_normal(u), space).mean() > 1


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


def test_table_that_is_zero_inside_the_box_names_the_remedy():
    table = Tabulated(kind="tabulated", x=(0.0, 1.0), density=(1.0, 1.0))
    with pytest.raises(InputError, match=r"parameters.tau_bc.prior: density is zero .* narrow"):
        PopulationPrior(_with_prior("tau_bc", table), COSMOLOGY)


def test_table_out_of_order_is_refused():
    table = Tabulated(kind="tabulated", x=(1.0, 0.0), density=(1.0, 1.0))
    with pytest.raises(InputError, match=r"tau_bc.prior: x must increase"):
        PopulationPrior(_with_prior("tau_bc", table), COSMOLOGY)


def test_schechter_terms_must_match():
    prior = Schechter(kind="schechter", log_knee=11.0, slope=(-1.0, -0.5), weight=(1.0,))
    with pytest.raises(InputError, match="2 slopes and 1 weights"):
        PopulationPrior(_with_prior("log_stellar_mass", prior), COSMOLOGY)


def test_negative_redshift_has_no_volume():
    boxes = _with_prior("redshift", ComovingVolume("comoving_volume"), low=-0.1)
    with pytest.raises(InputError, match=r"parameters.redshift.low"):
        PopulationPrior(boxes, COSMOLOGY)


def test_law_of_another_parameter_is_refused():
    boxes = _with_prior("tau_bc", ComovingVolume("comoving_volume"))
    with pytest.raises(
        InputError, match=r"tau_bc.prior.kind: comoving_volume is a law of redshift"
    ):
        PopulationPrior(boxes, COSMOLOGY)


def test_slope_against_nothing_is_refused():
    boxes = _with_prior("tau_bc", replace(MASS_METALLICITY, against=None))
    with pytest.raises(InputError, match=r"slope 0.4 needs `against`"):
        PopulationPrior(boxes, COSMOLOGY)


def test_schechter_far_above_its_knee_is_still_normalised():
    boxes = _with_prior("log_stellar_mass", PARAMETERS["log_stellar_mass"].prior, low=14, high=14.1)
    x = np.linspace(14, 14.1, 200_001)
    density = column_density(PopulationPrior(boxes, COSMOLOGY), "log_stellar_mass", x)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=5e-3)


@pytest.mark.parametrize("other", ["colour", "tau_bc", "logzsol"])
def test_unknown_or_circular_dependence_is_named(other):
    boxes = _with_prior("tau_bc", replace(MASS_METALLICITY, against=other))
    boxes["logzsol"] = replace(
        PARAMETERS["logzsol"], prior=replace(MASS_METALLICITY, against="tau_bc")
    )
    with pytest.raises(InputError, match=rf"prior.against: got '({other}|tau_bc)'"):
        PopulationPrior(boxes, COSMOLOGY)
