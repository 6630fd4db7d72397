"""The training set: spectra of the exact engine, the same whatever happens while they are made."""

import dataclasses
import errno
import math
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from popsed_core.config.emulator import TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.training_blocks import Blocks
from popsed_core.emulator.training_chunk import INPUTS, TrainingChunk, name_columns, read_spectra
from popsed_core.emulator.training_set import (
    ChunkTask,
    TableSpectra,
    choose_pixels,
    draw_chunk,
    make_chunk,
)
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance
from popsed_core.parameters import NAMES
from popsed_core.stellar.spectra import PopulationSpectra
from popsed_core.stellar.ssp.toy import toy_grid

HERE = Path(__file__).resolve().parent
BOX = {
    "redshift": (0.001, 0.8, "linear"),
    "log_stellar_mass": (7.5, 13.0, "linear"),
    **{f"kappa_{i}": (0.0, 1.0, "flat_simplex") for i in (1, 2, 3)},
    "t_burst": (0.01, 13.27, "log"),
    "f_burst": (0.0, 1.0, "linear"),
    "logzsol": (-2.6, 0.3, "linear"),
    "dust_index": (-3.0, 1.0, "linear"),
    "tau_bc": (0.0, 3.0, "linear"),
    "tau_ism": (0.0, 3.0, "linear"),
}
PARAMETERS = {name: ParameterConfig(*BOX[name]) for name in NAMES}
ORIGIN = Provenance(source="toy", inputs={"ssp": "abc"})


@pytest.fixture(scope="module")
def grid():
    return toy_grid((1000.0, 30000.0))


def make_task(chunk=1, seed=1, **changes):
    training = TrainingSetConfig(chunk_size=2500, n_pixels=120, **changes)
    return ChunkTask(chunk, seed, training, SpectraConfig(), PARAMETERS)


def make(folder, grid, task):
    path = folder / f"chunk_{task.chunk}.h5"
    make_chunk(task, grid, path, folder / f"partial_{task.chunk}", ORIGIN)
    return path


@pytest.mark.parametrize("kind", ["log", "ssp"])
def test_the_spectra_are_those_of_the_exact_engine(tmp_path, grid, kind):
    task = make_task(grid=kind)
    found = artefacts.load(make(tmp_path, grid, task), TrainingChunk)
    cut, edges, wave, _ = choose_pixels(grid, task.training)
    twin = PopulationSpectra(cut, task.spectra, edges, max_redshift=0.8, tolerance=None)
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


def test_a_chunk_depends_on_its_number_and_not_on_how_many_there_are(tmp_path, grid):
    few, many = (make_task(n_chunks=n) for n in (2, 200))
    a, b = (draw_chunk(task) for task in (few, many))
    assert torch.equal(a, b)
    assert not torch.equal(a, draw_chunk(make_task(chunk=2)))
    assert not torch.equal(a, draw_chunk(make_task(seed=2)))


def test_the_same_chunk_twice_has_the_same_bytes(tmp_path, grid):
    first, second = (make(tmp_path / name, grid, make_task()) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


class Killed(BaseException):
    """As if by kill -9: nothing of ours catches it."""


@pytest.fixture
def killer(monkeypatch):
    """Make the writer die at its second block, in the middle of a write."""
    append = Blocks.append

    def die(self, rows):
        if self.n_rows:
            (self.folder / ".block_2.pt.host-1-a.partial").write_bytes(rows[:7].tobytes())
            raise Killed
        append(self, rows)

    monkeypatch.setattr(Blocks, "append", die)
    return lambda: monkeypatch.setattr(Blocks, "append", append)


def test_a_killed_writer_goes_on_and_ends_with_the_same_bytes(tmp_path, grid, killer):
    with pytest.raises(Killed):
        make(tmp_path, grid, make_task())
    assert [path.name for path in tmp_path.iterdir()] == ["partial_1"]
    killer()
    calls = []
    table = TableSpectra.__call__

    def counted(self, theta):
        calls.append(len(theta.redshift))
        return table(self, theta)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TableSpectra, "__call__", counted)
        resumed = make(tmp_path, grid, make_task())
    assert sum(calls) == 1500  # of 2500: the first block was safe
    assert not (tmp_path / "partial_1").exists()
    assert resumed.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


@pytest.mark.slow
def test_kill_9_leaves_no_half_chunk_and_the_rest_is_made_to_the_same_bytes(tmp_path, grid):
    child = subprocess.Popen([sys.executable, HERE / "killable_chunk.py", tmp_path])
    partial = tmp_path / "partial_1"
    while not (partial / "block_1.pt").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.kill()
    child.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["partial_1"]
    resumed = make(tmp_path, grid, make_task())
    assert resumed.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


def test_what_was_begun_with_other_settings_is_not_gone_on_with(tmp_path, grid, killer):
    with pytest.raises(Killed):
        make(tmp_path, grid, make_task(seed=2))
    killer()
    path = make(tmp_path, grid, make_task())
    assert path.read_bytes() == make(tmp_path / "whole", grid, make_task()).read_bytes()


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


def test_a_damaged_chunk_is_refused_when_it_is_read(tmp_path, grid):
    path = make(tmp_path, grid, make_task())
    data = bytearray(path.read_bytes())
    for i in range(len(data) // 2, len(data) // 2 + 64):
        data[i] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"chunk_1\.h5: field log_lnu cannot be read"):
        read_spectra(path, slice(None), slice(None))
