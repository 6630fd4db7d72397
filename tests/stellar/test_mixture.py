"""What galaxies are made of: their mass is on the nodes of the table, all of it, once."""

import pytest
import torch
from laws_tools import WAVE_RANGE, galaxy, prior_draws

from popsed_core.config.spectra import SpectraConfig
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.ssp.toy import toy_grid

GRID = toy_grid(WAVE_RANGE)


def mixture(**settings):
    return StellarMixture(GRID, SpectraConfig(**settings), 0.8)


@pytest.mark.parametrize("star_formation", ["exact", "bins"])
def test_all_mass_is_on_the_nodes(star_formation):
    smooth, burst = mixture(star_formation=star_formation).shares(prior_draws(500))
    assert smooth.min() >= 0
    assert burst.min() >= 0
    total = (smooth + burst).sum(1)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-6, atol=0)


def test_a_burst_lies_on_the_two_nodes_about_its_age():
    model = mixture()
    theta = galaxy(t_burst=0.3, f_burst=0.4)
    _, burst = model.shares(theta)
    (used,) = torch.nonzero(burst[0], as_tuple=True)
    assert used[1] == used[0] + 1
    age = model.burst(theta, model.cosmology.age_gyr(theta.redshift)).age
    assert model.log_age[used[0]] <= torch.log10(age) + 9 <= model.log_age[used[1]]
    assert burst.sum().item() == pytest.approx(0.4)


def test_young_and_old_stars_are_all_stars():
    model = mixture()
    theta = prior_draws(200)
    young, old = model.age_weights(theta)
    smooth, burst = model.shares(theta)
    torch.testing.assert_close(young.sum(1) + old.sum(1), (smooth + burst).sum(1))
    assert young.shape[1] == GRID.n_young


def test_nothing_is_older_than_the_universe():
    model = mixture()
    theta = prior_draws(300)
    smooth, burst = model.shares(theta)
    age = torch.log10(model.cosmology.age_gyr(theta.redshift)) + 9
    beyond = model.log_age[None, :-1] > age[:, None] + 1e-9
    # the node just beyond the age shares the mass of its cell
    first = beyond & ~torch.cat([beyond[:, :1], beyond[:, :-1]], dim=1)
    assert (smooth + burst)[:, :-1][beyond & ~first].abs().max() == 0
