"""How one parameter fills its range."""

import math
from dataclasses import replace

import pytest
import torch
from boxes import PARAMETERS

from popsed_core.inference.space import ParameterSpace
from popsed_core.parameters import NAMES, SIMPLEX_POWER
from popsed_core.theta import to_matrix

SPACE = ParameterSpace(PARAMETERS)


def uniform_u(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(n, len(NAMES), generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_coordinate_density_is_the_jacobian_of_the_map():
    u = uniform_u(200).requires_grad_()
    theta = SPACE.to_theta(u)
    (slope,) = torch.autograd.grad(to_matrix(theta).sum(), u)
    expected = -0.5 * (u.square() + math.log(2 * math.pi)) - slope.log()
    torch.testing.assert_close(SPACE.log_coordinate_density(theta), expected)


def test_standard_normal_u_makes_the_fractions_flat_on_the_simplex():
    theta = SPACE.to_theta(uniform_u(200_000))
    kappa = torch.stack([theta.kappa_1, theta.kappa_2, theta.kappa_3])
    beta = torch.stack([1 - kappa[0], kappa[0] * (1 - kappa[1])])
    assert (beta.mean(1) - 0.25).abs().max() < 0.003
    assert (beta.var(1) - 3 / 80).abs().max() < 0.001  # variance of a flat Dirichlet of four


def test_log_coordinate_has_its_median_at_the_geometric_mean():
    zero = torch.zeros(1, len(NAMES))
    box = PARAMETERS["t_burst"]
    assert SPACE.to_theta(zero).t_burst.item() == pytest.approx(math.sqrt(box.low * box.high))


def test_fraction_can_fill_a_part_of_the_unit_interval():
    box = replace(PARAMETERS["kappa_1"], low=0.2, high=0.6)
    space = ParameterSpace({**PARAMETERS, "kappa_1": box})
    half = space.to_theta(torch.zeros(1, len(NAMES))).kappa_1.item()
    assert half == pytest.approx(0.2 + 0.4 * 0.5 ** (1 / SIMPLEX_POWER["kappa_1"]))
