"""Laws of the emulator on the toy table: it learns, resumes, refuses, and has the exact call."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.schedules import LearningRate
from popsed_core.config.spectra import CosmologyConfig, SpectraConfig
from popsed_core.emulator.data import FreshSpectra, SegmentTask
from popsed_core.emulator.emulator import EmulatedSpectra, assemble, check_emulator
from popsed_core.emulator.fit import SegmentFit, fit_segment
from popsed_core.emulator.training_draws import draw_theta
from popsed_core.errors import InputError
from popsed_core.parameters import NAMES
from popsed_core.running import loop
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.theta import Theta

WAVE_RANGE = (1000.0, 30000.0)
LOW = (0.001, 7.5, 0, 0, 0, 0.01, 0, -2.6, -3, 0, 0)
HIGH = (0.8, 13, 1, 1, 1, 13.27, 1, 0.3, 1, 3, 3)
BOX = {name: ParameterConfig(low, high) for name, low, high in zip(NAMES, LOW, HIGH, strict=True)}
GRID = toy_grid(WAVE_RANGE)
EMULATOR = EmulatorConfig(
    edges=(1000, 3600, 60000), n_components=(10, 10), n_hidden=48, n_layers=3, n_epochs=8,
    n_steps=100, batch_size=200, learning_rate=LearningRate(3e-4, 5e-3, 1e-5, 0.1),
)  # fmt: skip
TASK = SegmentTask(
    segment=0, seed=3, emulator=EMULATOR, training=TrainingSetConfig(n_pixels=80),
    spectra=SpectraConfig(), parameters=BOX,
)  # fmt: skip
MAX_ERROR = 0.02  # 68 % fractional error after the tiny training; measured 0.009 and 0.003
NAME = "emulator.pt"


@pytest.fixture(scope="module")
def segments():
    return [fit_segment(replace(TASK, segment=segment), GRID, "table") for segment in (0, 1)]


@pytest.fixture(scope="module")
def theta():
    return draw_theta(BOX, 2000, torch.Generator().manual_seed(1))


def emulated(segments, **options):
    return EmulatedSpectra(segments, GRID, SpectraConfig(), max_redshift=0.8, **options).float()


def fresh_fit(task):
    return SegmentFit(task, FreshSpectra(task, GRID))


def exact(edges):
    return ExactSpectra(GRID, SpectraConfig(), edges, max_redshift=0.8).float()


def test_a_tiny_training_comes_close_to_the_exact_spectra(segments, theta):
    model = emulated(segments)
    truth = exact(model.edges)
    ratio = model(theta) * 10 ** (model.log_unit - truth.log_unit) / truth(theta).clamp(min=1e-30)
    is_seen = truth(theta) > 1e-20
    error = (ratio[is_seen] - 1).abs()
    assert error.quantile(0.68) < MAX_ERROR


def test_training_improves_a_lot_on_the_mean_spectrum(segments):
    for index, segment in enumerate(segments):
        untrained = fresh_fit(replace(TASK, segment=index)).validate()
        assert min(segment["history"]["validation"]) < min(MAX_ERROR, untrained / 20)


def test_the_call_is_that_of_the_exact_spectra(segments, theta):
    model = emulated(segments)
    truth = exact(model.edges)
    assert model(theta).shape == truth(theta).shape
    torch.testing.assert_close(model.derived(theta), truth.derived(theta))
    age = model.cosmology.age_gyr(theta.redshift)
    torch.testing.assert_close(age, truth.cosmology.age_gyr(theta.redshift))


def test_gradients_are_finite(segments, theta):
    leaves = Theta(*(column.clone().requires_grad_() for column in theta))
    torch.log(emulated(segments)(leaves) + 1e-30).sum().backward()
    used = [leaf for name, leaf in zip(NAMES, leaves, strict=True) if name != "log_stellar_mass"]
    assert all(torch.isfinite(leaf.grad).all() for leaf in used)


def test_pixels_outside_the_range_are_left_out_and_the_rest_is_the_same(segments, theta):
    whole, part = emulated(segments), emulated(segments, wave_range=(4000.0, 9000.0))
    assert len(part.networks) == 1
    first = int(np.searchsorted(whole.edges, part.edges[0] - 1e-9))
    scale = 10 ** (part.log_unit - whole.log_unit)
    same = whole(theta)[:, first : first + len(part.edges) - 1]
    torch.testing.assert_close(part(theta) * scale, same, rtol=1e-4, atol=1e-30)


def test_resumed_training_equals_uninterrupted_bit_for_bit(tmp_path):
    config = replace(EMULATOR, n_epochs=3, n_steps=5)
    task = replace(TASK, emulator=config)
    whole = fresh_fit(task)
    loop.run(whole)
    half = fresh_fit(task)
    half.n_epochs = 2
    loop.run(half, tmp_path / "half.pt", "same")
    rest = fresh_fit(task)
    loop.run(rest, tmp_path / "half.pt", "same")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, rest.network.state_dict()[name])


def test_the_paper_s_emulator_includes_the_screen():
    config = replace(
        EMULATOR, target="full", inputs="literal", loss="unweighted", n_epochs=2, n_steps=20
    )
    job = fresh_fit(replace(TASK, emulator=config))
    assert job.validation[0].shape[1] == len(NAMES) - 1
    before = job.validate()
    loop.run(job)
    assert job.validate() < before


def test_a_missing_segment_is_named(segments):
    with pytest.raises(InputError, match=r"segments \[0\], expected \[0, 1\]"):
        assemble(segments[:1], ["a.pt"])


def test_segments_of_two_trainings_are_refused(segments):
    with pytest.raises(InputError, match=r"b.pt: seed differs from that of a.pt"):
        assemble([segments[0], {**segments[1], "seed": 4}], ["a.pt", "b.pt"])


def test_another_table_model_or_box_is_refused(segments):
    check_emulator(segments, "table", SpectraConfig(engine="emulator"), BOX, NAME)
    check_emulator(segments, "table", SpectraConfig(igm="none"), BOX, NAME)
    with pytest.raises(InputError, match="trained on the SSP table"):
        check_emulator(segments, "other", SpectraConfig(), BOX, NAME)
    with pytest.raises(InputError, match="trained with spectra"):
        check_emulator(segments, "table", SpectraConfig(burst="released"), BOX, NAME)
    cosmology = CosmologyConfig(hubble=70.0)
    with pytest.raises(InputError, match="trained with spectra"):
        check_emulator(segments, "table", SpectraConfig(cosmology=cosmology), BOX, NAME)
    wide = BOX | {"redshift": ParameterConfig(0.001, 1.5)}
    with pytest.raises(InputError, match=r"trained for redshift in 0.001-0.8, but .* 0.001-1.5"):
        check_emulator(segments, "table", SpectraConfig(), wide, NAME)
