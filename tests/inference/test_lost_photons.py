"""The share of lost ionising photons: fitted like the zero points where there is nebular light."""

from dataclasses import replace

import pytest
import torch
from scipy import stats
from toy_world import FIT, make_survey, make_task

from popsed_core.config.distances import ExpectedConfig
from popsed_core.config.fit import LostPhotonsConfig
from popsed_core.config.products import ProductsConfig
from popsed_core.inference import task as task_module
from popsed_core.inference.ensemble import sample_ensemble
from popsed_core.inference.fit import FlowFit, fit_member, fit_members
from popsed_core.inference.lost_photons import LostPhotons, typical_share
from popsed_core.running import loop

pytestmark = pytest.mark.usefixtures("one_thread")
PRIOR = LostPhotonsConfig(mean=0.4, sigma=0.2)
EXPECTED = replace(FIT, distance=ExpectedConfig("expected", n_frequencies=20))
LINES = torch.tensor([0.0, 0.3, 0.1, 0.0, 0.05])  # nebular light over stellar light


class WithLines(torch.nn.Module):
    """Photometry with nebular light in some bands."""

    has_nebular = True

    def __init__(self, photometry):
        super().__init__()
        self.stars = photometry

    def forward(self, theta, f_lost=None):
        kept = torch.ones(()) if f_lost is None else 1 - f_lost
        return self.stars(theta) * (1 + LINES * kept.reshape(-1, 1))

    def derived(self, theta):
        return self.stars.derived(theta)


@pytest.fixture(scope="module")
def survey():
    return make_survey(400)


@pytest.fixture
def _nebular(monkeypatch):
    """Spectra with nebular light."""
    build = task_module.build_photometry
    monkeypatch.setattr(task_module, "build_photometry", lambda *args: WithLines(build(*args)))


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def test_anchors_are_draws_from_the_prior():
    random = stream()
    found = [LostPhotons(PRIOR, random).anchor.item() for _ in range(2000)]
    prior = stats.truncnorm(-2, 3, loc=0.4, scale=0.2)
    assert stats.kstest(found, prior.cdf).pvalue > 1e-3
    assert LostPhotons(PRIOR, None).anchor.item() == pytest.approx(prior.mean())
    assert typical_share(PRIOR) == pytest.approx(prior.mean())


def test_opposite_draws_lie_on_either_side_of_the_median():
    prior = stats.truncnorm(-2, 3, loc=0.4, scale=0.2)
    shares = [prior.cdf(LostPhotons(PRIOR, stream(4), sign).anchor.item()) for sign in (1.0, -1.0)]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert shares[0] != pytest.approx(0.5, abs=1e-3)


def test_the_share_stays_between_none_and_all():
    lost = LostPhotons(PRIOR, None)
    with torch.no_grad():
        for logit in (-200.0, 200.0):
            lost.logit.fill_(logit)
            assert 0 <= lost().item() <= 1


def test_it_costs_its_distance_from_the_anchor():
    lost = LostPhotons(PRIOR, stream(3))
    assert lost.cost().item() == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        lost.logit.copy_(torch.logit(lost.anchor + 0.2))
    assert lost.cost().item() == pytest.approx(0.5, rel=1e-4)


def test_without_nebular_light_none_is_fitted(survey):
    member = fit_member(make_task(), survey)[0]
    assert member["f_lost"] is None


@pytest.mark.usefixtures("_nebular")
def test_where_it_is_not_asked_for_none_is_fitted(survey):
    assert fit_member(make_task(fit=replace(FIT, f_lost=None)), survey)[0]["f_lost"] is None


@pytest.mark.usefixtures("_nebular")
@pytest.mark.parametrize("fit", [FIT, EXPECTED], ids=["drawn", "expected"])
def test_it_is_learnt_with_the_flow(survey, fit):
    member = fit_member(make_task(fit=fit), survey)[0]
    anchor = FlowFit([make_task(fit=fit)], survey).members[0].lost_photons.anchor.item()
    assert 0 < member["f_lost"] < 1
    assert member["f_lost"] != pytest.approx(anchor, abs=1e-5)


@pytest.mark.usefixtures("_nebular")
def test_members_have_shares_of_their_own(survey):
    tasks = [make_task(number, EXPECTED) for number in (1, 2)]
    job = FlowFit(tasks, survey)
    told = job.step(0, 0)
    for index, one in enumerate(tasks):
        alone = FlowFit([one], survey)
        torch.testing.assert_close(alone.step(0, 0)[0], told[index], rtol=1e-4, atol=1e-6)
        grads = [each.lost_photons.logit.grad for each in (alone.members[0], job.members[index])]
        torch.testing.assert_close(*grads, rtol=1e-3, atol=1e-8)
    assert job.members[0].f_lost != job.members[1].f_lost


@pytest.mark.usefixtures("_nebular")
@pytest.mark.parametrize("fit", [FIT, EXPECTED], ids=["drawn", "expected"])
def test_resumed_is_uninterrupted_bit_for_bit(survey, tmp_path, monkeypatch, fit):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    run = FlowFit.epoch

    def interrupted(job, index):
        if index == 1:
            raise KeyboardInterrupt
        return run(job, index)

    with monkeypatch.context() as patch:
        patch.setattr(FlowFit, "epoch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit_members([make_task(fit=fit)], survey, tmp_path / "member.pt")
    resumed = fit_members([make_task(fit=fit)], survey, tmp_path / "member.pt")[0][0]
    whole = fit_member(make_task(fit=fit), survey)[0]
    assert resumed["f_lost"] == whole["f_lost"]
    assert resumed["history"] == whole["history"]
    assert resumed["objective"] == whole["objective"]


@pytest.mark.usefixtures("_nebular")
def test_the_ensemble_draws_with_each_members_share(survey):
    member = fit_member(make_task(fit=replace(FIT, n_epochs=1)), survey)[0]
    twins = [{**member, "f_lost": share} for share in (0.0, 1.0)]
    mag = [
        sample_ensemble(make_task(), ProductsConfig(n_draws=200), survey, [twin]).mag[0]
        for twin in twins
    ]
    # the same noise, except where it depends on the flux
    fainter = torch.from_numpy(mag[1] - mag[0]).median(0).values
    torch.testing.assert_close(
        fainter, 2.5 * torch.log10(1 + LINES), rtol=0, atol=0.01, check_dtype=False
    )
