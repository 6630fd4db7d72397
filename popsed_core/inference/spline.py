"""Monotonic rational-quadratic splines with linear tails, without masked indexing.

Formulas: Durkan et al. 2019, "Neural Spline Flows", equations 4-8.  Every element is evaluated,
with its abscissa clipped to the spline's interval, and elements outside take the identity: no
data-dependent shapes, and finite gradients everywhere.  The knots are one matrix product of the
softmaxed widths.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

MIN_BIN = 1e-3  # [fraction of the interval] smallest width and height of a bin, as in nflows
MIN_DERIVATIVE = 1e-3  # [-] smallest slope at a knot, as in nflows

Values = Float[Tensor, "sample feature"]
Sizes = Float[Tensor, "sample feature axis=2 bin"]
Edges = Float[Tensor, "sample feature edge"]


class Segment(NamedTuple):
    """The bin of each element: corner, size, mean slope, and slopes at its two knots."""

    left: Values
    width: Values
    bottom: Values
    height: Values
    slope: Values
    slope_left: Values
    slope_right: Values


def spline(
    value: Values, sizes: Sizes, slopes: Float[Tensor, "sample feature knot"],
    *, bound: float, is_inverse: bool = False,
) -> tuple[Values, Values]:  # fmt: skip
    """Evaluate one spline per element, the identity outside [-bound, bound].

    Args:
        value: abscissae (ordinates if ``is_inverse``).
        sizes: unnormalised bin widths, then heights (logits).
        slopes: unnormalised slopes at the inner knots, one fewer than bins.
        bound: half width of the interval; the slope is one at its ends.
        is_inverse: invert the spline.

    Returns:
        The mapped values and the log derivative of the map.
    """
    is_inside = value.abs() <= bound
    clipped = value.clamp(-bound, bound)
    x_knots, y_knots = knots(sizes, bound).unbind(2)
    bin_index = find_bin(y_knots if is_inverse else x_knots, clipped)
    segment = take_segment(x_knots, y_knots, slopes, bin_index)
    evaluate = _inverse if is_inverse else _forward
    mapped, log_slope = evaluate(clipped, segment)
    return torch.where(is_inside, mapped, value), torch.where(is_inside, log_slope, 0.0)


def knots(sizes: Sizes, bound: float) -> Float[Tensor, "sample feature axis=2 edge"]:
    """Return the edges of bins whose sizes are a floored softmax of the logits ``sizes``."""
    n_bins = sizes.shape[-1]
    if n_bins * MIN_BIN >= 1:
        raise ValueError(f"n_bins: got {n_bins}, expected fewer than {1 / MIN_BIN:.0f}")
    edge = torch.arange(n_bins + 1, device=sizes.device, dtype=sizes.dtype)
    below = (edge[:-1, None] < edge).to(sizes.dtype)  # bins below each edge: a cumulative sum
    floor = (2 * MIN_BIN * edge - 1) * bound  # added in the product, as shares sum to one
    shares = functional.softmax(sizes, -1)
    return shares @ (2 * bound * (1 - MIN_BIN * n_bins) * below + floor)


def find_bin(edges: Edges, value: Values) -> Int[Tensor, "sample feature 1"]:
    """Return the bin in which each value lies."""
    inner = edges[..., 1:-1].detach().contiguous()
    return torch.searchsorted(inner, value.detach()[..., None], right=True)


def take_segment(
    x_knots: Edges,
    y_knots: Edges,
    slopes: Float[Tensor, "sample feature knot"],
    bin_index: Int[Tensor, "sample feature 1"],
) -> Segment:
    """Gather the bin of each element; slopes are positive, and one at the ends."""
    both = torch.cat((bin_index, bin_index + 1), dim=-1)
    left, right = x_knots.gather(-1, both).unbind(-1)
    bottom, top = y_knots.gather(-1, both).unbind(-1)
    is_end = (both == 0) | (both == x_knots.shape[-1] - 1)
    inner = slopes.gather(-1, (both - 1).clamp(0, slopes.shape[-1] - 1))
    positive = torch.where(is_end, 1.0, functional.softplus(inner) + MIN_DERIVATIVE)
    width, height = right - left, top - bottom
    return Segment(left, width, bottom, height, height / width, *positive.unbind(-1))


def _forward(x: Values, segment: Segment) -> tuple[Values, Values]:
    fraction = (x - segment.left) / segment.width
    product = fraction * (1 - fraction)
    denominator = segment.slope + _bend(segment) * product
    rise = segment.slope * fraction.square() + segment.slope_left * product
    y = segment.bottom + segment.height * rise / denominator
    return y, _log_slope(fraction, product, denominator, segment)


def _inverse(y: Values, segment: Segment) -> tuple[Values, Values]:
    rise = y - segment.bottom
    a = segment.height * (segment.slope - segment.slope_left) + rise * _bend(segment)
    b = segment.height * segment.slope_left - rise * _bend(segment)
    c = -segment.slope * rise
    discriminant = (b.square() - 4 * a * c).clamp(min=0)
    fraction = 2 * c / (-b - discriminant.sqrt())
    product = fraction * (1 - fraction)
    denominator = segment.slope + _bend(segment) * product
    log_slope = _log_slope(fraction, product, denominator, segment)
    return segment.left + fraction * segment.width, -log_slope


def _bend(segment: Segment) -> Values:
    return segment.slope_left + segment.slope_right - 2 * segment.slope


def _log_slope(fraction: Values, product: Values, denominator: Values, segment: Segment) -> Values:
    numerator = (
        segment.slope_right * fraction.square()
        + 2 * segment.slope * product
        + segment.slope_left * (1 - fraction).square()
    )
    return 2 * (segment.slope / denominator).log() + numerator.log()
