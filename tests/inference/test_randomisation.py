"""What is a member's own: nothing of restarts, opposite draws of a randomised pair."""

from dataclasses import replace
from typing import get_args, get_type_hints

import pytest
import torch
from galaxies import GALAXIES
from toy_world import FIT, make_task

from popsed_core.config.fit import FitConfig, LostPhotonsConfig
from popsed_core.inference.randomisation import RANDOMISATIONS, randomisation

ROWS = torch.arange(1000)


def of(number, members="randomised"):
    fit = replace(FIT, members=members, f_lost=LostPhotonsConfig(), zero_point_error=0.1)
    return randomisation(replace(make_task(number, fit), parameters=GALAXIES))


def test_every_kind_of_the_configuration_has_its_object():
    kinds = get_args(get_args(get_type_hints(FitConfig, include_extras=True)["members"])[0])
    assert set(kinds) == RANDOMISATIONS.keys()


def test_a_restart_sees_the_catalogue_and_the_central_calibration_and_prior():
    restart = of(1, "restarts")
    assert torch.equal(restart.rows(ROWS), ROWS)
    assert torch.equal(restart.zero_points(3), torch.zeros(3))
    assert restart.parameters() == GALAXIES
    assert restart.lost_photons().anchor.item() == of(2, "restarts").lost_photons().anchor.item()


def test_a_pair_has_opposite_calibration_and_its_own_data():
    first, second = of(1), of(2)
    assert torch.equal(first.zero_points(3), -second.zero_points(3))
    shares = [each.lost_photons().anchor.item() for each in (first, second)]
    assert shares[0] != shares[1]
    assert not torch.equal(first.rows(ROWS), second.rows(ROWS))


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_drawn_does_not_depend_on_the_order_of_the_calls(number):
    forwards, backwards = of(number), of(number)
    zero_points, rows = forwards.zero_points(4), forwards.rows(ROWS)
    assert torch.equal(backwards.rows(ROWS), rows)
    assert torch.equal(backwards.zero_points(4), zero_points)


def test_the_data_of_a_kind_scatter_as_it_says():
    """The mean of a bootstrap of n rows scatters by their own error, 1 / sqrt(n)."""
    for kind, cls in RANDOMISATIONS.items():
        means = torch.stack([of(k, kind).rows(ROWS).double().mean() for k in range(1, 200)])
        error = ROWS.double().var() / len(ROWS)
        scatter = (means - ROWS.double().mean()).square().mean() / error
        assert scatter.item() == pytest.approx(cls.data_scatter, abs=0.4)
