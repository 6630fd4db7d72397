"""Training spectra by FSPS itself: equal to the table's, and no files left if FSPS stops."""

import dataclasses
import math
import tempfile

import numpy as np
import pytest
import torch
from fsps_tools import LAYOUTS, make_world, without_half_of_the_ages
from fsps_truth import DARK, LOWEST_METALS
from laws_tools import RANGES

from popsed_core.config.base import to_json
from popsed_core.config.emulator import TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.config.ssp import FSPSConfig
from popsed_core.costs.emulator_speed import fsps_rate
from popsed_core.emulator import training_fsps
from popsed_core.emulator.training_chunk import TrainingChunk, name_columns
from popsed_core.emulator.training_set import ChunkTask, choose_pixels, make_chunk
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.files.artefacts import Provenance
from popsed_core.parameters import NAMES
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.fsps import read_fsps

pytestmark = [pytest.mark.slow, pytest.mark.fsps]
TOLERANCE = 1e-5  # relative
DEX = TOLERANCE * math.log10(
    math.e
)  # 4.3e-6 dex; on top comes the rounding to float32, 1e-6 at -15 dex
DIM = 8.0  # [dex] below a galaxy's brightest light; beyond, the table's dust, in single precision,
DEX_OF_DIM = 1e-5  # is worth a few of its last digits [dex]
N_GALAXIES = 12
RANGE = (1000.0, 9900.0)  # [AA] dust emission begins beyond
BOX = dict(zip(NAMES, RANGES.tolist(), strict=True)) | {"logzsol": (LOWEST_METALS, 0.3)}
PARAMETERS = {name: ParameterConfig(low, high) for name, (low, high) in BOX.items()}
ORIGIN = Provenance(source="toy", inputs={"ssp": "abc"})


@pytest.fixture(scope="module", params=LAYOUTS)
def world(request, tmp_path_factory):
    made = make_world(request.param, tmp_path_factory.mktemp("fsps"))
    with made.installed():
        yield made


@pytest.fixture(scope="module")
def grid(world):
    return read_fsps(FSPSConfig(version=world.version), world.home, RANGE)


def make_task(world, method="fsps", **spectra):
    recipe = {"star_formation": "bins", "burst": "released"} | spectra
    training = TrainingSetConfig(
        method=method, chunk_size=N_GALAXIES, grid="ssp", wave_low=RANGE[0], wave_high=RANGE[1]
    )
    return ChunkTask(1, 1, training, SpectraConfig(**recipe), PARAMETERS, str(world.home))


def make(folder, grid, task):
    path = folder / f"{task.training.method}.h5"
    make_chunk(task, grid, path, folder / "partial", ORIGIN)
    return artefacts.load(path, TrainingChunk)


@pytest.fixture(scope="module")
def chunk(world, grid, tmp_path_factory):
    return make(tmp_path_factory.mktemp("chunk"), grid, make_task(world))


def is_compared(chunk):
    return chunk.log_lnu > chunk.log_lnu.max(1, keepdims=True) + math.log10(DARK)


def test_spectra_are_those_of_the_exact_engine(world, grid, chunk):
    task = make_task(world)
    cut = choose_pixels(grid, task.training)[0]
    engine = ExactSpectra(cut, task.spectra, None, max_redshift=0.8, tolerance=None)
    theta = name_columns(torch.as_tensor(chunk.theta))
    screen = engine.dust.log_screen(theta.tau_ism, theta.dust_index) * math.log10(math.e)
    exact = (torch.log10(engine.behind_screen(theta)) + screen).numpy() + engine.log_unit
    error = np.abs(chunk.log_lnu - exact) - 0.5 * np.spacing(np.abs(chunk.log_lnu))
    assert error[is_compared(chunk)].max() <= DEX


def test_both_methods_make_the_same_chunk(world, grid, chunk, tmp_path):
    table = make(tmp_path, grid, make_task(world, "table"))
    assert np.array_equal(table.theta, chunk.theta)
    for name in ("wave", "wave_edges", "names", "box", "ssp_sha256"):
        assert np.array_equal(getattr(table, name), getattr(chunk, name))
    error = np.abs(table.log_lnu - chunk.log_lnu)
    depth = chunk.log_lnu.max(1, keepdims=True) - chunk.log_lnu
    assert error[depth < DIM].max() <= DEX
    assert error[is_compared(chunk)].max() <= DEX_OF_DIM


def test_two_children_make_the_chunk_of_one(world, grid, chunk, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        again = make(tmp_path, grid, make_task(world))
    finally:
        torch.set_num_threads(before)
    assert again.content_sha256 == chunk.content_sha256


def test_a_stop_of_fsps_is_one_error_and_leaves_nothing(world, grid, tmp_path, monkeypatch):
    home = without_half_of_the_ages(world, tmp_path)
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    work.mkdir(), temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    task = dataclasses.replace(make_task(world), sps_home=str(home))
    with pytest.raises(InputError, match=f"SPS_HOME={home}: FSPS stopped before its recipe was"):
        make(work, grid, task)
    assert [*work.iterdir(), *temporary.iterdir()] == []


@pytest.mark.parametrize("change", [{"star_formation": "exact"}, {"burst": "continuous"}])
def test_other_recipes_are_refused(world, grid, tmp_path, change):
    with pytest.raises(InputError, match=r"training_set\.method: fsps follows.*set them to bins"):
        make(tmp_path, grid, make_task(world, **change))


def test_a_table_that_is_not_of_this_fsps_is_refused(world, grid, tmp_path):
    other = dataclasses.replace(grid, library="BC03-2016/MILES")
    with pytest.raises(InputError, match=r"training_set\.method: fsps needs.*is BC03-2016/MILES"):
        make(tmp_path, other, make_task(world))


def test_a_galaxy_without_light_is_named_by_its_wavelength(world, grid, tmp_path, monkeypatch):
    def dark(self, theta):
        return np.where(self.wave > 5000, 0, np.ones((len(theta.redshift), 1)))

    monkeypatch.setattr(training_fsps.FSPSSpectra, "__call__", dark)
    with pytest.raises(FloatingPointError, match=r"no light at 50\d\d AA"):
        make(tmp_path, grid, make_task(world))


def test_fsps_is_timed_on_galaxies_of_the_emulator_s_prior(world, grid):
    task, n = make_task(world), 3
    segment = {"parameters": to_json(PARAMETERS), "seed": 1, "spectra": to_json(task.spectra)}
    threads = torch.get_num_threads()
    assert 0.01 < fsps_rate([segment], grid, world.home, n) < 1000
    assert torch.get_num_threads() == threads
