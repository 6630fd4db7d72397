"""Photometry of large batches: spectra are not kept, values and gradients are the same."""

import pytest
import torch
from laws_tools import SDSS
from toy_world import GRID, draw_truth

from popsed_core.config.spectra import SpectraConfig
from popsed_core.photometry import synthetic
from popsed_core.theta import Theta

N_GALAXIES, N_PIXELS = 50, 80


@pytest.fixture(scope="module")
def photometry():
    return synthetic.build_synthetic_photometry(GRID, SDSS, SpectraConfig(N_PIXELS), (0.01, 0.4))


def gradients(photometry, many, monkeypatch):
    """Fluxes, and gradients by every parameter, where ``many`` galaxies are many."""
    monkeypatch.setattr(synthetic, "MANY", many)
    columns = [column.clone().requires_grad_() for column in draw_truth(N_GALAXIES)]
    flux = photometry(Theta(*columns))
    flux.log().sum().backward()
    return [flux.detach(), *(column.grad for column in columns)]


def test_many_galaxies_have_the_values_and_gradients_of_few(photometry, monkeypatch):
    found, expected = (gradients(photometry, many, monkeypatch) for many in (10, N_GALAXIES))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=0)
        assert one.abs().max() > 0


def test_spectra_of_many_galaxies_are_not_kept(photometry, monkeypatch):
    largest = {}
    for many in (10, N_GALAXIES):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, kept=kept: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            monkeypatch.setattr(synthetic, "MANY", many)
            theta = Theta(*(column.requires_grad_() for column in draw_truth(N_GALAXIES)))
            photometry(theta)
        largest[many] = max(kept, default=0)
    assert largest[N_GALAXIES] >= N_GALAXIES * N_PIXELS
    assert largest[10] <= N_GALAXIES
