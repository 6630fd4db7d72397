"""One small survey for all tests of the Python API: toy spectra, tiny flows, an empty folder."""

import os
from pathlib import Path

import pytest

import popsed_core as popsed

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "config" / "smoke.yaml"
TABLE = ROOT / "tests" / "data" / "toy_survey.csv"


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """An empty folder to work in, for all of a session."""
    folder = tmp_path_factory.mktemp("notebook")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope="session")
def mine(empty):
    """The smoke configuration as a user would have it, with a path that holds anywhere."""
    path = empty / "mine.yaml"
    text = SMOKE.read_text().replace("tests/data/toy_survey.csv", str(TABLE))
    path.write_text(text.replace("survey: table2_mock", "survey: toy_survey"))
    return path


@pytest.fixture(scope="session")
def config(mine):
    return popsed.load_config(mine)


@pytest.fixture(scope="session")
def survey(config):
    return popsed.read_survey(config)


@pytest.fixture(scope="session")
def fit(survey, empty):
    return popsed.fit(survey, folder=empty / "fit")


@pytest.fixture(scope="session")
def samples(fit):
    return fit.sample(60)
