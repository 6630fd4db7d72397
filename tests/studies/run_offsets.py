"""Errors of the spectra of old stars, from surveys with known redshifts.

    python -m tests.studies.run_offsets            # or: make study STUDY=offsets

At a known redshift a band sees a known part of the spectrum, so surveys that span many redshifts
separate an error of the spectra, which belongs to a rest wavelength, from an error of a band.  With
the default prior as weights w_t of many model galaxies of each redshift, this study maximises

    sum over galaxies i of log sum over models t of w_t N(mag_i - mag_t; a_i + zeros + offsets)

(a_i: each galaxy's own brightness, free; N with its errors) in each band's zero point, in an offset
of the light of old stars at rest wavelengths, another one of younger stars, which is a nuisance
here, in tilts of the prior's weights, and in the model's scatter; once for each half of the first
survey's galaxies, and once for each other survey.
What changes with the survey is no property of the spectra: the more the surveys differ, the less
of their offset is used (`believed`).

The demo is no part of it.  Reads the tables of ``tests/studies/real.yaml`` (skipped where absent)
and the downloads in resources/ (``make demo``).  Writes results/studies/offsets.{json,md}; minutes.
"""

import argparse
import dataclasses
import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.special import ndtri
from scipy.stats import rankdata

from popsed_core.config import base
from popsed_core.config.root import Config
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import NAMES
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.synthetic import SyntheticPhotometry, build_synthetic_photometry
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, numpy_generator, set_threads
from popsed_core.stellar.ssp.build import NebularFiles, build_ssp
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.old_stars import BEGINS
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.theta import Theta
from tests.studies import run_luminosity, run_real
from tests.studies.offset_posterior import REFERENCE, WAVE, Group, learn, parts
from tests.studies.offset_shrinking import SHARED_WAVES, believed, scatter_of

NAME = "offsets"
USED = slice(1, 11)  # of them; beyond, bands of unsure calibration alone see the spectra
REDSHIFTS, STEP = (0.05, 1.2), 0.02
N_GALAXIES = {"zcosmos_bright": 2500, "boss_dr10": 2000, "cnoc2_sdss": 2000}
N_MODELS = 4000  # at each redshift, flat in mass
MASSES = (8.2, 12.2)  # [dex Msun]
F_LOST = 0.4
LEAST_ERROR = 0.005  # [mag] of a magnitude
REACH = 1.8  # [mag] six times BRIGHTNESS: models further from a galaxy than this are no candidates
GALAXIES = 100  # of a group at most
log = logging.getLogger("study")
log.setLevel(logging.INFO)


class Case(NamedTuple):
    """What one row of the table is learnt from."""

    survey: str
    bands: str
    half: int
    largest_error: float  # [mag] of a magnitude that is used
    zero_point_error: float  # [mag]


CASES = (
    Case("zcosmos_bright", "uBVgrizJK", 0, np.inf, 0.05),
    Case("zcosmos_bright", "uBVgrizJK", 1, np.inf, 0.05),
    Case("boss_dr10", "griz", 0, 0.3, 0.03),
    Case("cnoc2_sdss", "griz", 0, 0.3, 0.03),
)


def hats(wave: np.ndarray) -> np.ndarray:
    """Return the weights (wave, node) of linear interpolation in ln(wavelength)."""
    nodes = np.eye(len(WAVE))
    return np.stack([np.interp(np.log(wave), np.log(WAVE), row) for row in nodes], axis=-1)


def pivot(name: str) -> float:
    """Return a filter's pivot wavelength [AA]."""
    curve = load_filter(name)
    photons = np.trapezoid(curve.response, curve.wave)
    return float(np.sqrt(photons / np.trapezoid(curve.response / curve.wave**2, curve.wave)))


def models_at(prior: PopulationPrior, redshift: float, stream: torch.Generator) -> Theta:
    """Return model galaxies at a redshift: masses flat, all else as the prior has it."""
    shares = torch.rand(N_MODELS, len(NAMES), generator=stream, dtype=torch.float64)
    at = run_luminosity.share_at(prior, shares, "redshift", redshift)
    shares[:, NAMES.index("redshift")] = at
    mass = NAMES.index("log_stellar_mass")
    trial = shares[:1].repeat(N_MODELS, 1)
    trial[:, mass] = 1 - (1 - torch.linspace(1e-6, 1 - 1e-9, N_MODELS, dtype=torch.float64)) ** 3
    known = prior.from_cdf(trial).log_stellar_mass.numpy()
    wanted = np.interp(np.linspace(*MASSES, N_MODELS), known, trial[:, mass].numpy())
    shares[:, mass] = torch.from_numpy(wanted).clamp(1e-9, 1 - 1e-12)
    return prior.from_cdf(shares)


def tilts(theta: Theta) -> torch.Tensor:
    """Return features (model, feature) by which a population may differ from the prior's.

    First and second Hermite polynomials of each parameter but redshift and mass, made normal.
    """
    free = [name for name in NAMES if name not in ("redshift", "log_stellar_mass")]
    ranks = np.stack([rankdata(getattr(theta, name)) for name in free], axis=1)
    normal = torch.from_numpy(ndtri((ranks - 0.5) / len(ranks)))
    return torch.cat([normal, (normal.square() - 1) / 2**0.5], dim=1)


@torch.no_grad()
def magnitudes(
    whole: SyntheticPhotometry, old: SyntheticPhotometry, theta: Theta
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return magnitudes (galaxy, band) [mag] and the share of old stars in their light."""
    flux = whole(theta, torch.tensor(F_LOST))
    share = old(theta, torch.tensor(1.0)) / flux
    return -2.5 * torch.log10(flux), share.clamp(0, 1)


def groups_of(settings: Config, grid: SSPGrid, case: Case) -> list[Group]:
    """Return a survey's galaxies, by redshift and brightness, each beside models like them."""
    catalogue, reference = build_catalogue(settings.surveys[case.survey])
    bands = [catalogue.bands.index(band) for band in case.bands]
    filters = [catalogue.filters[index] for index in bands]
    redshift = np.asarray(reference.column("redshift"), float)
    is_used = (redshift > REDSHIFTS[0]) & (redshift < REDSHIFTS[1])
    is_used &= (catalogue.mag_error[:, bands] < case.largest_error).all(axis=1)
    order = numpy_generator(settings.seed, NAME, case.survey).permutation(np.flatnonzero(is_used))
    chosen = order[case.half * N_GALAXIES[case.survey] :][: N_GALAXIES[case.survey]]
    parameters = settings.parameters_for(case.survey)
    box = dataclasses.replace(parameters["redshift"], high=1.3)
    prior = PopulationPrior({**parameters, "redshift": box}, settings.spectra.cosmology)
    is_old = grid.ssp_lg_age_gyr > BEGINS
    old_grid = dataclasses.replace(grid, ssp_flux=grid.ssp_flux * is_old[:, None])
    whole, old = (
        build_synthetic_photometry(table, filters, settings.spectra, (0.001, 1.25))
        for table in (grid, old_grid)
    )
    stream = generator(settings.seed, NAME, case.survey)
    cell = np.rint(redshift[chosen] / STEP).astype(int)
    wave = np.array([pivot(one) for one in filters])
    groups = []
    for one in np.unique(cell):
        theta = models_at(prior, one * STEP, stream)
        models = (*magnitudes(whole, old, theta), tilts(theta))
        nodes = torch.from_numpy(hats(wave / (1 + one * STEP)))
        groups += grouped(catalogue, chosen[cell == one], bands, nodes, models)
    return groups


def grouped(
    catalogue: Catalogue,
    rows: np.ndarray,
    bands: list[int],
    nodes: torch.Tensor,
    models: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
) -> list[Group]:
    """Return galaxies of one redshift, by brightness, beside the models that may resemble them."""
    rows = rows[catalogue.mag[np.ix_(rows, bands)].mean(axis=1).argsort()]
    brightness = models[0].mean(1)
    colour = models[0].mean(0) - models[0].mean()
    groups = []
    for part in np.array_split(rows, -(-len(rows) // GALAXIES)):
        mag, error = (
            torch.from_numpy(np.asarray(values[np.ix_(part, bands)], np.float64))
            for values in (catalogue.mag, catalogue.mag_error)
        )
        bright, faint = mag.mean(1).aminmax()
        is_near = (brightness > bright - REACH) & (brightness < faint + REACH)
        model, old_share, tilted = (values[is_near] for values in models)
        variance = error.square() + LEAST_ERROR**2
        groups.append(Group(model, old_share, colour, mag, variance, nodes, tilted, models[2]))
    return groups


def without_offset(settings: Config, resources: Path) -> SSPGrid:
    """Return the SSP table as its library has it, with gas."""
    bc03 = dataclasses.replace(settings.ssp.bc03, old_star_offset=())
    files = NebularFiles(
        continuum=resources / "nebular_continuum.fits",
        lines=resources / "nebular_lines.fits",
        wavelengths=resources / "line_wavelengths.txt",
    )
    return build_ssp(dataclasses.replace(settings.ssp, bc03=bc03), resources / "bc03.fits", files)


def row_of(case: Case, groups: list[Group]) -> dict[str, Any]:
    """Learn from a survey, and return what it says."""
    settings, errors = (
        values.numpy().round(4).tolist() for values in learn(groups, case.zero_point_error)
    )
    found, error = (
        parts(torch.tensor(row, dtype=torch.float64), len(case.bands)) for row in (settings, errors)
    )
    return {
        "survey": case.survey,
        "half": case.half,
        "n_galaxies": sum(len(group.mag) for group in groups),
        "zero_points": dict(zip(case.bands, settings, strict=False)),
        "young": found.young.tolist(),
        "old": found.old.tolist(),
        "old_error": error.old.tolist(),
        "scatter": found.log_scatter.exp().numpy().round(4).tolist(),
        "tilts": found.weights.tolist(),
    }


def verdict(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all rows, and the offset that is used."""
    halves = np.array([row["old"] for row in rows[:2]])
    surveys = np.array([halves.mean(axis=0), *(row["old"] for row in rows[2:])])
    mean, share = believed(surveys)
    mean[REFERENCE] = 0.0
    return {
        "rows": rows,
        "halves_scatter": scatter_of(halves),
        "surveys_scatter": scatter_of(surveys),
        "strength": {"all": round(float(share.max()), 3), "one": round(float(share.min()), 3)},
        "wave": WAVE[USED].tolist(),
        "mag": (share * mean)[USED].round(3).tolist(),
    }


def as_markdown(found: dict[str, Any]) -> str:
    """Return the tables."""
    waves = " | ".join(f"{wave}" for wave in WAVE)
    rows = [f"| old stars [mag] at [AA] | {waves} |", "| --- |" + " --- |" * len(WAVE)]
    for row in found["rows"]:
        cells = " | ".join(f"{x:+.3f}" for x in row["old"])
        rows.append(f"| {row['survey']}, half {row['half'] + 1} | {cells} |")
    points = [
        f"- {row['survey']}, half {row['half'] + 1}: "
        + ", ".join(f"{band} {x:+.3f}" for band, x in row["zero_points"].items())
        for row in found["rows"]
    ]
    used = ", ".join(
        f"{wave}: {x:+.3f}" for wave, x in zip(found["wave"], found["mag"], strict=True)
    )
    shared = WAVE[SHARED_WAVES]
    return (
        f"# Study: {NAME}\n\nThe light of BC03's old stars against surveys with known redshifts, "
        f"made by `make study STUDY={NAME}`; positive: models should be fainter.\n\n"
        + "\n".join(rows) + "\n\nZero points [mag]:\n\n" + "\n".join(points)
        + f"\n\nBetween {shared[0]} and {shared[-1]} AA one half scatters by "
        f"{found['halves_scatter']:.3f} mag (rms), one survey by {found['surveys_scatter']:.3f}. "
        f"Of the mean of all surveys {found['strength']['all']:.2f} is believed, of one alone "
        f"{found['strength']['one']:.2f}. Shrunk ([AA]: [mag]): {used}; "
        "STUDY=strength says how much of it is used.\n"
    )  # fmt: skip


def main() -> None:
    """Learn from each survey, and say what is used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=Path, default=run_real.ROOT / "resources")
    parser.add_argument("--shared", type=Path, default=run_real.SHARED, help="has surveys/")
    arguments = parser.parse_args()
    start_logging()
    set_threads(2)
    study = base.read_yaml(Path(__file__).with_name("real.yaml"))
    nothing = argparse.Namespace(configfile=[], members=None, epochs=None)
    overlay = run_real.overlay_of(study, arguments.shared, run_real.WORK, nothing)
    if missing := [case.survey for case in CASES if case.survey not in overlay["surveys"]]:
        raise SystemExit(f"not here: {missing}, expected in {arguments.shared}/surveys")
    tree = base.merge(base.read_yaml(run_real.ROOT / "config.yaml"), overlay)
    settings = base.parse(Config, tree, "config.yaml")
    grid = without_offset(settings, arguments.resources)
    rows = []
    for case in CASES:
        rows.append(row_of(case, groups_of(settings, grid, case)))
        log.info("%s", json.dumps(rows[-1]))
    found = verdict(rows)
    run_real.OUT.mkdir(parents=True, exist_ok=True)
    (run_real.OUT / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n")
    (run_real.OUT / f"{NAME}.md").write_text(as_markdown(found))
    log.info("\n%s", as_markdown(found))


if __name__ == "__main__":
    main()
