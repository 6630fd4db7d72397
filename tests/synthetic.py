"""A small population with realistic ranges and correlations, made of smooth distributions."""

import numpy as np

from popsed_core.diagnostics.emulator_accuracy import RATIO_EDGES, EmulatorAccuracy
from popsed_core.emulator.pca import SpectrumBasis
from popsed_core.inference.samples import PopulationSamples
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.surveys.catalogue import Catalogue, Reference

BANDS = ("u", "g", "r", "i", "z")
COLOURS = (1.6, 0.75, 0.0, -0.35, -0.55)  # [mag] band minus r of a middling galaxy
DERIVED_NAMES = tuple(row.name for row in DERIVED)


def draw_theta(n, random, shift=0.0):
    """Draw a population: redshift and mass rise together; dust and metals near the prior."""
    redshift = np.clip(random.gamma(3.2, 0.034, n) + 0.005 + 0.01 * shift, 0.001, 0.8)
    log_mass = 10.75 + 1.6 * np.log10(redshift / 0.1) + random.normal(0.05 * shift, 0.3, n)
    kappa = 1 - random.random((n, 3)) ** (0.6 + 0.1 * shift)
    t_burst = 10 ** random.uniform(-2, 1.1, n)
    quiescent = random.random(n) < np.clip(0.4 * (log_mass - 9.5), 0.05, 0.8)
    tau_ism = np.where(quiescent, 0.15, 0.6) * np.exp(random.normal(0, 0.5, n))
    columns = [redshift, np.clip(log_mass, 7.5, 13), *kappa.T, t_burst]
    columns += [random.beta(1, 4, n), -0.4 + 0.5 * np.tanh(random.normal(0, 1, n)) + 0.1 * shift]
    columns += [random.uniform(-3, 1, n), random.uniform(0, 3, n), np.clip(tau_ism, 0, 3)]
    return np.stack(columns, axis=1).astype(np.float32), quiescent


def draw_derived(theta, quiescent, random):
    """Draw the derived quantities of a population."""
    log_mass = theta[:, 1].astype(np.float64)
    n = len(theta)
    log_sfr = 0.76 * (log_mass - 0.2) - 7.64 + random.normal(0, 0.25, n)
    log_sfr = np.where(quiescent, log_sfr - 1.6 - random.gamma(2, 0.3, n), log_sfr)
    age = np.clip(np.where(quiescent, 8, 5) + random.normal(0, 1.5, n), 0.5, 12.5)
    surviving = log_mass - 0.19 - 0.02 * np.log10(age)
    burst = np.minimum(theta[:, 5], 12.0)
    return np.stack([log_sfr, age, surviving, surviving - 0.01, burst], axis=1).astype(np.float32)


def draw_mag(theta, quiescent, random):
    """Draw magnitudes from mass, distance and a colour sequence."""
    n = len(theta)
    red = np.where(quiescent, 1.15, 0.85) + random.normal(0, 0.1, n)
    r = 17.0 + 5 * np.log10(theta[:, 0] / 0.1) - 2.5 * (theta[:, 1] - 10.75)
    r = r + random.normal(0, 0.4, n)
    mag = r[:, None] + red[:, None] * np.array(COLOURS)
    return (mag + random.normal(0, 0.03, mag.shape)).astype(np.float32)


def draw(n, random, shift=0.0):
    """Return theta, derived and mag of one population of n galaxies."""
    theta, quiescent = draw_theta(n, random, shift)
    derived = draw_derived(theta, quiescent, random)
    return theta, derived, draw_mag(theta, quiescent, random)


def make_samples(n_members=3, n_draws=600, seed=1, source="mock", spread=0.5):
    """Return samples of an ensemble whose members are shifted against each other."""
    random = np.random.default_rng(seed)
    shifts = random.normal(0, spread, n_members)
    theta, derived, mag = (
        np.stack(part) for part in zip(*(draw(n_draws, random, s) for s in shifts), strict=True)
    )
    prior = draw_theta(2 * n_draws, random)[0]
    prior[:, 0] = 0.8 * random.random(2 * n_draws) ** (1 / 3)
    prior[:, 1] = random.uniform(7.5, 11.5, 2 * n_draws)
    prior[:, 10] = random.uniform(0, 3, 2 * n_draws)
    prior[:, 7] = random.uniform(-2.6, 0.3, 2 * n_draws)
    quiescent = random.random(2 * n_draws) < 0.3
    prior_derived = draw_derived(prior, quiescent, random)
    prior_mag = draw_mag(prior, quiescent, random)
    return PopulationSamples(
        theta, derived, mag, prior, prior_derived, prior_mag, NAMES, DERIVED_NAMES, BANDS, source
    )


def make_observed(n=1500, seed=2, kind="truth", source="mock"):
    """Return a catalogue and its reference (all columns, or redshift alone)."""
    random = np.random.default_rng(seed)
    theta, derived, mag = draw(n, random)
    error = 0.01 + 0.01 * 10 ** (0.4 * (mag - 18)) * np.exp(random.normal(0, 0.1, mag.shape))
    catalogue = Catalogue(
        mag=mag.astype(np.float64),
        mag_error=error.astype(np.float64),
        n_kept=np.array([n + 151, n + 51, n + 50, n]),
        bands=BANDS,
        filters=tuple(f"sdss2010-{band}" for band in BANDS),
        cut_names=("read", "flux > 0", "SNR > 1 in every band", "J - K > 0.025"),
        source=source,
    )
    if kind == "truth":
        return catalogue, Reference(np.hstack([theta, derived]), (*NAMES, *DERIVED_NAMES), kind)
    redshift = theta[:, :1].copy()
    redshift[::17] = np.nan
    return catalogue, Reference(redshift, ("redshift",), kind)


def make_members(n_members=3, n_epochs=40, seed=3):
    """Return trained members as the fit writes them, with the fields that products use."""
    random = np.random.default_rng(seed)
    epochs = np.arange(1, n_epochs + 1)
    members = []
    for _ in range(n_members):
        distance = 0.02 + 0.5 * np.exp(-epochs / 6) * np.exp(random.normal(0, 0.1, n_epochs))
        rate = 3e-3 * np.exp(-(((epochs - 12) / 12.0) ** 2)) + 3e-5
        history = {
            "distance": (distance * 1.2).tolist(),
            "validation": distance.tolist(),
            "prior_kl": (3 - 2 * np.exp(-epochs / 10)).tolist(),
            "gradient": (2 + random.random(n_epochs)).tolist(),
            "learning_rate": rate.tolist(),
        }
        zero_points = random.normal(0, 0.01, len(BANDS))
        members.append({"history": history, "zero_points": zero_points, "source": "mock"})
    return members


def make_bases():
    """Principal components of two segments, with errors that rise to the blue."""
    bases = []
    for segment, (low, high) in enumerate([(1000, 3600), (3600, 20_000)]):
        wave = np.geomspace(low, high, 30)
        error = 1e-4 * (wave / 1000) ** -0.5
        columns = (wave, 0 * wave, 0 * wave + 1, np.eye(5, 30), np.ones(5), error, 3 * error)
        bases.append(SpectrumBasis(*columns, segment=segment, source="toy"))
    return bases


def make_accuracy(n=500, n_pixels=60, seed=4):
    """Return the accuracy of an emulator whose errors rise to the blue."""
    random = np.random.default_rng(seed)
    wave = np.geomspace(1000, 30000, n_pixels)
    inner = 0.01 * (3000 / wave) ** 0.5
    common = random.normal(0, 0.003, (n, 1))
    mag = (common + random.normal(0, 0.003, (n, len(BANDS)))).astype(np.float32)
    return EmulatorAccuracy(
        wave=wave,
        spectrum=np.stack([inner, 3 * inner]),
        bias=0.1 * inner,
        pooled=np.array([[0.015, 0.04], [0.006, 0.02]]),
        rest_mag=mag,
        mag=mag,
        redshift=random.uniform(0, 0.8, n),
        redshift_edges=np.linspace(0, 0.8, 9),
        mag_binned=random.uniform(0.004, 0.01, (2, 8, len(BANDS))),
        correlation=np.corrcoef(mag, rowvar=False),
        age_edges=np.linspace(-2, 1.1, 5),
        by_age=random.uniform(0.004, 0.01, (2, 4)),
        ratio_edges=np.array(RATIO_EDGES),
        by_ratio=random.uniform(0.004, 0.01, (2, len(RATIO_EDGES) - 1)),
        bands=BANDS,
        source="mock",
    )


STEP_COSTS = {
    "machine": {},
    "recipes": {
        "ours": {
            "n_samples": [500, 1000],
            "seconds": {"step": [0.03, 0.06], "distance": [0.004, 0.008]},
            "exponent": {"step": 1.0, "distance": 1.0},
        },
        "other": {"n_samples": [500], "seconds": {"step": [3.0], "distance": [2.0]}},
    },
}
GALAXY_COSTS = {
    "machine": {},
    "n_steps": 2000,
    "galaxies": {
        "n": [10**5, 10**6],
        "setup_s": [2.0, 11.0],
        "step_s": [0.06, 0.06],
        "memory_mb": [1000.0, 1900.0],
        "device_mb": [100.0, 100.0],
    },
    "together": {},
}
