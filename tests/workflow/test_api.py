"""What Python makes of the smoke configuration is what the whole workflow made, byte for byte."""

import json
from dataclasses import fields

import numpy as np
import pytest
from workflow_tools import SMOKE

import popsed_core as popsed
from popsed_core.files.artefacts import load
from popsed_core.inference.ensemble import load_member
from popsed_core.inference.samples import PopulationSamples
from popsed_core.photometry.noise import NoiseTable
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference

pytestmark = pytest.mark.slow
COSTS = ("seconds", "seconds_total", "peak_memory_mb")  # of each run its own


@pytest.fixture(scope="module")
def results(built):
    return built / "results"


@pytest.fixture(scope="module")
def survey(built):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(built)  # the configuration's paths are relative
        return popsed.read_survey(popsed.load_config(SMOKE[1]))


@pytest.fixture(scope="module")
def fit(survey, tmp_path_factory):
    return popsed.fit(survey, folder=tmp_path_factory.mktemp("fit"))


@pytest.fixture(scope="module")
def samples(fit):
    return fit.sample()


def check_same(mine, theirs):
    for item in fields(theirs):
        a, b = getattr(mine, item.name), getattr(theirs, item.name)
        if isinstance(b, np.ndarray):
            assert (a.dtype, a.tobytes()) == (b.dtype, b.tobytes()), item.name
        else:
            assert a == b, item.name


def test_the_survey_is_the_workflows(survey, results):
    check_same(survey.ssp, load(results / "ssp.h5", SSPGrid))
    check_same(survey.catalogue, load(results / "table2_mock/catalogue.h5", Catalogue))
    check_same(survey.reference, load(results / "table2_mock/reference.h5", Reference))
    check_same(survey.noise, load(results / "table2_mock/noise.h5", NoiseTable))


def test_the_members_are_the_workflows(fit, results):
    for mine in fit.members:
        theirs = load_member(results / f"table2_mock/members/member_{mine['member']}.pt")
        assert all(mine["flow"][name].equal(theirs["flow"][name]) for name in theirs["flow"])
        assert mine["zero_points"].equal(theirs["zero_points"])
        assert mine["history"] == theirs["history"]
        assert mine["config"] == theirs["config"]


def test_the_samples_are_the_workflows(samples, results):
    check_same(samples.population, load(results / "table2_mock/samples.h5", PopulationSamples))


def test_the_summary_is_the_workflows(samples, survey, results):
    theirs = json.loads((results / "table2_mock/summary.json").read_text())
    mine = json.loads(json.dumps(popsed.summary(samples, survey).to_dict()))
    for numbers in (mine, theirs):
        for key in COSTS:
            del numbers["fit"][key]
    assert mine == theirs
