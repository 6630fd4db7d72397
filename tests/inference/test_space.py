"""The map from u to theta: its range, inverse, density and numerical safety."""

import torch
from boxes import PARAMETERS

from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES
from popsed_core.theta import to_matrix

SPACE = ParameterSpace(PARAMETERS)


def uniform_u(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, len(NAMES), generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_round_trip_returns_u():
    u = uniform_u(500).clamp(-4, 4)
    torch.testing.assert_close(SPACE.to_unconstrained(SPACE.to_theta(u)), u, atol=1e-9, rtol=0)


def test_parameters_never_leave_their_range_in_float32():
    u = torch.linspace(-30, 30, 2001)[:, None].expand(-1, len(NAMES))
    for name, value in SPACE.to_theta(u)._asdict().items():
        low, high = torch.tensor([PARAMETERS[name].low, PARAMETERS[name].high])
        tolerance = 4e-7 * value.abs().max()
        assert value.min() >= low - tolerance
        assert value.max() <= high + tolerance


def test_parameters_increase_with_u():
    u = torch.linspace(-4, 4, 200)[:, None].expand(-1, len(NAMES))
    assert (to_matrix(SPACE.to_theta(u)).diff(dim=0) > 0).all()


def test_values_and_gradients_are_finite_in_float32_up_to_30():
    u = torch.linspace(-30, 30, 601)[:, None].repeat(1, len(NAMES)).requires_grad_()
    theta = SPACE.to_theta(u)
    log_density = SPACE.log_coordinate_density(theta)
    (to_matrix(theta).sum() + log_density.sum()).backward()
    assert torch.isfinite(to_matrix(theta)).all()
    assert torch.isfinite(log_density).all()
    assert torch.isfinite(u.grad).all()


def test_gradient_equals_finite_differences():
    u = uniform_u(20).requires_grad_()
    assert torch.autograd.gradcheck(lambda value: to_matrix(SPACE.to_theta(value)), u)
