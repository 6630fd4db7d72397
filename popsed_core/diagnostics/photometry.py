"""Distance of the predicted from the observed magnitudes, and its floor.

The measure is the sliced Wasserstein-1 distance (Bonneel et al. 2015) of the central 95 %, in
whitened magnitudes: the mean of |a_(i) - b_(i)| over directions and over the central ranks i, with
a_(i), b_(i) the sorted projections of two samples of equal size.  The outermost ranks are left out
because there a few wrong rows would outweigh all others; what is wrong with so few galaxies is
left to the classifier.  Two samples of one population are not at distance zero; this floor is
measured between disjoint random halves of the catalogue, at the same size.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from popsed_core.inference.samples import PopulationSamples
from popsed_core.photometry.robust import robust_covariance
from popsed_core.running.runtime import numpy_generator
from popsed_core.surveys.catalogue import Catalogue

N_DIRECTIONS = 128
N_SPLITS = 10  # random splits of the catalogue over which everything is averaged
# ASSUME: differences below 0.02 mag are photometric calibration, not the population: directions
# of the distribution that are narrower than this are not magnified further.
WHITENING_FLOOR = 0.02  # [mag]
# ASSUME: no more rows of a catalogue than this are wrong in the same direction
TRIMMED = 0.025  # of the ranks at either end

Cloud = Float[np.ndarray, "galaxy band"]
Sorted = Float[np.ndarray, "galaxy direction"]


@dataclass(frozen=True)
class PhotometricDistance:
    """Trimmed sliced Wasserstein-1 distances in whitened magnitudes [standard deviations].

    Attributes:
        ensemble: equal draws of all members against the catalogue.
        members: each member against the catalogue.
        prior: draws of the prior against the catalogue, which a fit should come below.
        floor: disjoint halves of the catalogue against each other.
        floor_scatter: standard deviation of the floor over splits.
        n_each: galaxies in each sample.
    """

    ensemble: float
    members: tuple[float, ...]
    prior: float
    floor: float
    floor_scatter: float
    n_each: int


def photometric_distance(
    samples: PopulationSamples, catalogue: Catalogue, seed: int
) -> PhotometricDistance:
    """Compare the predicted photometry, and that of the prior, with the catalogue; add the floor.

    Samples have min(half the catalogue, draws per member) galaxies each; every number is the
    mean over ``N_SPLITS`` random splits.

    Args:
        samples: predicted magnitudes with noise.
        catalogue: observed magnitudes.
        seed: names the random directions and splits.

    Raises:
        ValueError: the bands differ, or a predicted magnitude is not finite.
    """
    check_comparable(samples, catalogue)
    random = numpy_generator(seed, "photometric_distance")
    projection = _projection(catalogue.mag, random)
    _, n_draws, n_bands = samples.mag.shape
    n_each = min(len(catalogue.mag) // 2, n_draws, len(samples.prior_mag))
    pooled = samples.mag.reshape(-1, n_bands)
    rows = []
    for _ in range(N_SPLITS):
        halves = random.permutation(len(catalogue.mag))[: 2 * n_each]
        first, second = (_project(catalogue.mag[half], projection) for half in np.split(halves, 2))
        clouds = [pooled[random.permutation(len(pooled))[:n_each]]]
        clouds += [
            cloud[random.permutation(len(cloud))[:n_each]]
            for cloud in (*samples.mag, samples.prior_mag)
        ]
        distances = [_distance(_project(cloud, projection), first) for cloud in clouds]
        rows.append([_distance(first, second), *distances])
    floor, ensemble, *members, prior = (float(value) for value in np.mean(rows, axis=0))
    scatter = float(np.std([row[0] for row in rows]))
    return PhotometricDistance(ensemble, tuple(members), prior, floor, scatter, n_each)


def check_comparable(samples: PopulationSamples, catalogue: Catalogue) -> None:
    """Check that predicted and observed magnitudes are of the same bands, and finite.

    Raises:
        ValueError: the bands differ, or a predicted magnitude is not finite.
    """
    if samples.bands != catalogue.bands:
        raise ValueError(f"bands: samples have {samples.bands}, catalogue {catalogue.bands}")
    n_bad = sum(int((~np.isfinite(mag)).sum()) for mag in (samples.mag, samples.prior_mag))
    if n_bad:
        raise ValueError(f"samples.mag: got {n_bad} values that are not finite")


def _projection(mag: Cloud, random: np.random.Generator) -> Float[np.ndarray, "band direction"]:
    """Return random directions of whitened space as weights of the magnitudes."""
    _, covariance = robust_covariance(mag)
    variance, axes = np.linalg.eigh(covariance)
    whitening = axes / np.sqrt(np.maximum(variance, WHITENING_FLOOR**2))
    directions = random.standard_normal((mag.shape[1], N_DIRECTIONS))
    return whitening @ (directions / np.linalg.norm(directions, axis=0))


def _project(mag: Cloud, projection: Float[np.ndarray, "band direction"]) -> Sorted:
    return np.sort(mag.astype(np.float64) @ projection, axis=0)


def _distance(a: Sorted, b: Sorted) -> float:
    n_out = min(math.ceil(TRIMMED * len(a)), (len(a) - 1) // 2)
    central = slice(n_out, len(a) - n_out)
    return float(np.abs(a[central] - b[central]).mean())
