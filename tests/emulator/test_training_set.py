"""The training set: spectra of the exact engine, unaffected by interruptions."""

import dataclasses
import errno
import math
import shutil

import numpy as np
import pytest
import torch
from chunks import BOX, make, make_task

from popsed_core.emulator.training_chunk import INPUTS, TrainingChunk, name_columns
from popsed_core.emulator.training_set import (
    TableSpectra,
    choose_pixels,
    draw_chunk,
)
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.toy import toy_grid


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


@pytest.mark.parametrize("kind", ["log", "ssp"])
def test_the_spectra_are_those_of_the_exact_engine(tmp_path, grid, kind):
    task = make_task(grid=kind)
    found = artefacts.load(make(tmp_path, grid, task), TrainingChunk)
    cut, edges, wave, _ = choose_pixels(grid, task.training)
    twin = ExactSpectra(cut, task.spectra, edges, max_redshift=0.8, tolerance=None)
    theta = name_columns(torch.as_tensor(found.theta[:300]))
    screen = math.log10(math.e) * twin.dust.log_screen(theta.tau_ism, theta.dust_index).numpy()
    exact = torch.log10(twin.behind_screen(theta)).numpy() + twin.log_unit + screen
    error = np.abs(found.log_lnu[:300] - exact)
    # the factorised table in the far UV of old stars, and float32 under 800 dex of dust
    assert (error < 3e-4 + 2e-6 * np.abs(screen)).all()
    assert np.sqrt(np.mean(error[np.abs(screen) < 1] ** 2)) < 5e-6
    assert np.array_equal(found.wave, wave)
    assert np.isfinite(found.log_lnu).all()


def test_the_darkest_dust_does_not_underflow(grid):
    task = make_task()
    inputs = draw_chunk(task)[:2]
    inputs[:, INPUTS.index("dust_index")] = -3.0
    inputs[:, INPUTS.index("tau_ism")] = torch.tensor([0.0, 3.0], dtype=torch.float64)
    inputs[1] = torch.where(torch.arange(10) == INPUTS.index("tau_ism"), inputs[1], inputs[0])
    maker = TableSpectra(grid, task)
    clear, dark = maker(name_columns(inputs))
    screen = maker.spectra.dust.log_screen(torch.tensor([3.0]), torch.tensor([-3.0]))[0]
    assert clear[0] - dark[0] > 700
    assert np.allclose(dark - clear, screen * math.log10(math.e), rtol=1e-6, atol=1e-5)


def test_draws_fill_the_box_uniformly_in_its_coordinates():
    inputs = draw_chunk(make_task(draws="coordinates"))
    for name, column in zip(INPUTS, inputs.unbind(1), strict=True):
        low, high, coordinate = BOX[name]
        assert low <= column.min() < column.max() <= high
        middle = math.sqrt(low * high) if coordinate == "log" else 0.5 * (low + high)
        if coordinate != "flat_simplex":
            assert abs((column < middle).double().mean() - 0.5) < 0.04


def test_too_small_a_disk_is_told_before_any_work(tmp_path, grid, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(InputError, match=r"chunk_1\.h5: needs 0\.00 GB.*training_set\.chunk_size"):
        make(tmp_path, grid, make_task())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", ["block", "chunk"])
def test_a_disk_that_fills_up_is_named_and_leaves_no_half_chunk(
    tmp_path, grid, monkeypatch, writer
):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    place = (torch, "save") if writer == "block" else (artefacts, "_write_header")
    monkeypatch.setattr(*place, fail)
    with pytest.raises(InputError, match=r"(block|chunk)_1\.(pt|h5): the disk is full; make room"):
        make(tmp_path, grid, make_task())
    assert not list(tmp_path.glob("**/*.h5*"))


def test_a_galaxy_without_light_is_named_by_its_wavelength(grid):
    flux = grid.ssp_flux.copy()
    flux[:4, :, grid.ssp_wave < 1500] = 0  # only the most metal-rich stars shine there
    dark = dataclasses.replace(grid, ssp_flux=flux)
    with pytest.raises(FloatingPointError, match=r"no light at 1\d\d\d AA.*training_set\.wave_low"):
        TableSpectra(dark, make_task())(name_columns(draw_chunk(make_task())[:10]))


def test_wavelengths_without_any_light_are_refused(grid):
    flux = np.where(grid.ssp_wave < 1500, 0, grid.ssp_flux)
    dark = dataclasses.replace(grid, ssp_flux=flux)
    with pytest.raises(InputError, match=r"training_set\.wave_low.*no light below 1[45]\d\d AA"):
        choose_pixels(dark, make_task().training)
