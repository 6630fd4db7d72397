"""Errors of the spectra of old stars, from surveys with known redshifts.

    python -m tests.studies.run_offsets            # or: make study STUDY=offsets

At a known redshift a band sees a known part of the spectrum, so surveys that span many redshifts
tell an error of the spectra, which is one of rest wavelength, from an error of a band.  With the
default prior as weights w_t of many model galaxies of each redshift, this study maximises

    sum over galaxies i of log sum over models t of w_t N(mag_i - mag_t; a_i + zeros + offsets)

(a_i: each galaxy's own brightness, free; N with its errors) in each band's zero point, in an offset
of the light of old stars at rest wavelengths, another one of younger stars, which is a nuisance
here, and in the model's scatter.  Each half of the first survey's galaxies, and another survey, are
asked apart.
What changes with the survey is no property of the spectra: the offset is used at the strength

    s^2 / (s^2 + e^2),   s: its rms,   e: rms of the difference between surveys over sqrt 2.

The demo is no part of it.  Reads the tables of ``tests/studies/real.yaml`` (skipped where absent)
and results/ssp.h5 (``make demo``).  Writes results/studies/offsets.{json,md}; a quarter of an hour.
"""

import argparse
import dataclasses
import json
import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from popsed_core.config import base
from popsed_core.config.root import Config
from popsed_core.files.artefacts import load
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.parameters import NAMES
from popsed_core.photometry.filters import load_filter
from popsed_core.photometry.synthetic import SyntheticPhotometry, build_synthetic_photometry
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, numpy_generator, set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.ssp.old_stars import BEGINS, offset_old_stars
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.theta import Theta
from tests.studies import run_luminosity, run_real

NAME = "offsets"
WAVE = np.array(  # [AA] rest frame
    [2000, 2500, 3000, 3400, 3800, 4200, 4700, 5300, 6000, 6800, 7800, 9000, 11000, 15000, 22000]
)
USED = slice(1, 11)  # of them; beyond, bands of unsure calibration alone see the spectra
REFERENCE = 8  # where there is no offset: the galaxy's mass takes it
SHARED_WAVES = slice(3, 11)  # which the second survey's bands see
CASES = (  # survey, bands, half, largest error [mag], error of its zero points [mag]
    ("zcosmos_bright", "uBVgrizJK", 0, np.inf, 0.05),
    ("zcosmos_bright", "uBVgrizJK", 1, np.inf, 0.05),
    ("boss_dr10", "griz", 0, 0.3, 0.03),
)
REDSHIFTS, STEP = (0.05, 1.2), 0.02
N_GALAXIES = {"zcosmos_bright": 2500, "boss_dr10": 2000}
N_MODELS = 4000  # at each redshift, flat in mass
MASSES = (8.2, 12.2)  # [dex Msun]
BRIGHTNESS = 0.3  # [mag] that a model galaxy of neighbouring mass may be off
F_LOST = 0.4
OUTLIERS, OUTLIER_ERROR = 0.03, 0.5  # share, [mag]
LEAST_ERROR = 0.005  # [mag] of a magnitude
OFFSET, ROUGHNESS = 0.1, 0.05  # [mag] priors of an offset, and of the step to the next
SCATTER = 0.03  # [mag] of models, about which it varies by a factor of e to the power 0.5
log = logging.getLogger("study")
log.setLevel(logging.INFO)


class Group(NamedTuple):
    """Galaxies of one redshift, and models: magnitudes, old shares, weights of wavelengths."""

    model: torch.Tensor
    old_share: torch.Tensor
    mag: torch.Tensor
    variance: torch.Tensor
    hats: torch.Tensor


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
    known = prior.from_shares(trial).log_stellar_mass.numpy()
    wanted = np.interp(np.linspace(*MASSES, N_MODELS), known, trial[:, mass].numpy())
    shares[:, mass] = torch.from_numpy(wanted).clamp(1e-9, 1 - 1e-12)
    return Theta(*(column.float() for column in prior.from_shares(shares)))


@torch.no_grad()
def magnitudes(
    whole: SyntheticPhotometry, old: SyntheticPhotometry, theta: Theta
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return magnitudes (galaxy, band) [mag] and the share of old stars in their light."""
    flux = whole(theta, torch.tensor(F_LOST))
    share = old(theta, torch.tensor(1.0)) / flux
    return -2.5 * torch.log10(flux), share.clamp(0, 1)


def groups_of(settings: Config, grid: SSPGrid, name: str, case: tuple[Any, ...]) -> list[Group]:
    """Return a survey's galaxies, by redshift, each beside the models of that redshift."""
    _, wanted, half, largest, _ = case
    catalogue, reference = build_catalogue(settings.surveys[name])
    bands = [catalogue.bands.index(band) for band in wanted]
    filters = [catalogue.filters[index] for index in bands]
    redshift = np.asarray(reference.column("redshift"), float)
    is_used = (redshift > REDSHIFTS[0]) & (redshift < REDSHIFTS[1])
    is_used &= (catalogue.mag_error[:, bands] < largest).all(axis=1)
    order = numpy_generator(settings.seed, NAME, name).permutation(np.flatnonzero(is_used))
    chosen = order[half * N_GALAXIES[name] :][: N_GALAXIES[name]]
    parameters = settings.parameters_for(name)
    box = dataclasses.replace(parameters["redshift"], high=1.3)
    prior = PopulationPrior({**parameters, "redshift": box}, settings.spectra.cosmology)
    is_old = grid.ssp_lg_age_gyr > BEGINS
    old_grid = dataclasses.replace(grid, ssp_flux=grid.ssp_flux * is_old[:, None])
    whole, old = (
        build_synthetic_photometry(table, filters, settings.spectra, (0.001, 1.25)).float()
        for table in (grid, old_grid)
    )
    stream = generator(settings.seed, NAME, name)
    cell = np.rint(redshift[chosen] / STEP).astype(int)
    wave = np.array([pivot(one) for one in filters])
    return [
        grouped(catalogue, chosen[cell == one], bands, wave / (1 + one * STEP),
                magnitudes(whole, old, models_at(prior, one * STEP, stream)))
        for one in np.unique(cell)
    ]  # fmt: skip


def grouped(
    catalogue: Catalogue,
    rows: np.ndarray,
    bands: list[int],
    wave: np.ndarray,
    models: tuple[torch.Tensor, torch.Tensor],
) -> Group:
    """Return galaxies of one redshift beside their models."""
    mag, error = (
        torch.from_numpy(values[np.ix_(rows, bands)]).float()
        for values in (catalogue.mag, catalogue.mag_error)
    )
    weights = torch.from_numpy(hats(wave)).float()
    return Group(*models, mag, error.square() + LEAST_ERROR**2, weights)


def log_likelihood(
    group: Group, zero_points: torch.Tensor, offsets: torch.Tensor, log_scatter: torch.Tensor
) -> torch.Tensor:
    """Return the sum over galaxies of the log likelihood, brightness integrated out."""
    young, old = (group.hats @ offsets.T).unbind(1)
    model = group.model + zero_points + torch.lerp(young, old, group.old_share)
    variance = group.variance + torch.exp(2 * (group.hats @ log_scatter))
    inverse = 1 / variance
    total = inverse.sum(1) + BRIGHTNESS**-2
    weighted = inverse * group.mag
    square = (weighted * group.mag).sum(1)[:, None] - 2 * weighted @ model.T
    square = square + inverse @ model.square().T
    mean = weighted.sum(1)[:, None] - inverse @ model.T
    exponent = -0.5 * (square - mean.square() / total[:, None])
    unit = 0.5 * (variance.log().sum(1) + (total * BRIGHTNESS**2).log())
    good = exponent.logsumexp(1) - np.log(len(model)) - unit
    centre = (model.mean(0) - model.mean()).detach()
    residual = group.mag - group.mag.mean(1, keepdim=True) - centre
    wide = variance + OUTLIER_ERROR**2
    bad = -0.5 * (wide.log() + residual.square() / wide).sum(1)
    return torch.logaddexp(good + np.log1p(-OUTLIERS), bad + np.log(OUTLIERS)).double().sum()


def learn(groups: list[Group], zero_point_error: float) -> tuple[np.ndarray, ...]:
    """Return the zero points, the offsets of young and of old stars, and the scatter [mag]."""
    n_bands, n_waves = len(groups[0].hats), len(WAVE)
    sizes = (n_bands, 2 * n_waves, n_waves)
    scale = np.repeat([0.02, 0.02, 0.3], sizes)
    start = np.repeat([0.0, 0.0, np.log(SCATTER)], sizes)

    def objective(step: np.ndarray) -> tuple[float, np.ndarray]:
        values = torch.tensor(start + scale * step, requires_grad=True)
        zero_points, offsets, log_scatter = values.split(sizes)
        offsets = offsets.reshape(2, n_waves)
        cost = 0.5 * (
            (zero_points / zero_point_error).square().sum()
            + (offsets / OFFSET).square().sum()
            + (offsets.diff(dim=1) / ROUGHNESS).square().sum()
            + (offsets[:, REFERENCE] / 0.002).square().sum()
            + ((log_scatter - np.log(SCATTER)) / 0.5).square().sum()
            + (log_scatter.diff() / 0.3).square().sum()
        )
        settings = zero_points.float(), offsets.float(), log_scatter.float()
        for group in groups:
            cost = cost - log_likelihood(group, *settings)
        cost.backward()
        return cost.item(), values.grad.numpy() * scale

    options = {"maxiter": 150, "maxfun": 170}
    found = minimize(objective, 0 * start, jac=True, method="L-BFGS-B", options=options)
    values = start + scale * found.x
    zero_points, offsets, log_scatter = np.split(values, np.cumsum(sizes)[:-1])
    return zero_points, *offsets.reshape(2, n_waves), np.exp(log_scatter)


def strength_of(first: np.ndarray, second: np.ndarray) -> float:
    """Return how much of the first survey's offset is believed, given the second's."""
    signal = np.mean(np.delete(first, REFERENCE)[USED.start : USED.stop - 1] ** 2)
    error = np.mean((first - second)[SHARED_WAVES] ** 2) / 2
    return float(signal / (signal + error))


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
    return (
        f"# Study: {NAME}\n\nThe light of BC03's old stars against surveys with known redshifts, "
        f"made by `make study STUDY={NAME}`; positive: models should be fainter.\n\n"
        + "\n".join(rows) + "\n\nZero points [mag]:\n\n" + "\n".join(points)
        + f"\n\nStrength {found['strength']:.2f}. Used (`ssp.bc03.old_star_offset`; [AA]: [mag]): "
        f"{used}.\n"
    )  # fmt: skip


def main() -> None:
    """Learn from each survey, and say what is used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=run_real.ROOT / "results")
    parser.add_argument("--shared", type=Path, default=run_real.SHARED, help="has surveys/")
    arguments = parser.parse_args()
    start_logging()
    set_threads(2)
    study = base.read_yaml(Path(__file__).with_name("real.yaml"))
    nothing = argparse.Namespace(configfile=[], members=None, epochs=None)
    overlay = run_real.overlay_of(study, arguments.shared, run_real.WORK, nothing)
    if missing := [case[0] for case in CASES if case[0] not in overlay["surveys"]]:
        raise SystemExit(f"not here: {missing}, expected in {arguments.shared}/surveys")
    tree = base.merge(base.read_yaml(run_real.ROOT / "config.yaml"), overlay)
    settings = base.parse(Config, tree, "config.yaml")
    grid = load(arguments.results / "ssp.h5", SSPGrid)
    grid = offset_old_stars(grid, [(wave, -mag) for wave, mag in settings.ssp.bc03.old_star_offset])
    rows = []
    for case in CASES:
        groups = groups_of(settings, grid, case[0], case)
        zero_points, young, old, scatter = learn(groups, case[-1])
        rows.append(
            {
                "survey": case[0],
                "half": case[2],
                "n_galaxies": sum(len(group.mag) for group in groups),
                "zero_points": dict(zip(case[1], zero_points.round(3).tolist(), strict=True)),
                "young": young.round(3).tolist(),
                "old": old.round(3).tolist(),
                "scatter": scatter.round(3).tolist(),
            }
        )
        log.info("%s", json.dumps(rows[-1]))
    halves = np.mean([row["old"] for row in rows[:2]], axis=0)
    strength = strength_of(halves, np.array(rows[2]["old"]))
    used = (strength * halves[USED]).round(3)
    used[REFERENCE - USED.start] = 0.0
    found = {"rows": rows, "strength": strength, "wave": WAVE[USED].tolist(), "mag": used.tolist()}
    run_real.OUT.mkdir(parents=True, exist_ok=True)
    (run_real.OUT / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n")
    (run_real.OUT / f"{NAME}.md").write_text(as_markdown(found))
    log.info("\n%s", as_markdown(found))


if __name__ == "__main__":
    main()
