"""The spline against a slow twin that knows equation 4 of Durkan et al. 2019 and nothing else."""

import pytest
import torch
from torch.nn import functional

from popsed_core.inference.spline import MIN_BIN, MIN_DERIVATIVE, spline

BOUND = 3.0
N_BISECTIONS = 60


def draw(shape: tuple[int, ...], n_bins: int) -> list[torch.Tensor]:
    """Return abscissae on both sides of the bound, and the logits of a spline for each."""
    noise = torch.Generator().manual_seed(10)
    sizes = ((), (2, n_bins), (n_bins - 1,))
    drawn = [2 * torch.randn(*shape, *more, generator=noise, dtype=torch.float64) for more in sizes]
    drawn[0][0, :4] = torch.tensor([-30.0, -BOUND, BOUND, 30.0])
    return drawn


def slow(value: torch.Tensor, sizes: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
    """Evaluate the splines of the elements inside the bound, and pass the others."""
    is_inside = value.abs() <= BOUND
    mapped = value.clone()
    mapped[is_inside] = equation_4(value[is_inside], sizes[is_inside], slopes[is_inside])
    return mapped


def equation_4(x: torch.Tensor, sizes: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
    shares = MIN_BIN + (1 - sizes.shape[-1] * MIN_BIN) * sizes.softmax(-1)
    edges = functional.pad(2 * BOUND * shares.cumsum(-1), (1, 0)) - BOUND
    x_edges, y_edges = edges.unbind(1)
    delta = functional.pad(functional.softplus(slopes) + MIN_DERIVATIVE, (1, 1), value=1.0)
    k = (x[:, None] >= x_edges[:, 1:-1]).sum(1)
    row = torch.arange(len(x))
    width = x_edges[row, k + 1] - x_edges[row, k]
    height = y_edges[row, k + 1] - y_edges[row, k]
    xi, s = (x - x_edges[row, k]) / width, height / width
    product = xi * (1 - xi)
    rise = height * (s * xi.square() + delta[row, k] * product)
    return y_edges[row, k] + rise / (s + (delta[row, k + 1] + delta[row, k] - 2 * s) * product)


def slow_inverse(value: torch.Tensor, sizes: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
    """Find by bisection where the splines have the values."""
    low, high = torch.full_like(value, -40.0), torch.full_like(value, 40.0)
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        is_below = slow(middle, sizes, slopes) < value
        low, high = torch.where(is_below, middle, low), torch.where(is_below, high, middle)
    return (low + high) / 2


def log_slope(x: torch.Tensor, sizes: torch.Tensor, slopes: torch.Tensor) -> torch.Tensor:
    """Return the log derivative that autograd finds."""
    x = x if x.requires_grad else x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(slow(x, sizes, slopes).sum(), x, create_graph=True)
    return slope.log()


def test_values_and_slopes_are_those_of_the_slow_twin():
    inputs = draw((400, 5), 16)
    value, log_derivative = spline(*inputs, bound=BOUND)
    torch.testing.assert_close(value, slow(*inputs), atol=1e-9, rtol=0)
    torch.testing.assert_close(log_derivative, log_slope(*inputs).detach(), atol=1e-8, rtol=0)


def test_inverse_is_where_the_slow_twin_has_the_value():
    inputs = draw((400, 5), 16)
    value, log_derivative = spline(*inputs, bound=BOUND, is_inverse=True)
    expected = slow_inverse(*inputs)
    torch.testing.assert_close(value, expected, atol=1e-9, rtol=0)
    expected = -log_slope(expected, *inputs[1:]).detach()
    torch.testing.assert_close(log_derivative, expected, atol=1e-6, rtol=0)


def test_gradients_are_those_of_the_slow_twin():
    inputs = [each.requires_grad_() for each in draw((50, 4), 8)]
    ours = sum(part.sum() for part in spline(*inputs, bound=BOUND))
    theirs = slow(*inputs).sum() + log_slope(*inputs).sum()
    for fast, honest in zip(
        torch.autograd.grad(ours, inputs), torch.autograd.grad(theirs, inputs), strict=True
    ):
        torch.testing.assert_close(fast, honest, atol=1e-8, rtol=1e-8)


def test_more_bins_than_fit_are_refused():
    with pytest.raises(ValueError, match="n_bins"):
        spline(torch.zeros(1, 1), torch.zeros(1, 1, 2, 1000), torch.zeros(1, 1, 999), bound=BOUND)
