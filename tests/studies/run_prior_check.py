"""What does the prior predict?  Its photometry against the catalogues', before any fit.

    python -m tests.studies.run_prior_check        # or: make study STUDY=prior_check

Draws every prior of ``tests/studies/prior_check.yaml`` as the fit has it, selected by the cuts and
faint limits of a catalogue and observed with its noise, and compares magnitudes and colours with
the catalogue's own.  No redshift is read.  Writes results/studies/prior_check.{json,md,png}.  Needs
the catalogue and SSP table of `make demo`, or ``--results``; other surveys where ``--tables`` has
them.
"""

import argparse
import dataclasses
import json
import logging
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas
import torch
from scipy.stats import gaussian_kde, wasserstein_distance

from popsed_core.config import base
from popsed_core.config.root import Config
from popsed_core.config.surveys import TableSurvey
from popsed_core.files.artefacts import load
from popsed_core.inference.lost_photons import typical_share
from popsed_core.inference.priors.observability import Observability
from popsed_core.inference.priors.prior import PopulationPrior
from popsed_core.inference.priors.selected_prior import sample_selected
from popsed_core.inference.task import FitInputs, FitTask, build_forward
from popsed_core.parameters import DERIVED
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, numpy_generator, set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.build import build_catalogue
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise
from popsed_core.theta import Theta
from tests.studies.run_study import OUT, ROOT, settings_of

NAME = "prior_check"
SMOOTHING = 0.05  # [mag] of the density whose valley is measured
GRID = 300  # values at which it is
ENDS = (0.03, 0.97)  # quantiles between which it is: tails have bumps
SFR_BINS = np.arange(-4.0, 3.5, 0.25)  # [dex Msun / yr]
log = logging.getLogger("study")
log.setLevel(logging.INFO)


class Predicted(NamedTuple):
    """Photometry (galaxy, band) [mag] and log SFR [dex Msun / yr] of a prior's galaxies."""

    mag: np.ndarray
    log_sfr: np.ndarray


def read_table(folder: Path, table: dict[str, Any]) -> Catalogue:
    """Return the catalogue of a development survey: its photometry alone."""
    columns = pandas.read_csv(folder / table["file"])
    bands = {}
    for band, curve in table["bands"].items():
        value, error = table["value"].format(band), f"error_{band}"
        if "ivar" in table:
            columns[error] = columns[table["ivar"].format(band)].clip(lower=0) ** -0.5
        else:
            columns[error] = columns[table["error"].format(band)]
        bands[band] = {"filter": curve, "value": value, "error": error}
        bands[band]["offset"] = table.get("offsets", {}).get(band, 0.0)
        if "extinction" in table:
            bands[band]["extinction"] = table["extinction"].format(band)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "table.csv"
        columns.to_csv(path, index=False)
        section = {"kind": "table", "path": str(path), "bands": bands}
        section["quantity"] = "flux" if "ivar" in table else "mag"
        section["cuts"] = {"min_snr": 1.0}
        section["missing"] = table.get("missing", [99.0, -99.0, -9999.0])
        return build_catalogue(base.parse(TableSurvey, section, table["file"]))[0]


@torch.no_grad()
def predict(
    settings: Config, name: str, survey: FitInputs, redshift_high: float | None, n: int
) -> Predicted:
    """Return what a prior predicts for a survey."""
    known = name if name in settings.surveys else settings.survey
    parameters = settings.parameters_for(known)
    if redshift_high is not None:
        box = dataclasses.replace(parameters["redshift"], high=redshift_high)
        parameters = {**parameters, "redshift": box}
    task = FitTask(name, 1, settings.seed, settings.fit_for(known), settings.spectra, parameters)
    forward = build_forward(task, survey, torch.device("cpu"))
    log_observed = Observability(survey.catalogue, forward, task.fit.selection)
    has_gas = forward.has_nebular and task.fit.f_lost is not None
    f_lost = torch.tensor(typical_share(task.fit.f_lost)) if has_gas else None
    stream = generator(settings.seed, NAME, name)
    theta = sample_selected(
        PopulationPrior(parameters, settings.spectra.cosmology),
        lambda theta: log_observed(forward.fluxes(theta, f_lost)),
        n,
        stream,
    )
    theta = Theta(*(column.float() for column in theta))
    log_sfr = forward.photometry.derived(theta)[:, [row.name for row in DERIVED].index("log_sfr")]
    return Predicted(forward(theta, stream, f_lost=f_lost).numpy(), log_sfr.numpy())


def quantities(mag: np.ndarray, bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Return all magnitudes and the colours of neighbouring bands."""
    found = {band: mag[:, index] for index, band in enumerate(bands)}
    for blue, red in pairwise(bands):
        found[f"{blue} - {red}"] = found[blue] - found[red]
    return found


def valley(values: np.ndarray) -> float:
    """Return the lowest density between two peaks over the lower of them; 1: one peak."""
    x = np.linspace(*np.quantile(values, ENDS), GRID)
    density = gaussian_kde(values, SMOOTHING / values.std())(x)
    left = np.maximum.accumulate(density)
    right = np.maximum.accumulate(density[::-1])[::-1]
    return float((density / np.minimum(left, right)).min())


def judge(predicted: Predicted, catalogue: Catalogue) -> dict[str, float]:
    """Return distances and offsets of every magnitude and colour, valleys, and the rate's peak."""
    ours = quantities(predicted.mag, catalogue.bands)
    data = quantities(catalogue.mag, catalogue.bands)
    row = {f"W1 {key}": wasserstein_distance(ours[key], data[key]) for key in data}
    row |= {f"median {key}": float(np.median(ours[key]) - np.median(data[key])) for key in data}
    counts, edges = np.histogram(predicted.log_sfr, SFR_BINS)
    row["log SFR peak"] = float(edges[counts.argmax()] + 0.5 * np.diff(edges)[0])
    row["log SFR median"] = float(np.median(predicted.log_sfr))
    return row | shape(ours[bluest(catalogue)], data[bluest(catalogue)])


def shape(ours: np.ndarray, data: np.ndarray) -> dict[str, float]:
    """Return how the bluest colour is distributed: W1 when medians agree, and the valley."""
    moved = wasserstein_distance(ours - np.median(ours), data - np.median(data))
    return {"W1 of the bluest colour about its median": moved, "valley": valley(ours)}


def bluest(catalogue: Catalogue) -> str:
    """Return the name of the bluest colour."""
    return f"{catalogue.bands[0]} - {catalogue.bands[1]}"


def floor(catalogue: Catalogue, seed: int) -> dict[str, float]:
    """Return the distances of two random halves of the catalogue, and its own valley."""
    order = numpy_generator(seed, NAME, "halves").permutation(len(catalogue.mag))
    data = quantities(catalogue.mag[order], catalogue.bands)
    half = len(order) // 2
    row = {f"W1 {key}": wasserstein_distance(x[:half], x[half:]) for key, x in data.items()}
    colour = data[bluest(catalogue)]
    return row | shape(colour[:half], colour[half:]) | {"valley": valley(colour)}


def draw(shown: list[tuple[str, Catalogue, dict[str, Predicted]]]) -> None:
    """Draw the colours of every survey: the catalogue filled, priors as lines."""
    width = max(len(catalogue.bands) - 1 for _, catalogue, _ in shown)
    figure, axes = plt.subplots(
        len(shown), width, figsize=(3 * width, 2.6 * len(shown)), squeeze=False
    )
    for row, (name, catalogue, priors) in zip(axes, shown, strict=True):
        data = quantities(catalogue.mag, catalogue.bands)
        colours = [key for key in data if " - " in key]
        for axis in row[len(colours) :]:
            axis.set_axis_off()
        for axis, key in zip(row, colours, strict=False):
            low, high = np.quantile(data[key], (0.005, 0.995))
            bins = np.linspace(low - 0.3, high + 0.3, 60)
            axis.hist(data[key], bins, density=True, color="0.8", label=name)
            for label, predicted in priors.items():
                values = quantities(predicted.mag, catalogue.bands)[key]
                axis.hist(values, bins, density=True, histtype="step", label=label)
            axis.set(xlabel=f"${key}$ [mag]", yticks=[])
        row[0].legend(fontsize=6, loc="upper left")
    figure.tight_layout()
    figure.savefig(OUT / f"{NAME}.png", dpi=100)


def as_markdown(purpose: str, rows: list[dict[str, Any]]) -> str:
    """Return one table per survey: a line per prior, and one of the floor."""
    text = f"# Study: {NAME}\n\n{purpose}\n\nMade by `make study STUDY={NAME}`.\n"
    for survey in dict.fromkeys(row["survey"] for row in rows):
        mine = [row for row in rows if row["survey"] == survey]
        keys = [key for key in mine[0] if key not in ("survey", "name")]
        text += f"\n## {survey}\n\n| | " + " | ".join(row["name"] for row in mine) + " |\n"
        text += "|" + " --- |" * (len(mine) + 1) + "\n"
        for key in keys:
            cells = [f"{row[key]:.3f}" if key in row else "" for row in mine]
            text += f"| {key} | " + " | ".join(cells) + " |\n"
    return text


def main() -> None:
    """Check all priors on all surveys at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--tables", type=Path, help="folder of the development surveys")
    parser.add_argument("--n", type=int, default=5000, help="draws per prior")
    arguments = parser.parse_args()
    start_logging()
    set_threads(1)
    study = base.read_yaml(Path(__file__).parent / f"{NAME}.yaml")
    settings = {variant["name"]: settings_of(variant) for variant in study["variants"]}
    grid = load(arguments.results / "ssp.h5", SSPGrid)
    catalogues = {
        name: load(arguments.results / name / "catalogue.h5", Catalogue)
        for name in study["surveys"]
    }
    if arguments.tables is not None:
        for name, table in study["tables"].items():
            catalogues[name] = read_table(arguments.tables, table)
    rows, shown = [], []
    OUT.mkdir(parents=True, exist_ok=True)
    for name, catalogue in catalogues.items():
        high = study["tables"].get(name, {}).get("redshift_high")
        priors = {}
        for label, each in settings.items():
            survey = FitInputs(grid, catalogue, fit_noise(catalogue, each.noise))
            priors[label] = predict(each, name, survey, high, arguments.n)
            rows.append({"survey": name, "name": label} | judge(priors[label], catalogue))
            log.info("%s: %s", name, label)
        rows.append({"survey": name, "name": "catalogue"} | floor(catalogue, 1))
        shown.append((name, catalogue, priors))
        (OUT / f"{NAME}.json").write_text(json.dumps(rows, indent=1) + "\n")
        (OUT / f"{NAME}.md").write_text(as_markdown(study["purpose"], rows))
        draw(shown)


if __name__ == "__main__":
    main()
