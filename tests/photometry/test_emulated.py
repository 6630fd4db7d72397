"""Emulated photometry is the exact photometry, as closely as the networks were trained."""

from dataclasses import replace

import pytest
import torch
from laws_tools import SDSS, WAVE_RANGE, prior_draws
from toy_world import make_survey, make_task

from popsed_core.config import EmulatorConfig, LearningRate, SpectraConfig, TrainingSetConfig
from popsed_core.errors import InputError
from popsed_core.inference.task import build_forward, fingerprint
from popsed_core.photometry.synthetic import (
    build_emulated_photometry,
    build_synthetic_photometry,
)
from popsed_core.spectra.emulator_data import SegmentTask
from popsed_core.spectra.emulator_fit import fit_segment
from popsed_core.spectra.ssp_toy import toy_grid
from popsed_core.theta import Theta

GRID = toy_grid(WAVE_RANGE)
ENDS = (0.001, 0.8)
EMULATOR = EmulatorConfig(
    edges=(1000, 3600, 60000), n_components=(10, 10), n_hidden=48, n_layers=3, n_epochs=6,
    n_steps=100, batch_size=200, learning_rate=LearningRate(3e-4, 5e-3, 1e-5, 0.1),
)  # fmt: skip
MAX_ERROR = 0.03  # [mag] 68 % after the tiny training


@pytest.fixture(scope="module")
def segments():
    parameters = make_task().parameters
    wide = parameters | {"redshift": replace(parameters["redshift"], low=ENDS[0], high=ENDS[1])}
    task = SegmentTask(0, 3, EMULATOR, TrainingSetConfig(n_pixels=300), SpectraConfig(), wide)
    return [fit_segment(replace(task, segment=segment), GRID, "table") for segment in (0, 1)]


def test_emulated_magnitudes_are_close_to_the_exact_ones(segments):
    config = SpectraConfig()
    emulated = build_emulated_photometry(segments, GRID, SDSS, config, ENDS).float()
    exact = build_synthetic_photometry(GRID, SDSS, config, ENDS).float()
    theta = Theta(*(column.float() for column in prior_draws(2000)))
    error = 2.5 * torch.log10(emulated(theta) / exact(theta)).abs()
    assert error[exact(theta) > 0].quantile(0.68) < MAX_ERROR


def test_the_engine_is_chosen_by_the_configuration(segments):
    survey, task = make_survey(), make_task()
    task = replace(task, spectra=replace(task.spectra, engine="emulator"))
    with pytest.raises(InputError, match="no emulator is given; add --emulator PATH"):
        build_forward(task, survey, torch.device("cpu"))
    given = replace(survey, emulator=segments)
    forward = build_forward(task, given, torch.device("cpu"))
    assert len(forward.photometry.spectra.networks) == 2
    assert fingerprint([task], given) != fingerprint([task], survey)
