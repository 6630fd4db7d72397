"""What the networks see of a galaxy: enough to tell galaxies apart, finite in all of the box."""

import pytest
import torch
from laws_tools import WAVE_RANGE, corner_draws, galaxy, prior_draws

from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.inputs import FADING_SLOPES, INPUTS, YOUNGER_THAN
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.ssp.toy import toy_grid

GRID = toy_grid(WAVE_RANGE)
MIXTURE = StellarMixture(GRID, SpectraConfig(), 0.8)


def inputs(kind, theta, has_screen=False):
    return INPUTS[kind](MIXTURE, has_screen)(theta, MIXTURE)


@pytest.mark.parametrize("kind", INPUTS)
def test_inputs_are_finite_with_finite_gradients_in_all_corners(kind):
    for theta in (prior_draws(300), corner_draws(300)):
        leaves = type(theta)(*(column.clone().requires_grad_() for column in theta))
        found = inputs(kind, leaves, has_screen=True)
        assert torch.isfinite(found).all()
        found.sum().backward()
        assert all(torch.isfinite(x.grad).all() for x in leaves if x.grad is not None)


@pytest.mark.parametrize("kind", INPUTS)
def test_the_screen_is_two_columns_more_and_mass_is_none(kind):
    theta = prior_draws(20)
    bare, behind = (inputs(kind, theta, has) for has in (False, True))
    assert behind.shape[1] == bare.shape[1] + 2
    heavier = theta._replace(log_stellar_mass=theta.log_stellar_mass + 1)
    assert torch.equal(inputs(kind, heavier), bare), "spectra are per unit mass"


def test_a_burst_older_than_its_galaxy_is_seen_as_it_is():
    """The paper's inputs tell galaxies apart whose light is the same; ours nearly do not."""
    old, older = (galaxy(t_burst=t, redshift=0.5) for t in (12.0, 13.0))
    literal, physical = (
        (inputs(kind, old) - inputs(kind, older)).abs().max().item() for kind in INPUTS
    )
    assert literal > 0.9
    assert physical < 1e-2


def test_shares_of_bases_and_metals_sum_to_one_and_young_mass_grows_with_age():
    found = inputs("physical", prior_draws(100))
    n_metals = len(GRID.ssp_lgmet)
    masses, metals = found[:, 8:12], found[:, 12 : 12 + n_metals]
    torch.testing.assert_close(masses.sum(1), torch.ones(100).double())
    torch.testing.assert_close(metals.sum(1), torch.ones(100).double())
    young = found[:, -len(YOUNGER_THAN) :]
    assert (young.diff(dim=1) >= 0).all()
    assert found.shape[1] == 12 + n_metals + len(FADING_SLOPES) + len(YOUNGER_THAN)
