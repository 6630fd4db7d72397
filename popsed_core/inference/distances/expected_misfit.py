"""Chi-squared of expected features: the likelihood of the catalogue's means, without noise draws.

The data are the means of many features over the catalogue (``expected_features.py``), the model's
their expectation under the flow, exact but for the draws of theta:

    misfit = 1/2 delta^T S^-1 delta / N,    delta = E_q E[phi | theta] - mean of phi,

minus the log likelihood per galaxy [nat] where S is the covariance of the means: that of the
features over N (efficient weights), and what the model's own errors add.  The square is that of
two independent halves of the draws, multiplied, which is unbiased for any number of draws.
"""

import copy
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from popsed_core.config.distances import ExpectedConfig
from popsed_core.config.fit import FitConfig
from popsed_core.errors import InputError
from popsed_core.inference.distances.expected_features import ExpectedFeatures
from popsed_core.inference.distances.expected_noise import noise_tables
from popsed_core.inference.distances.features import Features
from popsed_core.inference.distances.rows import Rows
from popsed_core.inference.distances.seen import Seen
from popsed_core.inference.distances.sliced import unit_vectors
from popsed_core.inference.randomisation import RANDOMISATIONS
from popsed_core.photometry.forward import ForwardModel

N_COVARIANCE = 1 << 17  # rows from which the covariance of the features is made, at most
CHUNK = 1 << 13  # rows whose features are held at a time
VALIDATION_DRAWS = 4  # [steps] of draws that are compared with the held-out galaxies


class ExpectedMisfit(nn.Module):
    """1/2 |root^T delta|^2, unbiased: from two independent halves of the galaxies."""

    mean: Tensor
    root: Tensor

    def __init__(
        self,
        features: ExpectedFeatures,
        mean: Float[Tensor, "feature"],
        root: Float[Tensor, "feature component"],
        *,
        n_draws: int,
        n_galaxies: int,
        floor: float,
    ) -> None:
        """Combine the parts.

        Args:
            features: expected features of galaxies.
            mean: of the data's features.
            root: R of the weights R R^T, per galaxy of the catalogue.
            n_draws: galaxies of a call.
            n_galaxies: in the catalogue.
            floor: chi-squared expected at the truth.
        """
        super().__init__()
        self.features, self.n_draws = features, n_draws
        self.n_galaxies, self.floor = n_galaxies, floor
        self.register_buffer("mean", mean.float())
        self.register_buffer("root", root.float())

    def forward(
        self, maggies: Float[Tensor, "galaxy band"], draws: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the misfit per galaxy of the catalogue [nat]; may be slightly negative.

        Args:
            maggies: true fluxes of independent galaxies, at least two.
            draws: not used.
            progress: not used.
        """
        found = self.features(maggies)
        half = len(found) // 2
        first, second = self.project(found[:half]), self.project(found[half : 2 * half])
        return 0.5 * (first * second).sum()

    def chi_squared(self, parts: Iterable[Float[Tensor, "galaxy band"]]) -> float:
        """Return the unbiased chi-squared of the catalogue from many galaxies.

        Args:
            parts: their true fluxes; an even number of equal parts, every other one a half.
        """
        found = torch.stack([self.project(self.features(part)).double() for part in parts])
        first, second = found[::2].mean(0), found[1::2].mean(0)
        return self.n_galaxies * (first * second).sum().item()

    def project(self, found: Float[Tensor, "galaxy feature"]) -> Float[Tensor, "component"]:
        """Return the weighted difference between galaxies' mean features and the data's."""
        return (found.mean(0) - self.mean) @ self.root


class PlainExpectedMisfit(ExpectedMisfit):
    """1/2 |root^T delta|^2, which is never negative, and biased by the number of galaxies."""

    def forward(
        self, maggies: Float[Tensor, "galaxy band"], draws: torch.Generator, progress: float
    ) -> Float[Tensor, ""]:
        """Return the misfit per galaxy of the catalogue [nat]; as of the unbiased one."""
        return 0.5 * self.project(self.features(maggies)).square().sum()


def build_expected(
    seen: Seen, forward: ForwardModel, fit: FitConfig, generator: torch.Generator
) -> tuple[ExpectedMisfit, ExpectedMisfit]:
    """Make the misfits to the galaxies to train on and to those held out.

    Args:
        seen: the member's data.
        forward: the survey's noise and the model's errors.
        fit: training settings.
        generator: CPU stream of the frequencies.

    Raises:
        InputError: fewer than two samples.
    """
    config = fit.distance
    if fit.n_samples < 2:
        raise InputError(f"fit.n_samples: got {fit.n_samples}, expected at least 2")
    device = seen.features.shift.device
    features = build_features(seen.features, forward, config, generator).to(device)
    train, held = (
        Rows(seen.mag, chosen, features.of_data, device) for chosen in (seen.kept, seen.held)
    )
    covariance = _covariance(train, generator)
    root = weights(covariance, len(train), config)
    scatter = RANDOMISATIONS[fit.members].data_scatter
    floor = root.shape[1] + scatter * torch.trace(root.T @ covariance @ root).item()
    n, sizes = fit.n_samples, {"n_galaxies": len(train), "floor": floor}
    return (
        ExpectedMisfit(features, _mean(train), root, n_draws=n, **sizes).to(device),
        PlainExpectedMisfit(features, _mean(held), root, n_draws=VALIDATION_DRAWS * n, **sizes).to(
            device
        ),
    )


def build_features(
    features: Features, forward: ForwardModel, config: ExpectedConfig, generator: torch.Generator
) -> ExpectedFeatures:
    """Draw frequencies in the space of features, and make the tables of the noise at them.

    Moduli are one in each of as many equal intervals of their logarithm.
    """
    n = config.n_frequencies
    share = (torch.arange(n) + torch.rand(n, generator=generator)) / n
    modulus = config.low * (config.high / config.low) ** share
    directions = unit_vectors(n, len(features.shift), generator)
    k = (features.matrix.cpu().double() @ (directions * modulus[:, None]).T.double()).contiguous()
    noise = copy.deepcopy(forward.noise).to("cpu", torch.float64)
    tables = noise_tables(noise, k, forward.model_error)
    damping = torch.exp(-0.5 * (k * (forward.colour_error.cpu().double() @ k)).sum(0))
    return ExpectedFeatures(k, features.shift.cpu(), tables, damping)


def weights(
    covariance: Float[Tensor, "feature feature"], n_galaxies: int, config: ExpectedConfig
) -> Float[Tensor, "feature component"]:
    """Return R of the weights R R^T of the features' means, per galaxy.

    Efficient: the inverse covariance, except in directions that hardly vary: a few outliers
    make most of their variance, which a catalogue constrains poorly, and rounding would matter.
    Equal: all features alike, scaled such that the expectation at the truth is the same, the
    number of components.

    Args:
        covariance: of the features of one galaxy.
        n_galaxies: in the catalogue.
        config: kind of weights, floor, error of the model.
    """
    n = len(covariance)
    total = covariance + n_galaxies * config.feature_error**2 * torch.eye(n).to(covariance)
    if config.weighting == "equal":
        return torch.eye(n).to(total) * (n / total.trace()).sqrt()
    variance, axes = torch.linalg.eigh(total)
    is_kept = variance > config.floor / n_galaxies * variance[-1]
    return axes[:, is_kept] / variance[is_kept].sqrt()


def _mean(rows: Rows) -> Float[Tensor, "feature"]:
    return torch.stack([block.sum(0) for block in rows.blocks(CHUNK)]).sum(0) / len(rows)


def _covariance(rows: Rows, generator: torch.Generator) -> Float[Tensor, "feature feature"]:
    index = torch.randperm(len(rows), generator=generator)[:N_COVARIANCE]
    found = torch.cat([rows.take(part) for part in index.split(CHUNK)])
    return torch.cov(found.double().T)
