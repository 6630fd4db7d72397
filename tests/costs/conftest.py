"""A small survey, as a fit reads it and as files, for what measures costs."""

import pytest
from toy_world import GRID, base_catalogue, make_survey, noise_table

from popsed_core.files.artefacts import Provenance, save


@pytest.fixture
def files(tmp_path):
    catalogue = base_catalogue(400)
    artefacts = {"ssp": GRID, "catalogue": catalogue, "noise": noise_table(catalogue)}
    for name, artefact in artefacts.items():
        save(artefact, tmp_path / f"{name}.h5", Provenance("toy"))
    return {name: tmp_path / f"{name}.h5" for name in artefacts}


@pytest.fixture(scope="module")
def survey():
    return make_survey()
