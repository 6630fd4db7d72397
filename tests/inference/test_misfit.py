"""What a member minimises: the distance of noisy draws to the catalogue that it sees."""

from dataclasses import replace

import pytest
import torch
from toy_world import FIT, make_task

from popsed_core.config.distances import ExpectedConfig
from popsed_core.config.schedules import NoiseAnnealing
from popsed_core.inference.distances.misfit import DrawnMisfit, Misfit, build_misfits
from popsed_core.inference.fit import FlowFit
from popsed_core.running.runtime import generator

N = FIT.n_samples


@pytest.fixture(scope="module")
def maggies(survey):
    return torch.as_tensor(survey.catalogue.maggies[:N]).float()


def misfits(survey, fit=FIT):
    member = FlowFit([make_task(1, fit)], survey).members[0]
    return member.misfit, member.validation


@pytest.mark.parametrize("distance", [FIT.distance, ExpectedConfig("expected")])
def test_the_distance_s_kind_chooses_the_misfit(survey, distance):
    for misfit in misfits(survey, replace(FIT, distance=distance)):
        assert isinstance(misfit, Misfit)
        assert isinstance(misfit, DrawnMisfit) == (distance is FIT.distance)


def test_a_call_is_decided_by_its_stream(survey, maggies):
    misfit, _ = misfits(survey)
    one, same, other = (misfit(maggies, generator(seed), 0.5).item() for seed in (1, 1, 2))
    assert one == same != other


def test_galaxies_of_another_brightness_are_farther(survey, maggies):
    for misfit in misfits(survey):
        near, far, farther = (
            misfit(maggies * 10 ** (-0.4 * shift), generator(1), 1.0).item()
            for shift in (0.0, 0.5, 1.0)
        )
        assert near < far < farther


def test_validation_has_the_survey_s_own_noise_however_early(survey, maggies):
    """Training starts with less noise, so that galaxies are told apart; judging never does."""
    fit = replace(FIT, noise_annealing=NoiseAnnealing(amplitude=30.0))
    training, validation = misfits(survey, fit)
    first, last = (validation(maggies, generator(1), at).item() for at in (0.0, 1.0))
    assert first == last
    first, last = (training(maggies, generator(1), at).item() for at in (0.0, 1.0))
    assert first != last


def test_what_is_held_out_is_not_trained_on(survey, maggies):
    """Galaxies that are moved away change the misfit whose rows they are, and no other."""
    member = FlowFit([make_task(1, replace(FIT, members="restarts"))], survey).members[0]
    seen_rows = {}

    def keep(seen, *arguments):
        seen_rows["kept"], seen_rows["held"] = seen.kept, seen.held
        return build_misfits(seen, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("popsed_core.inference.member.build_misfits", keep)
        member._build_misfits(survey.catalogue, FlowFit([make_task()], survey).forward)
    kept, held = (set(rows.tolist()) for rows in seen_rows.values())
    assert not kept & held
    assert len(kept) + len(held) == len(survey.catalogue.mag)
