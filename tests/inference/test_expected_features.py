"""Expected features: their gradients, and their size for any flux."""

import pytest
import torch
from noisy import CUTS, expected, fluxes, model_of


def test_gradients_are_those_of_the_features():
    """d E[phi] / d m by a shift of all magnitudes."""
    model = model_of("error_given_flux", CUTS["snr"])
    features = expected(model).double()
    for mag in (17.02, 20.01):
        m = torch.full((1, 2), mag, dtype=torch.float64, requires_grad=True)
        features(10 ** (-0.4 * m)).sum().backward()
        ends = [features(fluxes(mag + step)).sum().item() for step in (-1e-4, 1e-4)]
        assert m.grad.sum().item() == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-4)


@pytest.mark.parametrize("mag", [2.0, 38.0, 60.0])
def test_features_are_finite_however_bright_or_faint(mag):
    features = expected(model_of("error_given_flux", CUTS["both"]))
    maggies = fluxes(mag).float().requires_grad_()
    found = features(maggies)
    found.sum().backward()
    assert found.abs().max() <= 1 + 1e-5
    assert torch.isfinite(maggies.grad).all()
