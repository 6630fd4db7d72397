"""The posterior of errors of the spectra and of zero points, given galaxies of known redshift.

The population is free as well: the models' weights may be tilted in every parameter, so that what
other metals, dust or histories explain is not taken for an error of the spectra.

Each galaxy may be any of many models of its redshift: its likelihood is their mean, with its
brightness integrated out.  All settings act through a (shift, tilt, variance) of each band, so the
derivatives with respect to these three, for each galaxy, give the gradient and the curvature.
"""

import functools
import logging
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

WAVE = np.array(  # [AA] rest frame
    [2000, 2500, 3000, 3400, 3800, 4200, 4700, 5300, 6000, 6800, 7800, 9000, 11000, 15000, 22000]
)
REFERENCE = 8  # where there is no offset: the galaxy's mass takes it
BRIGHTNESS = 0.3  # [mag] that a model galaxy of neighbouring mass may be off
OUTLIERS, OUTLIER_ERROR = 0.03, 0.5  # share, [mag]
OFFSET, ROUGHNESS = 0.1, 0.05  # [mag] priors of an offset, and of the step to the next
SCATTER = 0.03  # [mag] of models, about which it varies by a factor of e to the power 0.5
TILT = 1.0  # [-] prior of a weight, the features having unit variance
N_SEARCHES, N_STEPS = 12, 60
CONVERGED = 1e-3  # [nat] left to gain at the end
log = logging.getLogger("study")


class Group(NamedTuple):
    """Galaxies of one redshift and similar brightness, and the models that may resemble them."""

    model: torch.Tensor  # (model, band) [mag]
    old_share: torch.Tensor  # (model, band) of old stars in its light
    colour: torch.Tensor  # (band) [mag] mean of all models, less its mean
    mag: torch.Tensor  # (galaxy, band) [mag]
    variance: torch.Tensor  # (galaxy, band) [mag^2]
    hats: torch.Tensor  # (band, node) weights of the wavelengths
    tilts: torch.Tensor  # (model, feature) what the models' weights are tilted by
    all_tilts: (
        torch.Tensor
    )  # the same of all models of the redshift, also those unlike these galaxies


class Settings(NamedTuple):
    """What is learnt, together one vector."""

    zero_points: torch.Tensor  # (band) [mag]
    young: torch.Tensor  # (node) [mag]
    old: torch.Tensor  # (node) [mag]
    log_scatter: torch.Tensor  # (node) [ln mag]
    weights: torch.Tensor  # (feature) of the population's tilts


def parts(settings: torch.Tensor, n_bands: int) -> Settings:
    """Return the parts of a vector of settings."""
    sizes = (n_bands, *3 * (len(WAVE),))
    return Settings(*settings.split((*sizes, len(settings) - sum(sizes))))


def in_bands(settings: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
    """Return what a group's bands see of the settings: rows (shift, contrast, variance) by band.

    Args:
        settings: all settings.
        nodes: weights (band, node) of the wavelengths.
    """
    zero_points, young, old, log_scatter, _ = parts(settings, len(nodes))
    variance = torch.exp(2 * (nodes @ log_scatter))
    return torch.stack([zero_points + nodes @ young, nodes @ (old - young), variance])


def log_likelihood(group: Group, seen: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return each galaxy's log likelihood, its brightness integrated out.

    With its own (shift, contrast, variance) ``seen`` (galaxy, 3, band) the residual of a galaxy
    from a model is mag - shift - model - contrast * old share, and its square a sum of products,
    which are matrix products over all pairs.  Its ``weights`` (galaxy, feature) tilt the
    population.
    """
    shift, contrast, variance = seen.unbind(1)
    variance = group.variance + variance
    inverse, mag, model, old = 1 / variance, group.mag - shift, group.model, group.old_share
    total = inverse.sum(1) + BRIGHTNESS**-2
    square = (inverse * mag.square()).sum(1)[:, None] - 2 * (inverse * mag) @ model.T
    square = square + inverse @ model.square().T + (inverse * contrast.square()) @ old.square().T
    square = square + 2 * (inverse * contrast) @ (model * old).T
    square = square - 2 * (inverse * contrast * mag) @ old.T
    mean = (inverse * mag).sum(1)[:, None] - inverse @ model.T - (inverse * contrast) @ old.T
    exponent = -0.5 * (square - mean.square() / total[:, None]) + weights @ group.tilts.T
    unit = 0.5 * (variance.log().sum(1) + (total * BRIGHTNESS**2).log())
    good = exponent.logsumexp(1) - (weights @ group.all_tilts.T).logsumexp(1) - unit
    wide = variance + OUTLIER_ERROR**2
    residual = group.mag - group.mag.mean(1, keepdim=True) - group.colour
    bad = -0.5 * (wide.log() + residual.square() / wide).sum(1)
    return torch.logaddexp(good + np.log1p(-OUTLIERS), bad + np.log(OUTLIERS))


def log_prior(settings: torch.Tensor, n_bands: int, zero_point_error: float) -> torch.Tensor:
    """Return the log prior of the settings, a quadratic form, up to a constant."""
    zero_points, young, old, log_scatter, weights = parts(settings, n_bands)
    square = (zero_points / zero_point_error).square().sum()
    for offset in (young, old):
        square = square + (offset / OFFSET).square().sum() + (offset[REFERENCE] / 0.002).square()
        square = square + (offset.diff() / ROUGHNESS).square().sum()
    square = square + ((log_scatter - np.log(SCATTER)) / 0.5).square().sum()
    square = square + (log_scatter.diff() / 0.3).square().sum()
    return -0.5 * (square + (weights / TILT).square().sum())


def posterior(
    groups: list[Group], settings: torch.Tensor, zero_point_error: float
) -> tuple[float, torch.Tensor, torch.Tensor]:
    """Return log posterior, its gradient, and its curvature by the galaxies' scores."""
    n_bands = len(groups[0].hats)
    prior = functools.partial(log_prior, n_bands=n_bands, zero_point_error=zero_point_error)
    value = prior(settings).item()
    gradient = torch.func.grad(prior)(settings)
    curvature = -torch.func.jacrev(torch.func.grad(prior))(settings)
    for group in groups:
        see = functools.partial(in_bands, nodes=group.hats)
        seen = see(settings).expand(len(group.mag), -1, -1).clone().requires_grad_()
        weights = parts(settings, n_bands).weights.expand(len(group.mag), -1)
        weights = weights.clone().requires_grad_()
        each = log_likelihood(group, seen, weights)
        by_band, by_weight = torch.autograd.grad(each.sum(), (seen, weights))
        scores = by_band.flatten(1) @ torch.func.jacrev(see)(settings).flatten(0, 1)
        scores[:, scores.shape[1] - by_weight.shape[1] :] += by_weight
        value += each.sum().item()
        gradient = gradient + scores.sum(0)
        curvature = curvature + scores.T @ scores
    return value, gradient, curvature


def learn(groups: list[Group], zero_point_error: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the settings of the largest posterior, and their errors.

    Each search (L-BFGS) uses units in which the curvature, estimated by the scores, is one.

    Raises:
        FloatingPointError: the search does not end.
    """
    n_bands, n_features = len(groups[0].hats), groups[0].tilts.shape[1]
    settings = torch.zeros(n_bands + 3 * len(WAVE) + n_features, dtype=torch.float64)
    parts(settings, n_bands).log_scatter.fill_(np.log(SCATTER))
    for attempt in range(N_SEARCHES):
        value, gradient, curvature = posterior(groups, settings, zero_point_error)
        covariance = torch.linalg.inv(curvature)
        gain = (gradient @ covariance @ gradient).item() / 2  # [nat] left, of a quadratic form
        log.info("search %d: log posterior %.3f, to gain %.2g", attempt, value, gain)
        if gain < CONVERGED:
            return settings, covariance.diagonal().sqrt()
        root = torch.linalg.cholesky(covariance)
        settings = settings + root @ _search(groups, settings, root, zero_point_error)
    raise FloatingPointError(f"no end after {N_SEARCHES} searches: {gain} nat is left to gain")


def _search(
    groups: list[Group], start: torch.Tensor, root: torch.Tensor, zero_point_error: float
) -> torch.Tensor:
    """Return the steps from the start, in units of the root, to where the search has ended."""

    def cost(steps: np.ndarray) -> tuple[float, np.ndarray]:
        settings = start + root @ torch.from_numpy(steps)
        value, gradient, _ = posterior(groups, settings, zero_point_error)
        return -value, -(root.T @ gradient).numpy()

    options = {"maxiter": N_STEPS, "ftol": 0.0, "gtol": 0.002, "maxcor": 30}
    found = minimize(cost, np.zeros(len(start)), jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(found.x)
