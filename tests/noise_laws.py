"""Catalogues whose errors follow a known law."""

import numpy as np
import torch

from popsed_core.config.noise import NoiseConfig
from popsed_core.photometry.noise import (
    NoiseModel,
)
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise

POGSON = 2.5 / np.log(10)
# each law: the quantity's median (linear in magnitude, per band) and its scatter
LAWS = {
    "error_given_flux": ((-9.0, -0.02), (-8.7, -0.10), 0.05),
    "snr_given_flux": ((40.0, -4.0), (60.0, -6.0), 2.0),
    "log_snr_given_flux": ((1.5, -0.15), (1.9, -0.2), 0.05),
}


def noise_config(form, n_bins):
    """Ours where possible, otherwise as in the paper."""
    ways = ("intrinsic", "cuts") if form == "error_given_flux" else ("observed", "positive")
    return NoiseConfig(form, *ways, n_bins=n_bins)


def law(form, mag):
    """Median of the quantity in both bands; ``mag`` counts from 18."""
    first, second, _ = LAWS[form]
    coefficients = np.array([first, second])
    return coefficients[:, 0] + coefficients[:, 1] * (mag - 18)


def make_catalogue(form, n=40_000, seed=0):
    random = np.random.default_rng(seed)
    mag = random.uniform(15, 21, size=(n, 2))
    quantity = law(form, mag) + LAWS[form][2] * random.normal(size=mag.shape)
    maggies = 10 ** (-0.4 * mag)
    mag_error = {
        "error_given_flux": lambda: POGSON * 10**quantity / maggies,
        "snr_given_flux": lambda: POGSON / quantity,
        "log_snr_given_flux": lambda: POGSON / 10**quantity,
    }[form]()
    counts = np.array([n])
    return Catalogue(mag, mag_error, counts, ("g", "r"), ("sdss2010-g", "sdss2010-r"), ("read",))


def sloped_model(form, dtype=torch.float64):
    return NoiseModel(fit_noise(make_catalogue(form, 4000), noise_config(form, 12))).to(dtype)


def measured(table):
    """Whether a node has galaxies, and is not at their sharp end, which no real survey has."""
    low, high = table.mag_range[:, :1], table.mag_range[:, 1:]
    is_ours = table.form == "error_given_flux"
    return (table.mag > low) & (table.mag < high - 0.5 * is_ours)
