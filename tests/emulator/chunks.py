"""Small chunks of training spectra of the toy table, and what they are made for."""

import torch

from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.target import make_target
from popsed_core.emulator.training_set import (
    ChunkTask,
    make_chunk,
)
from popsed_core.files.artefacts import Provenance
from popsed_core.parameters import NAMES

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


def make_task(chunk=1, seed=1, **changes):
    training = TrainingSetConfig(chunk_size=2500, n_pixels=120, **changes)
    return ChunkTask(chunk, seed, training, SpectraConfig(), PARAMETERS)


def make(folder, grid, task):
    path = folder / f"chunk_{task.chunk}.h5"
    make_chunk(task, grid, path, folder / f"partial_{task.chunk}", ORIGIN)
    return path


CONFIG = EmulatorConfig(edges=(1000.0, 3600.0, 60000.0), n_components=(12, 12))


def spectra(training_set, segment, is_validation=False, target="behind_screen"):
    pixels = training_set.pixels(*CONFIG.edges[segment : segment + 2])
    transform = make_target(target, training_set.index.wave[pixels])
    return torch.cat([transform(*block) for block in training_set.blocks(is_validation, pixels)])
