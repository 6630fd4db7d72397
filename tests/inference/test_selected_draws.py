"""Draws are repeated until enough pass; their order does not depend on the number of rounds."""

import numpy as np
import pytest
import torch

from popsed_core.errors import InputError
from popsed_core.inference.selected_draws import Observed, draw_selected
from popsed_core.parameters import NAMES
from popsed_core.surveys.limits import Limits
from popsed_core.theta import from_matrix, to_matrix

LIMITS = Limits(("g", "r"), 1.0, (float("inf"), 20.0))
WORDS = {"name": "member 3", "remedy": "train for longer"}


class Survey:
    """A stream of numbered galaxies of which every ``every``-th is bright enough."""

    def __init__(self, every):
        self.every, self.n_made = every, 0

    def __call__(self, n):
        number = torch.arange(self.n_made, self.n_made + n, dtype=torch.float32)
        self.n_made += n
        is_bright = number % self.every == 0
        mag = torch.stack([torch.full_like(number, 25.0), torch.where(is_bright, 19.0, 21.0)], 1)
        theta = from_matrix(number[:, None].expand(-1, len(NAMES)))
        return Observed(theta, mag, torch.full_like(mag, 2.0))


@pytest.mark.parametrize("every", [1, 2, 7, 60])
def test_the_first_that_pass_are_kept_in_their_order(every):
    found = draw_selected(Survey(every), 40, LIMITS, **WORDS)
    expected = np.arange(40) * every
    np.testing.assert_array_equal(to_matrix(found.theta)[:, 0], expected)
    assert (found.mag[:, 1] < 20).all()
    assert found.removed == pytest.approx(1 - 1 / every, abs=0.03)


def test_no_more_are_drawn_than_are_needed():
    survey = Survey(1)
    assert draw_selected(survey, 500, LIMITS, **WORDS).removed == 0
    assert survey.n_made == 500
    survey = Survey(2)
    draw_selected(survey, 500, LIMITS, **WORDS)
    assert survey.n_made < 1200


def test_a_low_signal_to_noise_ratio_does_not_pass():
    def alternating(n):
        made = Survey(1)(n)
        snr = torch.where(made.theta.redshift[:, None] % 2 == 0, 0.9, 2.0)
        return made._replace(snr=snr.expand_as(made.mag))

    kept = draw_selected(alternating, 100, Limits(("g", "r"), 1.0, ()), **WORDS)
    assert (kept.theta.redshift % 2 == 1).all()
    assert draw_selected(alternating, 100, Limits(("g", "r"), 0.5, ()), **WORDS).removed == 0


def test_a_flow_that_almost_never_passes_is_told_with_its_cuts():
    survey = Survey(10**9)
    with pytest.raises(
        InputError, match=r"member 3: 1 of 1,000 draws pass .* \(SNR > 1, r < 20\).*train"
    ):
        draw_selected(survey, 10, LIMITS, **WORDS)
    assert survey.n_made <= 1010
