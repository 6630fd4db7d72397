"""Expected features as a misfit: unbiased, a chi-squared per galaxy, and a flow learns from it."""

from dataclasses import replace

import pytest
import torch
from toy_world import FIT, draw_truth, make_task

from popsed_core.config.distances import ExpectedConfig
from popsed_core.inference.distances.expected_misfit import weights
from popsed_core.inference.fit import FlowFit, fit_member
from popsed_core.theta import Theta

pytestmark = pytest.mark.usefixtures("one_thread")
EXPECTED = ExpectedConfig("expected", n_frequencies=40)
FIXED = replace(
    FIT, distance=EXPECTED, members="restarts", model_error=0.0, zero_point_error=0.0, holdout=0.1
)


@pytest.fixture(scope="module")
def job(survey):
    return FlowFit([make_task(fit=FIXED)], survey)


@pytest.fixture(scope="module")
def truth(job):
    """True fluxes of other galaxies of the catalogue's population."""
    theta = Theta(*(column.float() for column in draw_truth(40_000, seed=77)))
    with torch.no_grad():
        return job.forward.photometry(theta)


def misfit_at(job, maggies, progress=0.5):
    return job.members[0].misfit(maggies, torch.Generator(), progress).item()


def test_at_the_truth_it_is_half_a_component_per_galaxy(job, truth, survey):
    """chi^2 of K components, with the scatter of chi^2 and little of the draws."""
    misfit = job.members[0].misfit
    n_components, n_galaxies = misfit.root.shape[1], 0.9 * len(survey.catalogue.mag)
    chi_squared = 2 * n_galaxies * misfit_at(job, truth)
    scatter = (2 * n_components) ** 0.5
    assert chi_squared == pytest.approx(n_components, abs=4 * scatter)


@pytest.mark.parametrize("moved", [0.03, -0.03])
def test_it_rises_when_the_model_is_moved(job, truth, moved):
    wrong = truth * torch.tensor([1.0, 1.0, 1 + moved, 1.0, 1.0])
    assert misfit_at(job, wrong) > misfit_at(job, truth) + 0.01


def test_it_is_unbiased_for_any_number_of_draws(job, truth):
    """Means over small samples agree with the value of a large one; the plain square does not."""
    member = job.members[0]
    parts = truth.split(100)
    found = torch.tensor([misfit_at(job, part) for part in parts])
    error = found.std() / len(parts) ** 0.5
    assert abs(found.mean() - misfit_at(job, truth)) < 4 * error
    plain = torch.stack([member.misfit.project(member.misfit.features(p)) for p in parts])
    assert 0.5 * plain.square().sum(1).mean() > misfit_at(job, truth) + 10 * error


def test_half_of_it_per_galaxy_has_the_same_expectation_for_all_weights():
    """trace(R^T Sigma R) is the number of components, whatever the weights."""
    root = torch.randn(6, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    covariance = root @ root.T
    for weighting in ("efficient", "equal"):
        for error in (0.0, 0.01):
            config = replace(EXPECTED, weighting=weighting, feature_error=error)
            found = weights(covariance, 1000, config)
            total = covariance + 1000 * error**2 * torch.eye(6)
            assert torch.trace(found.T @ total @ found).item() == pytest.approx(6)


def test_directions_without_variance_carry_no_weight():
    covariance = torch.diag(torch.tensor([1.0, 0.1, 1e-9])).double()
    assert weights(covariance, 100, EXPECTED).shape == (3, 2)
    assert weights(covariance, 100, replace(EXPECTED, floor=50.0)).shape == (3, 1)
    assert weights(covariance, 100, replace(EXPECTED, floor=0.0)).shape == (3, 3)
    assert weights(covariance, 100, replace(EXPECTED, feature_error=0.1)).shape == (3, 3)


def test_an_error_of_the_model_makes_weights_alike():
    covariance = torch.diag(torch.tensor([1.0, 0.01])).double()
    found = weights(covariance, 10**6, replace(EXPECTED, feature_error=1.0))
    size = found.square().sum(1)
    assert (size[0] / size[1]).item() == pytest.approx(1.0, rel=1e-5)


def test_noise_annealing_changes_nothing(job, truth):
    assert misfit_at(job, truth, 0.0) == misfit_at(job, truth, 1.0)


def test_gradients_reach_the_zero_points(survey):
    fit = replace(FIXED, zero_point_error=0.05, members="randomised")
    member = fit_member(make_task(fit=fit), survey)[0]
    anchor = FlowFit([make_task(fit=fit)], survey).members[0].anchor
    assert (member["zero_points"] != anchor).all()


def test_a_flow_learns_from_it(survey):
    longer = replace(FIXED, n_epochs=8, n_steps=10, n_samples=300)
    history = fit_member(make_task(fit=longer), survey)[0]["history"]
    assert history["validation"][-1] < 0.5 * history["validation"][0]
    assert history["distance"][-1] < 0.5 * history["distance"][0]
    assert min(history["validation"]) > 0


def test_a_fit_says_where_it_ended_and_what_the_truth_would_have(survey):
    """The floor is the number of components, twice where the data are a bootstrap."""
    fits = {members: replace(FIXED, members=members) for members in ("restarts", "randomised")}
    found = {name: fit_member(make_task(fit=fit), survey)[0] for name, fit in fits.items()}
    floors = {}
    for name, fit in fits.items():
        floors[name] = found[name]["objective"]["floor"]
        root = FlowFit([make_task(fit=fit)], survey).members[0].misfit.root
        n = root.shape[1]
        assert floors[name] == pytest.approx(n if name == "restarts" else 2 * n, rel=1e-3)
        assert found[name]["objective"]["value"] > 3 * floors[name]  # hardly trained


def test_the_objective_of_the_truth_is_about_its_floor(job, truth):
    member = job.members[0]
    value = member.misfit.chi_squared(truth.split(2000))
    assert value == pytest.approx(member.misfit.floor, rel=0.6)


def test_other_distances_have_no_floor(survey):
    assert fit_member(make_task(), survey)[0]["objective"] == {}
