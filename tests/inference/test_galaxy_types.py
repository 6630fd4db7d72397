"""Star-forming and quiescent galaxies: densities, draws, and the numbers of the literature."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from boxes import COSMOLOGY, PARAMETERS
from galaxies import CONFIG, GALAXIES, PRIOR, at, stream
from scipy import integrate, stats

from popsed_core.config.parameters import TruncatedNormal
from popsed_core.errors import InputError
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.star_formation import SURVIVING
from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.sfh import Histories, simplex_fractions
from popsed_core.theta import Theta

TYPES = PRIOR.types
TYPED = ("kappa_2", "kappa_3", "kappa_1", "logzsol", "tau_ism", "f_burst")
CASES = {  # at both ends of redshift and mass, young and old
    "typical": {},
    "light": {"log_stellar_mass": 7.6, "redshift": 0.01},
    "massive": {"log_stellar_mass": 12.9, "redshift": 0.02},
    "light_far": {"log_stellar_mass": 7.6, "redshift": 0.79},
    "oldest": {"kappa_2": 0.999, "kappa_3": 0.999, "redshift": 0.79},
    "youngest": {"kappa_2": 0.01, "kappa_3": 0.5, "t_burst": 0.011},
}
TYPICAL = {
    "redshift": 0.1, "log_stellar_mass": 10.7, "kappa_1": 0.9, "kappa_2": 0.7, "kappa_3": 0.5,
    "t_burst": 2.0, "f_burst": 0.02, "logzsol": -0.1, "dust_index": -0.4, "tau_bc": 0.4,
    "tau_ism": 0.3,
}  # fmt: skip


def nodes(name: str) -> np.ndarray:
    """Return values that fill the range, many where the density is steep."""
    low, high = GALAXIES[name].low, GALAXIES[name].high
    if name == "kappa_1":
        return 1 - np.geomspace(1, 1e-9, 40_001)
    if name == "f_burst":
        return np.concatenate([[0.0], np.geomspace(1e-9, 1, 20_001)])
    return np.linspace(low, high, 20_001)


def column(name: str, x: np.ndarray, case: dict[str, float]) -> np.ndarray:
    given = {key: torch.full((len(x),), v).double() for key, v in {**TYPICAL, **case}.items()}
    theta = Theta(**{**given, name: torch.from_numpy(x)})
    return PRIOR.log_density_by_parameter(theta)[:, NAMES.index(name)].exp().numpy()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", [*TYPED, "dust_index", "tau_bc", "t_burst", "redshift"])
def test_density_integrates_to_one_whatever_it_is_given(name, case):
    x = nodes(name)
    assert integrate.trapezoid(column(name, x, CASES[case]), x) == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("is_quiescent", [False, True])
@pytest.mark.parametrize("name", TYPED)
def test_quantiles_of_each_type_invert_the_integral_of_its_density(name, is_quiescent, case):
    x = nodes(name)
    given = {
        key: torch.full((len(x),), v).double() for key, v in {**TYPICAL, **CASES[case]}.items()
    }
    part = TYPES.parts[name]
    log_density = part.log_densities(torch.from_numpy(x), part.state(given))[int(is_quiescent)]
    below = integrate.cumulative_trapezoid(log_density.exp().numpy(), x, initial=0)
    share = np.linspace(0.001, 0.999, 500)
    short = {key: column[:500].numpy() for key, column in given.items()}
    found = TYPES.quantile(name, share, short, np.full(500, is_quiescent))
    np.testing.assert_allclose(np.interp(found, x, below), share, atol=3e-4)


def test_draws_of_both_types_together_follow_each_conditional_density():
    n, step = 400, 4000
    theta = at(n, redshift=0.15, log_stellar_mass=10.6)
    for name in TYPED:
        x = nodes(name)[:: max(len(nodes(name)) // step, 1)]
        rows = Theta(*(torch.repeat_interleave(item, len(x)) for item in theta))
        rows = rows._replace(**{name: torch.from_numpy(np.tile(x, n))})
        log_density = PRIOR.log_density_by_parameter(rows)[:, NAMES.index(name)]
        density = log_density.exp().reshape(n, len(x)).numpy()
        below = integrate.cumulative_trapezoid(density, x, initial=0, axis=1)
        values = getattr(theta, name).numpy()
        share = [np.interp(v, x, row / row[-1]) for v, row in zip(values, below, strict=True)]
        assert stats.kstest(share, "uniform").pvalue > 1e-3, name


def log_sfr(theta: Theta) -> np.ndarray:
    """Return the smooth history's log SFR, by the bases themselves [dex Msun / yr]."""
    histories, fractions = Histories(), simplex_fractions(theta)
    age = CosmologyTable(COSMOLOGY, 1.0).age_gyr(theta.redshift)
    window = torch.full_like(age, 0.1)
    formed = (fractions * histories.cumulative(age)[0]).sum(1)
    share = (fractions * histories.cumulative(window)[0]).sum(1) / formed
    return (theta.log_stellar_mass + torch.log10(share / 1e8)).numpy()


@pytest.mark.parametrize(("log_mass", "median"), [(10.0, -0.33), (10.5, -0.02), (11.0, 0.08)])
def test_metallicity_lies_below_gallazzi_by_the_share_of_quiescent_galaxies(log_mass, median):
    """Quiescent ones are 0.1 dex lower than they measured, for the colour of the red sequence."""
    theta = at(20_000, redshift=0.05, log_stellar_mass=log_mass - SURVIVING)
    quiescent = float((log_sfr(theta) < log_mass - 11.2).mean())
    lowered = median - 0.1 * quiescent
    assert theta.logzsol.median().item() == pytest.approx(lowered, abs=0.05)


def test_weights_and_gradients_are_finite_in_float32_up_to_30():
    space = ParameterSpace(GALAXIES)
    u = torch.linspace(-30, 30, 601)[:, None].repeat(1, len(NAMES))
    u = torch.cat([u, u * torch.tensor([(-1.0) ** k for k in range(len(NAMES))])])
    u.requires_grad_()
    weight = PRIOR.log_weight(space.to_theta(u), space)
    weight.sum().backward()
    assert torch.isfinite(weight).all()
    assert torch.isfinite(u.grad).all()


def test_gradients_equal_finite_differences():
    space = ParameterSpace(GALAXIES)
    u = torch.randn(5, len(NAMES), generator=stream(5)).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: PRIOR.log_weight(space.to_theta(x), space), u)


def test_each_parameter_is_drawn_after_all_that_it_depends_on():
    order = PRIOR.order
    for name, others in {
        "kappa_1": ("redshift", "log_stellar_mass", "kappa_2", "kappa_3"),
        "f_burst": ("t_burst", "kappa_1", "tau_ism"),
        "dust_index": ("tau_ism",),
        "tau_bc": ("tau_ism",),
    }.items():
        assert all(order.index(other) < order.index(name) for other in others)


def test_circle_through_several_parents_is_named():
    back = TruncatedNormal("truncated_normal", mean=0.5, sigma=0.3, slope=1.0, against="kappa_1")
    boxes = {**GALAXIES, "redshift": replace(GALAXIES["redshift"], prior=back)}
    with pytest.raises(InputError, match=r"redshift.prior.against: got 'kappa_1'"):
        PopulationPrior(boxes, COSMOLOGY)


def test_types_without_their_fraction_are_refused_with_the_remedy():
    boxes = {**GALAXIES, "kappa_1": PARAMETERS["kappa_1"]}
    with pytest.raises(InputError, match=r"older_stars needs kappa_1.prior.kind star_formation"):
        PopulationPrior(boxes, COSMOLOGY)


def test_nodes_must_match_their_values():
    prior = replace(GALAXIES["dust_index"].prior, median=(0.1, 0.2))
    boxes = {**GALAXIES, "dust_index": replace(GALAXIES["dust_index"], prior=prior)}
    with pytest.raises(InputError, match=r"dust_index.prior: nodes must increase"):
        PopulationPrior(boxes, COSMOLOGY)


def test_the_paper_s_mock_keeps_its_uniform_priors():
    boxes = CONFIG.parameters_for("table2_mock")
    kinds = {name: box.prior.kind for name, box in boxes.items()}
    assert set(kinds.values()) == {"comoving_volume", "schechter", "uniform"}
