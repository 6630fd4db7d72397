"""Selection: faint limits read off the catalogue, as smooth log probabilities."""

import numpy as np
import pytest
import torch

from popsed_core.config.fit import SelectionConfig
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.selection import Selection

CONFIG = SelectionConfig(quantile=0.9, width=0.2)


@pytest.fixture(scope="module")
def catalogue():
    mag = np.random.default_rng(0).uniform(14, 18, size=(5000, 2)) + np.array([1.0, 0.0])
    return Catalogue(mag, 0.01 * np.ones_like(mag), np.array([5000]), ("g", "r"), ("a", "b"))


def test_the_limit_is_the_quantile_of_each_band(catalogue):
    limit = Selection(catalogue, CONFIG).limit
    share = (torch.as_tensor(catalogue.mag) < limit).double().mean(0)
    torch.testing.assert_close(share, torch.full((2,), 0.9).double(), atol=1e-3, rtol=0)


def test_a_galaxy_at_one_limit_is_half_selected(catalogue):
    selection = Selection(catalogue, CONFIG)
    mag = torch.stack([selection.limit[0], selection.limit[1] - 5])[None]
    assert selection(mag).exp().item() == pytest.approx(0.5, rel=1e-5)


def test_bright_galaxies_cost_nothing_and_faint_ones_a_nat_per_width(catalogue):
    selection = Selection(catalogue, CONFIG)
    bright, faint = selection.limit[None] - 5, selection.limit[None] + torch.tensor([4.0, -5.0])
    assert selection(bright).item() == pytest.approx(0, abs=1e-6)
    assert selection(faint).item() == pytest.approx(-4.0 / CONFIG.width, rel=1e-5)


def test_gradients_are_finite_however_faint(catalogue):
    mag = torch.tensor([[16.0, 40.0]], requires_grad=True)
    Selection(catalogue, CONFIG)(mag).sum().backward()
    assert torch.isfinite(mag.grad).all()
