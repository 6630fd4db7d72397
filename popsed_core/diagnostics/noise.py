"""Does the fitted noise model predict the catalogue's errors?

The probability integral transform (Dawid 1984): where each galaxy's error lies in the distribution
that the model predicts at its magnitude.  If the model is right, these are uniform between 0 and 1,
and their normal scores have median 0 and width 1 (half the central 68.3 %).

The model gives errors at the noiseless magnitude, a catalogue has the noisy one.  Only galaxies of
high signal-to-noise ratio, where the two agree, are therefore used.  They are chosen by the ratio
*expected* at their magnitude: a choice by their own ratio would miss those with large errors.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy import stats

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.noise_forms import FORMS
from popsed_core.photometry.robust import robust_width
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import RECIPES

MIN_SNR = 5.0  # ASSUME: above, noise moves magnitudes by less than errors change over
MIN_SCATTER = 1e-6  # [by form] errors without any scatter are all at the median

Scores = Float[np.ndarray, "galaxy"]


@dataclass(frozen=True)
class BandCheck:
    """The errors of one band against those predicted.

    Attributes:
        n_galaxies: with an expected signal-to-noise ratio above ``MIN_SNR``.
        ks: Kolmogorov-Smirnov distance of the transform to uniform; 0.9 / sqrt(n_galaxies) is
            typical of a model that is right. NaN without galaxies, as are the others.
        median: of the normal scores; positive where errors are larger than predicted.
        width: half their central 68.3 %; above 1 where errors scatter more than predicted.
    """

    n_galaxies: int
    ks: float
    median: float
    width: float


def check_noise(noise: NoiseTable, catalogue: Catalogue) -> dict[str, BandCheck]:
    """Compare the catalogue's errors with those predicted by the model, band by band.

    Raises:
        ValueError: the bands differ.
    """
    return {band: _check(scores) for band, scores in normal_scores(noise, catalogue).items()}


def normal_scores(noise: NoiseTable, catalogue: Catalogue) -> dict[str, Scores]:
    """Return by how many standard deviations errors lie above the predicted median, by band.

    The errors are taken to be normal about the median.

    Raises:
        ValueError: the bands differ.
    """
    if noise.bands != catalogue.bands:
        raise ValueError(f"bands: noise has {noise.bands}, catalogue {catalogue.bands}")
    maggies = torch.as_tensor(catalogue.maggies, dtype=torch.float64)
    model = NoiseModel(noise).double()
    errors = [model.sigma(maggies, torch.full_like(maggies, draw)) for draw in (0.0, 1.0)]
    predicted = [(MAG_PER_LN * error / maggies).numpy() for error in errors]
    form = FORMS[noise.form]
    found, median, above = (
        form.measure(catalogue.maggies, mag_error)
        for mag_error in (catalogue.mag_error, *predicted)
    )
    sigma = np.maximum((above - median) / RECIPES[noise.form].spread_of_normal, MIN_SCATTER)
    scores = form.sign * (found - median) / sigma
    is_clear = predicted[0] < MAG_PER_LN / MIN_SNR
    return {band: scores[is_clear[:, k], k] for k, band in enumerate(noise.bands)}


def transform(scores: Scores) -> Scores:
    """Return the probability integral transform of normal scores."""
    return stats.norm.cdf(scores)


def _check(scores: Scores) -> BandCheck:
    if not scores.size:
        return BandCheck(0, np.nan, np.nan, np.nan)
    ks = float(stats.kstest(transform(scores), "uniform").statistic)
    return BandCheck(scores.size, ks, float(np.median(scores)), robust_width(scores))
