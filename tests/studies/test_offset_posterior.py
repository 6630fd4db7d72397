"""The posterior of the spectra's errors: against a slow twin, and on made-up galaxies."""

import json

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from popsed_core.config import root
from tests.studies import offset_posterior as posterior
from tests.studies.offset_posterior import Group
from tests.studies.offset_shrinking import believed
from tests.studies.run_real import OUT, ROOT

N_BANDS, N_NODES = 4, len(posterior.WAVE)
KNOTS = (3, 5, 7, 9)  # nodes at which the bands lie


def made_group(n_galaxies: int, n_models: int, shift: torch.Tensor, seed: int) -> Group:
    """Models with colours that depend on their share of old stars, and galaxies that are models."""
    stream = torch.Generator().manual_seed(seed)
    share = torch.rand(n_models, 1, generator=stream, dtype=torch.float64)
    old_share = share * torch.linspace(0.3, 1.0, N_BANDS, dtype=torch.float64)
    bright = 20 + torch.rand(n_models, 1, generator=stream, dtype=torch.float64)
    model = bright + old_share * torch.tensor([1.5, 0.4, -0.2, -0.5], dtype=torch.float64)
    chosen = torch.randint(n_models, (n_galaxies,), generator=stream)
    error = torch.full((n_galaxies, N_BANDS), 0.03, dtype=torch.float64)
    noise = torch.randn(n_galaxies, N_BANDS, generator=stream, dtype=torch.float64)
    mag = model[chosen] + shift * old_share[chosen] + error * noise
    nodes = torch.eye(N_NODES, dtype=torch.float64)[list(KNOTS)]
    colour = model.mean(0) - model.mean()
    tilts = torch.cat([share - 0.5, (share - 0.5).square()], dim=1)
    return Group(model, old_share, colour, mag, error.square(), nodes, tilts, tilts)


@pytest.fixture
def group() -> Group:
    """Return a few galaxies, one of them an outlier in one band."""
    made = made_group(6, 50, torch.zeros(N_BANDS, dtype=torch.float64), seed=3)
    made.mag[0, 2] += 1.0
    return made


@pytest.fixture
def settings() -> torch.Tensor:
    """Return zero points, offsets and scatter that differ from nothing everywhere."""
    stream = torch.Generator().manual_seed(5)
    drawn = torch.randn(N_BANDS + 3 * N_NODES + 2, generator=stream, dtype=torch.float64)
    drawn = 0.05 * drawn
    posterior.parts(drawn, N_BANDS).log_scatter.add_(np.log(posterior.SCATTER))
    posterior.parts(drawn, N_BANDS).weights.copy_(torch.tensor([0.8, -0.5]))
    return drawn


def test_likelihood_equals_a_loop_over_galaxies_and_models(group, settings):
    seen = posterior.in_bands(settings, group.hats)
    weights = posterior.parts(settings, N_BANDS).weights
    many = len(group.mag)
    fast = posterior.log_likelihood(group, seen.expand(many, -1, -1), weights.expand(many, -1))
    shift, contrast, variance = seen
    share = (group.tilts @ weights).log_softmax(0)
    for mag, error, found in zip(group.mag, group.variance, fast, strict=True):
        covariance = torch.diag(error + variance) + posterior.BRIGHTNESS**2
        models = MultivariateNormal(group.model + shift + contrast * group.old_share, covariance)
        good = (models.log_prob(mag) + share).logsumexp(0)
        wide = (error + variance + posterior.OUTLIER_ERROR**2).sqrt()
        bad = Normal(group.colour, wide).log_prob(mag - mag.mean()).sum()
        shares = torch.tensor([1 - posterior.OUTLIERS, posterior.OUTLIERS], dtype=torch.float64)
        both = (torch.stack([good, bad]) + shares.log()).logsumexp(0)
        unit = 0.5 * N_BANDS * np.log(2 * np.pi)
        torch.testing.assert_close(found, both + unit, rtol=1e-9, atol=1e-9)


def test_gradient_equals_differences_of_the_value(group, settings):
    _, gradient, _ = posterior.posterior([group, group], settings, 0.05)
    step = 1e-5
    for index in (*range(0, len(settings), 5), -1):
        moved = torch.zeros_like(settings)
        moved[index] = step
        above, below = (
            posterior.posterior([group, group], settings + sign * moved, 0.05)[0]
            for sign in (1, -1)
        )
        assert gradient[index].item() == pytest.approx((above - below) / (2 * step), abs=1e-4)


def test_an_offset_of_old_stars_is_found_within_its_error():
    truth = torch.tensor([0.06, 0.03, 0.0, -0.04], dtype=torch.float64)
    groups = [made_group(100, 300, truth, seed) for seed in range(8)]
    settings, error = posterior.learn(groups, 0.005)
    old = slice(N_BANDS + N_NODES, N_BANDS + 2 * N_NODES)
    # the light of young stars is a nuisance, and what all bands share is brightness
    found, sigma = settings[old][list(KNOTS)], error[old][list(KNOTS)]
    contrast = found - found[2] - (truth - truth[2])
    assert (contrast.abs() < 3 * (sigma + 0.005)).all(), (found, sigma)
    assert (contrast[1:].abs() < 0.02).all()  # nothing found would be off by 0.04


def test_a_search_that_cannot_end_is_refused(monkeypatch):
    monkeypatch.setattr(posterior, "N_SEARCHES", 1)
    group = made_group(50, 100, torch.full((N_BANDS,), 0.1, dtype=torch.float64), seed=1)
    with pytest.raises(FloatingPointError, match="1 searches"):
        posterior.learn([group], 0.05)


def test_surveys_that_agree_are_believed_and_others_are_not():
    stream = np.random.default_rng(2)
    offset = 0.1 * stream.standard_normal(N_NODES)
    agreed, share = believed(np.array([offset, offset, offset]))
    np.testing.assert_allclose(agreed, offset)
    np.testing.assert_allclose(share, 1)
    assert believed(np.array([offset, -offset]))[1].max() == 0


def test_shrinking_brings_surveys_nearer_to_the_truth():
    stream = np.random.default_rng(4)
    errors = []
    for _ in range(300):
        truth = 0.05 * stream.standard_normal(N_NODES)
        mean, share = believed(truth + 0.07 * stream.standard_normal((3, N_NODES)))
        errors.append([np.square(mean - truth), np.square(share * mean - truth)])
    plain, shrunk = np.mean(errors, axis=(0, 2))
    assert shrunk < 0.85 * plain


def test_the_configuration_uses_what_the_study_found():
    found = json.loads((OUT / "strength.json").read_text())["used"]
    used = root.load(ROOT / "config.yaml").ssp.bc03.old_star_offset
    assert used == tuple(map(tuple, found))
