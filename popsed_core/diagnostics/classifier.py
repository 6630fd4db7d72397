"""Can a classifier distinguish predicted from observed magnitudes?

The two-sample test of Lopez-Paz & Oquab (2017, C2ST): gradient-boosted trees (Friedman 2001) learn
on one half of both samples and are tested on the other, and the other way round.  With N galaxies
on each side the accuracy of two samples of one population is 0.5 +- sqrt(0.25 / 2N); 1 is two
samples that do not overlap.  Where the Wasserstein distance measures how far the samples differ,
this tests whether they differ at all: it is sensitive to small but sharp differences.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from popsed_core.diagnostics.photometry import check_comparable
from popsed_core.inference.samples import PopulationSamples
from popsed_core.running.runtime import numpy_generator
from popsed_core.surveys.catalogue import Catalogue

MAX_GALAXIES = 5000  # on each side
N_TREES = 100

Cloud = Float[np.ndarray, "galaxy band"]


@dataclass(frozen=True)
class Separability:
    """How well a classifier separates two samples; 0.5 is chance.

    Attributes:
        accuracy: share of galaxies classified correctly, predicted against observed.
        prior: the same for draws of the prior against observed.
        floor: the same between disjoint random halves of the catalogue.
        error: standard error of both where there is no difference.
        n_each: galaxies on each side.
    """

    accuracy: float
    prior: float
    floor: float
    error: float
    n_each: int


def separability(samples: PopulationSamples, catalogue: Catalogue, seed: int) -> Separability:
    """Train and test on equally many predicted and observed galaxies, and on two halves observed.

    The prior's draws are tested against the observed in the same way.

    Args:
        samples: predicted magnitudes with noise.
        catalogue: observed magnitudes.
        seed: names the random choice of galaxies and folds.

    Raises:
        ValueError: the bands differ, or a predicted magnitude is not finite.
    """
    check_comparable(samples, catalogue)
    random = numpy_generator(seed, "classifier")
    pooled = samples.mag.reshape(-1, samples.mag.shape[-1])
    n_each = min(MAX_GALAXIES, len(catalogue.mag) // 2, len(pooled))
    halves = random.permutation(len(catalogue.mag))[: 2 * n_each]
    first, second = (catalogue.mag[half] for half in np.split(halves, 2))
    cloud, prior = (
        mag[random.permutation(len(mag))[:n_each]] for mag in (pooled, samples.prior_mag)
    )
    return Separability(
        accuracy=_accuracy(cloud, first, random),
        prior=_accuracy(prior, first[: len(prior)], random),
        floor=_accuracy(second, first, random),
        error=math.sqrt(0.25 / (2 * n_each)),
        n_each=n_each,
    )


def _accuracy(a: Cloud, b: Cloud, random: np.random.Generator) -> float:
    """Return the accuracy over two folds, each with as many galaxies of either sample."""
    features = _features(np.concatenate([a, b]))
    side = np.repeat([0, 1], [len(a), len(b)])
    fold = np.concatenate([random.permutation(len(cloud)) % 2 for cloud in (a, b)])
    is_right = np.zeros(len(side), dtype=bool)
    for held_out in (0, 1):
        is_out = fold == held_out
        trees = HistGradientBoostingClassifier(
            max_iter=N_TREES, early_stopping=False, random_state=int(random.integers(2**31))
        )
        with threadpool_limits(limits=1, user_api="openmp"):  # the same numbers on any machine
            trees.fit(features[~is_out], side[~is_out])
            is_right[is_out] = trees.predict(features[is_out]) == side[is_out]
    return float(is_right.mean())


def _features(mag: Cloud) -> Float[np.ndarray, "galaxy feature"]:
    """Return magnitudes and colours: trees cut along axes, and populations differ in colour."""
    mag = mag.astype(np.float64)
    return np.concatenate([mag, np.diff(mag, axis=1)], axis=1)
