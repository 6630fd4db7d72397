"""Real FSPS on toy data."""

import pytest
from chunks import ORIGIN, make, make_task
from fsps_tools import fsps_world  # noqa: F401  a fixture

from popsed_core.emulator.training_index import TrainingSet, make_index
from popsed_core.files import artefacts
from popsed_core.stellar.ssp.toy import toy_grid


@pytest.fixture(scope="session")
def training_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    grid = toy_grid((1000.0, 30000.0))
    chunks = [make(folder, grid, make_task(chunk=k)) for k in (1, 2, 3)]
    artefacts.save(make_index(chunks, 1, folder), folder / "index.h5", ORIGIN)
    return TrainingSet(folder / "index.h5")
