"""What Python makes is what the workflow's verbs make, put together here by hand."""

from dataclasses import fields, replace

import numpy as np
import pytest

import popsed_core as popsed
from popsed_core.api import fitting
from popsed_core.config.base import from_json, to_json
from popsed_core.config.fit import FitConfig
from popsed_core.diagnostics.summary import summarise
from popsed_core.inference.ensemble import sample_ensemble
from popsed_core.inference.fit import fit_members
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.running.borrowed import as_in_the_workflow
from popsed_core.stellar.ssp.build import build_ssp
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.noise_fit import fit_noise


def differing(first, second):
    """The fields of two artefacts that are not the same bytes."""
    found = []
    for item in fields(second):
        a, b = getattr(first, item.name), getattr(second, item.name)
        is_same = (
            a.dtype == b.dtype and a.tobytes() == b.tobytes()
            if isinstance(b, np.ndarray)
            else a == b
        )
        found += [] if is_same else [item.name]
    return found


@pytest.fixture(scope="module")
def by_hand(config):
    """Grid, catalogue, reference, noise, as the verbs make them."""
    section, redshift = config.surveys["toy_survey"], config.parameters["redshift"]
    with as_in_the_workflow(1):
        catalogue, reference = build_catalogue(
            section,
            redshift_range=(redshift.low, redshift.high),
            spectrum_range=(config.ssp.wave_low, config.ssp.wave_high),
            igm=config.spectra.igm,
        )
        return build_ssp(config.ssp, None), catalogue, reference, fit_noise(catalogue, config.noise)


def test_the_survey_is_the_verbs(survey, by_hand):
    grid, catalogue, reference, noise = by_hand
    assert differing(survey.ssp, grid) == []
    assert differing(survey.catalogue, catalogue) == []
    assert differing(survey.reference, reference) == []
    assert differing(survey.noise, noise) == []


@pytest.fixture(scope="module")
def trained(config, by_hand):
    """Task and members as `popsed fit member` trains them: from its section as JSON."""
    grid, catalogue, _, noise = by_hand
    section = {
        key: value
        for key, value in vars(config.fit_for("toy_survey")).items()
        if key not in ("n_members", "members_per_job")
    }
    task = FitTask(
        survey="toy_survey",
        member=1,
        seed=config.seed,
        fit=from_json(FitConfig, to_json(section)),
        spectra=config.spectra,
        parameters=config.parameters_for("toy_survey"),
    )
    inputs = FitInputs(grid, catalogue, noise)
    with as_in_the_workflow(1):
        members = [fit_members([replace(task, member=k)], inputs)[0][0] for k in (1, 2)]
    return task, inputs, [{**member, "source": grid.source} for member in members]


def test_members_are_the_verbs(fit, trained):
    for mine, theirs in zip(fit.members, trained[2], strict=True):
        assert theirs.keys() - mine.keys() == set()
        flows = mine["flow"], theirs["flow"]
        assert flows[0].keys() == flows[1].keys()
        assert all(flows[0][name].equal(flows[1][name]) for name in flows[0])
        assert mine["zero_points"].equal(theirs["zero_points"])
        tensors = ("flow", "zero_points")
        assert {k: mine[k] for k in theirs if k not in tensors} == {
            k: v for k, v in theirs.items() if k not in tensors
        }


def test_samples_are_the_verbs(samples, trained, config):
    task, inputs, members = trained
    products = replace(config.products, n_draws=30)
    with as_in_the_workflow(1):
        drawn = sample_ensemble(replace(task, member=0), products, inputs, members)
    drawn = replace(drawn, source=inputs.grid.source)
    assert differing(samples.population, drawn) == []


@pytest.mark.parametrize(("n", "n_each"), [(None, 200), (60, 30), (61, 31), (1, 1)])
def test_each_member_gives_as_many_as_asked_for_or_configured(n, n_each, fit, samples, monkeypatch):
    asked = []

    def drawn(task, products, inputs, members):
        asked.append(products.n_draws)
        return samples.population

    monkeypatch.setattr(fitting, "sample_ensemble", drawn)
    fit.sample(n)
    assert asked == [n_each]


def test_the_summary_is_the_verbs(samples, survey, fit, by_hand, config):
    _, catalogue, reference, noise = by_hand
    costs = [member["cost"] for member in fit.members]
    numbers = summarise(
        samples.population, catalogue, reference, fit.members, config.seed, costs=costs, noise=noise
    )
    assert popsed.summary(samples, survey).to_dict() == numbers


def test_a_file_gives_back_the_same_bits(fit, samples, tmp_path):
    fit.save(tmp_path / "a.popsed")
    again = popsed.load(tmp_path / "a.popsed")
    assert differing(again.sample(60).population, samples.population) == []
    again.save(tmp_path / "b.popsed")
    assert (tmp_path / "a.popsed").read_bytes() == (tmp_path / "b.popsed").read_bytes()
    assert again.survey.config == fit.survey.config
    assert differing(again.survey.reference, fit.survey.reference) == []
