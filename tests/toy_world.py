"""A survey small enough for tests: toy spectra, five bands, a smooth error law, tiny flows."""

import numpy as np
import torch
from laws_tools import SDSS, WAVE_RANGE

from popsed_core.config.distances import CharacteristicConfig
from popsed_core.config.fit import FitConfig, FlowConfig
from popsed_core.config.noise import NoiseConfig
from popsed_core.config.parameters import FlatSimplex, ParameterConfig, TruncatedNormal
from popsed_core.config.spectra import CosmologyConfig, SpectraConfig
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.photometry.noise import NoiseModel, NoiseTable
from popsed_core.photometry.synthetic import build_synthetic_photometry
from popsed_core.running.runtime import generator
from popsed_core.stellar.ssp.toy import toy_grid
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise
from popsed_core.theta import Theta

BANDS = tuple("ugriz")
GRID = toy_grid(WAVE_RANGE)
SPECTRA = SpectraConfig(n_pixels=60)
SEED = 7
ERROR_AT_18 = 0.03  # [mag] of the error law below
ERROR_SCATTER = 0.02  # [dex]
# a sky-dominated survey: the flux error does not depend on the flux
LOG_SKY = float(np.log10(ERROR_AT_18 / 1.0857362 * 10 ** (-0.4 * 18)))


def catalogue_of(mag, random, source="toy"):
    """Observed magnitudes with the error law."""
    log_error = LOG_SKY + ERROR_SCATTER * random.normal(size=mag.shape)
    return Catalogue(
        mag=mag,
        mag_error=1.0857362 * 10 ** (log_error + 0.4 * mag),
        n_kept=np.array([len(mag)]),
        bands=BANDS,
        filters=SDSS,
        cut_names=("read",),
        source=source,
    )


def base_catalogue(n=3000, seed=1, source="toy"):
    """A survey with smooth magnitudes that are unrelated to any spectrum."""
    random = np.random.default_rng(seed)
    mag = random.uniform(13.5, 20.5, size=(n, 1)) + random.normal(0, 0.3, size=(n, len(BANDS)))
    return catalogue_of(mag, random, source)


def noise_table(catalogue) -> NoiseTable:
    return fit_noise(catalogue, NoiseConfig(n_bins=12))


def _normal(low, high, mean, sigma):
    return ParameterConfig(low, high, prior=TruncatedNormal("truncated_normal", mean, sigma))


SIMPLEX = ParameterConfig(0.0, 1.0, "flat_simplex", FlatSimplex())
PARAMETERS = {
    "redshift": _normal(0.01, 0.4, 0.12, 0.05),
    "log_stellar_mass": _normal(8.0, 12.5, 10.5, 0.5),
    "kappa_1": SIMPLEX,
    "kappa_2": SIMPLEX,
    "kappa_3": SIMPLEX,
    "t_burst": ParameterConfig(0.01, 13.27, "log"),
    "f_burst": ParameterConfig(0.0, 1.0),
    "logzsol": ParameterConfig(-2.6, 0.3),
    "dust_index": ParameterConfig(-3.0, 1.0),
    "tau_bc": ParameterConfig(0.0, 3.0),
    "tau_ism": _normal(0.0, 3.0, 0.4, 0.3),
}
FIT = FitConfig(
    n_members=2,
    n_epochs=3,
    n_steps=2,
    n_samples=200,
    flow=FlowConfig(n_blocks=2, n_bins=4, n_hidden=16, n_layers=1),
    distance=CharacteristicConfig("characteristic", n_pool=128, n_step=32, low=0.3, high=5.0),
)


def draw_truth(n, seed=3) -> Theta:
    """A narrow population, float64: easy for a flow."""
    random = np.random.default_rng(seed)
    columns = {
        "redshift": np.clip(random.normal(0.12, 0.03, n), 0.02, 0.39),
        "log_stellar_mass": np.clip(random.normal(10.6, 0.2, n), 8.1, 12.4),
        **{f"kappa_{j}": random.uniform(0.3, 0.7, n) for j in (1, 2, 3)},
        "t_burst": random.uniform(2, 8, n),
        "f_burst": random.uniform(0, 0.2, n),
        "logzsol": random.uniform(-0.5, 0.1, n),
        "dust_index": random.uniform(-0.5, 0.0, n),
        "tau_bc": random.uniform(0.3, 0.6, n),
        "tau_ism": random.uniform(0.1, 0.5, n),
    }
    return Theta(*(torch.as_tensor(columns[name]) for name in Theta._fields))


def make_survey(n=1500) -> FitInputs:
    """The input of a fit: the easy population, observed with the survey's noise."""
    table = noise_table(base_catalogue())
    photometry = build_synthetic_photometry(GRID, SDSS, SPECTRA, (0.01, 0.4)).double()
    with torch.no_grad():
        maggies = photometry(draw_truth(n))
        noisy = NoiseModel(table).double()(maggies, generator(SEED, "toy survey"), 1.0)
    random = np.random.default_rng(SEED)
    return FitInputs(GRID, catalogue_of(-2.5 * np.log10(noisy.numpy()), random), table)


def make_task(member=1, fit=FIT, seed=SEED, survey="toy", parameters=None) -> FitTask:
    return FitTask(survey, member, seed, fit, SPECTRA, parameters or PARAMETERS)


COSMOLOGY = CosmologyConfig()
TOY = {  # the survey in a configuration; its table is never read
    "kind": "table",
    "path": "toy.csv",
    "quantity": "mag",
    "bands": {
        band: {"filter": name, "value": f"mag_{band}", "error": f"error_{band}"}
        for band, name in zip(BANDS, SDSS, strict=True)
    },
}
