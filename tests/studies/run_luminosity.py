"""The prior's luminosity function and red sequence at redshift 0.1, against measurements.

    python -m tests.studies.run_luminosity         # or: make study STUDY=luminosity

A mass function says how bright galaxies are only with the mass-to-light ratios that it was measured
with.  Here the prior's own spectra turn its masses, and its number of galaxies, into the luminosity
function in the r band of redshift 0.1, beside that of Blanton et al. 2003, and quiescent galaxies
into the g - r of the red sequence.  No catalogue is read, and no redshift.  Needs results/ssp.h5
(``make demo``), or ``--results``.  Writes results/studies/luminosity.{json,md}.
"""

import argparse
import json
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from popsed_core.config import root
from popsed_core.config.parameters import Schechter
from popsed_core.config.root import Config
from popsed_core.files.artefacts import load
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import DERIVED, NAMES
from popsed_core.photometry.synthetic import SyntheticPhotometry, build_synthetic_photometry
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta
from tests.studies.run_study import OUT, ROOT

NAME = "luminosity"
REDSHIFT = 0.1
MASSES = (7.5, 8.5, 9.5, 10.5, 13.0)  # [dex Msun] formed: as many draws between each two
RED_MASSES = (10.9, 11.4)  # [dex Msun] formed, of the red sequence
QUIESCENT = -11.3  # [dex / yr] largest specific star-formation rate of the red sequence
F_LOST = 0.4
# Blanton et al. 2003 (ApJ 592, 819), r band of redshift 0.1, for H0 = 100 h: M* - 5 log10 h [mag],
# phi* [h^3 / Mpc^3], faint-end slope
KNEE, NUMBER, SLOPE = -20.44, 1.49e-2, -1.05
# ASSUME: what their Petrosian apertures miss of a galaxy at the knee [mag]: half of the 0.22 mag of
# a de Vaucouleurs profile, of an exponential one nothing (Graham et al. 2005, AJ 130, 1535)
MISSED = 0.1
# same authors (ApJ 594, 186): where g - r of red galaxies lies, both bands of redshift 0.1 [mag]
RED_SEQUENCE = (0.95, 1.0)
MAGNITUDES = np.arange(-23.0, -16.4, 0.5)  # [mag] edges of the bins; theirs end at -16.8
N_DRAWS = 30_000
PER_KILO = 1e-3  # the mass function's weights are phi* in 1e-3 / Mpc^3
CHUNK = 4000
log = logging.getLogger("study")
log.setLevel(logging.INFO)


def share_at(prior: PopulationPrior, shares: torch.Tensor, name: str, value: float) -> float:
    """Return the cumulative share at which a parameter has a value, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        trial = shares[:1].clone()
        trial[:, NAMES.index(name)] = middle
        below = getattr(prior.from_cdf(trial), name)[0] < value
        low, high = (middle, high) if below else (low, middle)
    return low


def drawn(settings: Config, masses: tuple[float, float]) -> Theta:
    """Return galaxies at redshift 0.1 with masses in a range [dex Msun]."""
    prior = PopulationPrior(settings.parameters, settings.spectra.cosmology)
    stream = generator(settings.seed, NAME)
    shares = torch.rand(N_DRAWS, len(NAMES), generator=stream, dtype=torch.float64)
    shares[:, NAMES.index("redshift")] = share_at(prior, shares, "redshift", REDSHIFT)
    low, high = (share_at(prior, shares, "log_stellar_mass", mass) for mass in masses)
    column = NAMES.index("log_stellar_mass")
    shares[:, column] = low + (high - low) * shares[:, column]
    return prior.from_cdf(shares)


@torch.no_grad()
def observed(photometry: SyntheticPhotometry, theta: Theta) -> tuple[np.ndarray, np.ndarray]:
    """Return magnitudes (galaxy, band) [mag] and log specific star-formation rates [dex / yr]."""
    parts = [Theta(*part) for part in zip(*(x.split(CHUNK) for x in theta), strict=True)]
    lost = torch.tensor(F_LOST, dtype=torch.float64)
    mag = torch.cat([-2.5 * torch.log10(photometry(part, lost)) for part in parts])
    rate = torch.cat([photometry.derived(part) for part in parts])
    log_sfr = rate[:, [row.name for row in DERIVED].index("log_sfr")]
    return mag.numpy(), (log_sfr - theta.log_stellar_mass).numpy()


def number_density(prior: Schechter, low: float, high: float) -> float:
    """Return the galaxies between two masses [1 / Mpc^3], of a mass function per dex."""
    mass = np.linspace(low, high, 4000)
    x = 10 ** (mass - prior.log_knee)
    terms = zip(prior.slope, prior.weight, strict=True)
    per_dex = sum(weight * x ** (slope + 1) * np.exp(-x) for slope, weight in terms)
    return float(np.log(10) * PER_KILO * np.trapezoid(per_dex, mass))


def measured(magnitude: np.ndarray, hubble: float) -> np.ndarray:
    """Return the luminosity function of Blanton et al. 2003, of all light [1 / Mpc^3 / mag]."""
    h = hubble / 100
    x = 10 ** (-0.4 * (magnitude - KNEE + MISSED - 5 * np.log10(h)))
    return 0.4 * np.log(10) * NUMBER * h**3 * x ** (SLOPE + 1) * np.exp(-x)


def judge(settings: Config, grid: SSPGrid) -> dict[str, Any]:
    """Return the prior's luminosity function over the measured one [dex], and its red sequence."""
    filters = ["sdss2010-g", "sdss2010-r"]
    photometry = build_synthetic_photometry(grid, filters, settings.spectra, (0.001, 0.3))
    at = torch.tensor([REDSHIFT], dtype=torch.float64)
    distance = photometry.spectra.cosmology.luminosity_distance(at).item()
    # what r sees of a galaxy at redshift 0.1 is the band of redshift 0.1, but for the stretch
    modulus = 5 * np.log10(distance) + 25 - 2.5 * np.log10(1 + REDSHIFT)
    prior = settings.parameters["log_stellar_mass"].prior
    found = np.zeros(len(MAGNITUDES) - 1)
    for masses in pairwise(MASSES):
        absolute = observed(photometry, drawn(settings, masses))[0][:, 1] - modulus
        counts = np.histogram(absolute, MAGNITUDES)[0]
        found += counts / N_DRAWS * number_density(prior, *masses) / np.diff(MAGNITUDES)
    middle = 0.5 * (MAGNITUDES[1:] + MAGNITUDES[:-1])
    excess = np.log10(found / measured(middle, settings.spectra.cosmology.hubble))
    red, rate = observed(photometry, drawn(settings, RED_MASSES))
    colour = (red[:, 0] - red[:, 1])[rate < QUIESCENT]
    return {
        "excess_dex": dict(
            zip([f"{x:.2f}" for x in middle], excess.round(3).tolist(), strict=True)
        ),
        "red_sequence": np.quantile(colour, (0.16, 0.5, 0.84)).round(3).tolist(),
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Return the tables."""
    low, median, high = found["red_sequence"]
    rows = "\n".join(f"| {mag} | {x:+.2f} |" for mag, x in found["excess_dex"].items())
    return (
        f"# Study: {NAME}\n\nThe default prior at redshift {REDSHIFT:g}, made by `make study "
        f"STUDY={NAME}`.\n\n| M (r of redshift 0.1) | log10 of galaxies, over Blanton et al. 2003 "
        f"|\n| --- | --- |\n{rows}\n\nQuiescent galaxies of 10^{RED_MASSES[0]:g} to "
        f"10^{RED_MASSES[1]:g} Msun (formed): g - r = {median:.3f} ({low:.3f} to {high:.3f}, "
        f"68 %); the red sequence lies at {RED_SEQUENCE[0]:g} to {RED_SEQUENCE[1]:g}.\n"
    )


def main() -> None:
    """Evaluate the default prior."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    arguments = parser.parse_args()
    start_logging()
    set_threads(1)
    settings = root.load(ROOT / "config.yaml")
    found = judge(settings, load(arguments.results / "ssp.h5", SSPGrid))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n")
    (OUT / f"{NAME}.md").write_text(as_markdown(found))
    log.info("\n%s", as_markdown(found))


if __name__ == "__main__":
    main()
