"""Filters on redshifted spectra: large batches keep no weights, and have the same gradient."""

import torch
from laws_tools import SDSS

from popsed_core.photometry import projection
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.projection import Projection
from popsed_core.spectra.wavelength import log_edges


def gradients(many, monkeypatch):
    """Values, and their gradient by spectra and redshift, where ``many`` galaxies are many."""
    monkeypatch.setattr(projection, "MANY", many)
    stream = torch.Generator().manual_seed(1)
    seen = Projection([load_filter(name) for name in SDSS], log_edges(1500.0, 12_000.0, 80), 0.8)
    spectra = torch.rand(50, 80, generator=stream, dtype=torch.float64).requires_grad_()
    redshift = (0.8 * torch.rand(50, generator=stream, dtype=torch.float64)).requires_grad_()
    flux = seen(spectra, redshift)
    flux.square().sum().backward()
    return flux.detach(), spectra.grad, redshift.grad


def test_many_galaxies_have_the_values_and_gradients_of_few(monkeypatch):
    for found, expected in zip(gradients(10, monkeypatch), gradients(50, monkeypatch), strict=True):
        assert torch.equal(found, expected)
        assert found.abs().max() > 0


def test_weights_of_many_galaxies_are_not_kept(monkeypatch):
    sizes = {}
    for many in (10, 50):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor, kept=kept: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            gradients(many, monkeypatch)
        sizes[many] = max(kept)
    assert sizes[50] >= 50 * 80 * len(SDSS)
    assert sizes[10] < 50 * 80 * len(SDSS)
