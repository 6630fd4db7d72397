"""Exact expectations of noisy features, and the noise that they are of."""

import numpy as np
import torch

from popsed_core.inference.distances.expected_features import ExpectedFeatures
from popsed_core.inference.distances.expected_noise import noise_tables
from popsed_core.photometry.forward import ForwardModel
from popsed_core.photometry.noise import NoiseModel, NoiseTable

FORMS = {"error_given_flux": 0.1, "snr_given_flux": 0.4, "log_snr_given_flux": 0.1}  # scatter
CUTS = {
    "positive": {},
    "snr": {"min_snr": 1.0},
    "mag": {"max_mag": (20.5, np.inf)},
    "both": {"min_snr": 2.0, "max_mag": (20.5, 21.0)},
    "bright": {"min_snr": 1.0, "max_mag": (17.0, 17.5)},  # far above the noise
}
K = torch.tensor([[0.3, 2.0, 12.0, 60.0, 3.0], [-0.2, 1.0, -9.0, 10.0, -60.0]]).double()


def table(form, cuts):
    """Two bands; galaxies of 20 mag have SNR 3 and 6."""
    mag = np.tile(np.linspace(15, 23, 9), (2, 1))
    snr = np.array([[3.0], [6.0]]) * 10 ** (-0.4 * (mag - 20))
    median = {
        "error_given_flux": -8.0 - np.log10([[3.0], [6.0]]) + 0 * mag,
        "snr_given_flux": snr,
        "log_snr_given_flux": np.log10(snr),
    }[form]
    ends = np.tile([15.0, 23.0], (2, 1))
    return NoiseTable(mag, median, FORMS[form] + 0 * mag, ends, ("g", "r"), form, **cuts)


def fluxes(mag, n=1):
    return torch.full((n, 2), 10 ** (-0.4 * mag), dtype=torch.float64)


def model_of(form, cuts, model_error=0.0, colour_error=None):
    noise = NoiseModel(table(form, cuts)).double()
    return ForwardModel(torch.nn.Identity(), noise, model_error, colour_error)


def expected(model, k=K):
    """The features of a model's galaxies, without draws."""
    tables = noise_tables(model.noise, k, model.model_error)
    damping = torch.exp(-0.5 * (k * (model.colour_error.to(k) @ k)).sum(0))
    return ExpectedFeatures(k, torch.full((2,), 20.0), tables, damping)
