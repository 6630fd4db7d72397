"""The prior in the loss and the prior that is drawn are the same."""

from dataclasses import replace

import pytest
import torch
from toy_world import FIT, PARAMETERS, SPECTRA, make_survey, make_task

from popsed_core.config.fit import SelectionConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.inference import ensemble
from popsed_core.inference.fit import FlowFit
from popsed_core.inference.priors.observability import Observability
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.task import build_forward
from popsed_core.surveys.selection import Selection
from popsed_core.theta import Theta

pytestmark = pytest.mark.usefixtures("one_thread")
N = 1000
TASK = make_task(fit=replace(FIT, n_samples=N))


@pytest.fixture(scope="module")
def survey():
    """The toy survey, cut where its galaxies have SNR 25 and, in one band, at 18 mag."""
    toy = make_survey()
    table = replace(toy.noise, min_snr=25.0, max_mag=(torch.inf,) * 2 + (18.0,) + (torch.inf,) * 2)
    return replace(toy, noise=table)


@pytest.fixture(scope="module")
def drawn(survey):
    """Prior draws of the ensemble, and the log probability with which they were selected."""
    known = []

    def seen(prior, log_selection, n, stream):
        known.append(log_selection)
        return sample(prior, log_selection, n, stream)

    sample, ensemble.sample_selected = ensemble.sample_selected, seen
    forward = build_forward(TASK, survey, torch.device("cpu"))
    try:
        theta = ensemble._draw_prior(TASK, N, survey, forward).theta
    finally:
        ensemble.sample_selected = sample
    with torch.no_grad():
        return theta, known[0](theta)


class Recorded(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module, self.found = module, []

    def forward(self, values):
        self.found.append(self.module(values))
        return self.found[-1]


def in_the_loss(survey, theta):
    """The loss's addition to the prior density at these galaxies."""
    job = FlowFit([TASK], survey)
    job.space.to_theta = lambda u: Theta(*theta)
    job.log_observed = Recorded(job.log_observed)
    with torch.no_grad():
        job.losses(0.5)
    return job.log_observed.found[0]


def effective_share(log_weight):
    weight = (log_weight - log_weight.max()).exp()
    return (weight.sum().square() / weight.square().sum() / len(weight)).item()


def test_draws_of_the_prior_are_draws_of_the_losses_prior(survey, drawn):
    theta, log_selected = drawn
    assert log_selected.std() > 0.1
    assert effective_share(in_the_loss(survey, theta) - log_selected) > 0.99


def test_limits_at_noisy_magnitudes_that_passed_would_be_another_prior(survey):
    """What the loss once had: galaxies far too faint are as likely as those at the limit."""
    wide = {name: ParameterConfig(box.low, box.high) for name, box in PARAMETERS.items()}
    wide["log_stellar_mass"] = ParameterConfig(8.0, 10.0)
    stream = torch.Generator().manual_seed(3)
    theta = PopulationPrior(wide, SPECTRA.cosmology).sample(4000, stream)
    theta = Theta(*(column.float() for column in theta))
    forward = build_forward(TASK, survey, torch.device("cpu"))
    selection = Selection(survey.catalogue, FIT.selection)
    with torch.no_grad():
        maggies = forward.photometry(theta)
        noisy, _ = forward.observe(maggies, stream)
        old = selection(-2.5 * torch.log10(noisy))
        new = Observability(survey.catalogue, forward, FIT.selection)(maggies)
    likely = torch.multinomial(old.exp(), 1000, replacement=True, generator=stream)
    assert effective_share((new - old)[likely]) < 0.8


def test_without_a_selection_the_prior_is_one_of_all_galaxies(survey):
    forward = build_forward(TASK, survey, torch.device("cpu"))
    maggies = torch.tensor([[1e-6] * 5, [1e-14] * 5])
    assert (Observability(survey.catalogue, forward, None)(maggies) == 0).all()
    limited = Observability(survey.catalogue, forward, SelectionConfig())(maggies)
    assert limited[0] == pytest.approx(0, abs=1e-3)
    assert limited[1] < -20


def test_no_zero_point_moves_the_prior(survey, drawn):
    job = FlowFit([TASK], survey)
    job.space.to_theta = lambda u: Theta(*drawn[0])
    divergence = []
    for offset in (0.0, 0.3):
        with torch.no_grad():
            job.members[0].draws.manual_seed(1)
            job.members[0].zero_points.fill_(offset)
            divergence.append(job.losses(0.5)[1])
    assert torch.equal(*divergence)
