"""The posterior of errors of the spectra and of zero points, given galaxies of known redshift.

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
    n_models: int  # of the redshift, with those that resemble none of these galaxies


def in_bands(settings: torch.Tensor, nodes: torch.Tensor) -> torch.Tensor:
    """Return what a group's bands see of the settings: rows (shift, tilt, variance) by band.

    Args:
        settings: zero points, offsets of young and of old stars, log of the scatter.
        nodes: weights (band, node) of the wavelengths.
    """
    n_bands = len(nodes)
    zero_points, young, old, log_scatter = settings.split((n_bands, *3 * (len(WAVE),)))
    variance = torch.exp(2 * (nodes @ log_scatter))
    return torch.stack([zero_points + nodes @ young, nodes @ (old - young), variance])


def log_likelihood(group: Group, seen: torch.Tensor) -> torch.Tensor:
    """Return each galaxy's log likelihood, its brightness integrated out.

    With its own (shift, tilt, variance) ``seen`` (galaxy, 3, band) the residual of a galaxy from a
    model is mag - shift - model - tilt * old share, and its square a sum of products, which are
    matrix products over all pairs.
    """
    shift, tilt, variance = seen.unbind(1)
    variance = group.variance + variance
    inverse, mag, model, old = 1 / variance, group.mag - shift, group.model, group.old_share
    total = inverse.sum(1) + BRIGHTNESS**-2
    square = (inverse * mag.square()).sum(1)[:, None] - 2 * (inverse * mag) @ model.T
    square = square + inverse @ model.square().T + (inverse * tilt.square()) @ old.square().T
    square = square + 2 * ((inverse * tilt) @ (model * old).T - (inverse * tilt * mag) @ old.T)
    mean = (inverse * mag).sum(1)[:, None] - inverse @ model.T - (inverse * tilt) @ old.T
    exponent = -0.5 * (square - mean.square() / total[:, None])
    unit = 0.5 * (variance.log().sum(1) + (total * BRIGHTNESS**2).log())
    good = exponent.logsumexp(1) - np.log(group.n_models) - unit
    wide = variance + OUTLIER_ERROR**2
    residual = group.mag - group.mag.mean(1, keepdim=True) - group.colour
    bad = -0.5 * (wide.log() + residual.square() / wide).sum(1)
    return torch.logaddexp(good + np.log1p(-OUTLIERS), bad + np.log(OUTLIERS))


def log_prior(settings: torch.Tensor, n_bands: int, zero_point_error: float) -> torch.Tensor:
    """Return the log prior of the settings, a quadratic form, up to a constant."""
    zero_points, *offsets, log_scatter = settings.split((n_bands, *3 * (len(WAVE),)))
    young, old = offsets
    square = (zero_points / zero_point_error).square().sum()
    for offset in (young, old):
        square = square + (offset / OFFSET).square().sum() + (offset[REFERENCE] / 0.002).square()
        square = square + (offset.diff() / ROUGHNESS).square().sum()
    square = square + ((log_scatter - np.log(SCATTER)) / 0.5).square().sum()
    return -0.5 * (square + (log_scatter.diff() / 0.3).square().sum())


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
        each = log_likelihood(group, seen)
        (by_band,) = torch.autograd.grad(each.sum(), seen)
        scores = by_band.flatten(1) @ torch.func.jacrev(see)(settings).flatten(0, 1)
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
    n_bands, n_waves = len(groups[0].hats), len(WAVE)
    settings = torch.zeros(n_bands + 3 * n_waves, dtype=torch.float64)
    settings[-n_waves:] = np.log(SCATTER)
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
