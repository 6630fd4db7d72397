"""Emulated photometry is the exact photometry, as closely as the networks were trained."""

from dataclasses import replace

import pytest
import torch
from laws_tools import SDSS, WAVE_RANGE, prior_draws
from nebular_tools import toy_gas
from toy_world import make_survey, make_task

from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
from popsed_core.config.schedules import LearningRate
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.data import FreshSpectra, SegmentTask
from popsed_core.emulator.fit import fit_segment
from popsed_core.errors import InputError
from popsed_core.inference.task import build_forward, fingerprint
from popsed_core.photometry.synthetic import build_emulated_photometry, build_synthetic_photometry
from popsed_core.stellar.ssp.toy import toy_grid
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


def test_gas_is_added_to_emulated_stars_as_to_exact_ones(segments):
    """Networks emulate stars only, so the effect of gas is the same except for pixels."""
    settings, gas = SpectraConfig(n_pixels=2000), toy_gas()
    theta = prior_draws(200)
    lost = torch.linspace(0, 1, 200).double()
    excess = []
    for build in (
        lambda grid: build_emulated_photometry(segments, grid, SDSS, settings, ENDS),
        lambda grid: build_synthetic_photometry(grid, SDSS, settings, ENDS, tolerance=None),
    ):
        with_gas, stars = (build(grid).double() for grid in (gas, gas.stars()))
        assert with_gas.has_nebular
        assert not stars.has_nebular
        excess.append(with_gas(theta, lost) - stars(theta))
    whole = with_gas(theta)
    assert ((excess[0] - excess[1]).abs() < 2e-3 * whole).all()
    assert (excess[1][:100] > 0).all()
    assert (excess[1] / whole).max() > 0.05


def test_emulators_learn_stars_whatever_gas_there_is():
    task = SegmentTask(
        0, 3, EMULATOR, TrainingSetConfig(n_pixels=300), SpectraConfig(), make_task().parameters
    )
    gas = toy_gas()
    found = [
        FreshSpectra(task, grid).validation(torch.device("cpu")) for grid in (gas, gas.stars())
    ]
    assert torch.equal(found[0].log_lnu, found[1].log_lnu)
    assert torch.equal(found[0].features, found[1].features)


def test_the_engine_is_chosen_by_the_configuration(segments):
    survey, task = make_survey(), make_task()
    task = replace(task, spectra=replace(task.spectra, engine="emulator"))
    with pytest.raises(InputError, match="no emulator is given; add --emulator PATH"):
        build_forward(task, survey, torch.device("cpu"))
    given = replace(survey, emulator=segments)
    forward = build_forward(task, given, torch.device("cpu"))
    assert len(forward.photometry.spectra.networks) == 2
    assert fingerprint([task], given) != fingerprint([task], survey)
