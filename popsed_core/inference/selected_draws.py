"""Draws that pass the survey's cuts: repeated until there are enough."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.errors import InputError
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import MIN_MAGGIES
from popsed_core.surveys.limits import Limits
from popsed_core.theta import Theta, from_matrix, to_matrix

MAX_TRIES = 100  # draws per kept draw, on average, beyond which a flow is considered lost
MARGIN = 1.1  # [-] further draws, over the number that the pass rate requires
CHUNK = 2000  # galaxies per forward pass: bounds the memory


class Observed(NamedTuple):
    """Galaxies and their photometry with noise.

    Attributes:
        theta: physical parameters.
        mag: magnitudes [mag].
        snr: flux over error.
    """

    theta: Theta
    mag: Float[Tensor, "galaxy band"]
    snr: Float[Tensor, "galaxy band"]


@dataclass(frozen=True)
class Selected:
    """Galaxies that pass a survey's cuts.

    Attributes:
        theta: physical parameters.
        mag: magnitudes with noise [mag].
        removed: share of all draws that did not pass.
    """

    theta: Theta
    mag: Float[Tensor, "galaxy band"]
    removed: float


def draw_selected(
    draw: Callable[[int], Observed], n: int, limits: Limits, *, name: str, remedy: str
) -> Selected:
    """Draw galaxies until ``n`` pass the cuts; the first ``n`` that do are kept, in their order.

    Args:
        draw: makes a number of observed galaxies; each call continues where the last one ended.
        n: galaxies wanted.
        limits: the cuts.
        name: whose draws they are, for the message.
        remedy: what to do if almost none passes.

    Raises:
        InputError: fewer than one draw in ``MAX_TRIES`` passes.
    """
    kept: list[tuple[Tensor, Tensor]] = []
    n_tried, n_kept, size = 0, 0, n
    while n_kept < n:
        if n_tried >= MAX_TRIES * n:
            raise InputError(
                f"{name}: {n_kept:,} of {n_tried:,} draws pass the survey's cuts ({limits}), "
                f"expected at least one in {MAX_TRIES}; {remedy}"
            )
        theta, mag, snr = draw(size)
        is_in = limits.passed(mag, snr)
        kept.append((to_matrix(theta)[is_in], mag[is_in]))
        n_tried, n_kept = n_tried + size, n_kept + int(is_in.sum())
        share = max(n_kept / n_tried, 1 / MAX_TRIES)
        size = min(n, math.ceil(MARGIN * (n - n_kept) / share))
    matrix, mag = (torch.cat(parts)[:n] for parts in zip(*kept, strict=True))
    return Selected(from_matrix(matrix), mag, 1 - n_kept / n_tried)


@torch.no_grad()
def observe(
    forward: ForwardModel,
    theta: Theta,
    stream: torch.Generator,
    zero_points: Float[Tensor, "band"] | None = None,
    f_lost: Float[Tensor, ""] | None = None,
) -> Observed:
    """Return galaxies as the survey measures them, at full noise.

    Args:
        forward: the model and the survey's noise.
        theta: physical parameters.
        stream: CPU stream of the noise, which does not depend on the size of the chunks.
        zero_points: added to the model [mag]; none: 0.
        f_lost: share of ionising photons lost; none: 0.
    """
    chunks = zip(*(column.split(CHUNK) for column in theta), strict=True)
    maggies = torch.cat([forward.fluxes(Theta(*chunk), f_lost) for chunk in chunks])
    noisy, sigma = forward.observe(maggies, stream, 1.0, zero_points)
    return Observed(theta, -2.5 * torch.log10(noisy.clamp(min=MIN_MAGGIES)), noisy / sigma)
