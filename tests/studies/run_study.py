"""Run a study on the mocks: variants of the configuration, judged by the known truth.

    python -m tests.studies.run_study distances        # or: make study STUDY=distances

Reads ``tests/studies/NAME.yaml``: a CPU budget per fit and a list of variants: changes of the
configuration (``overlay``) on top of files in config/ (``files``).  The noise is measured anew with
the settings of each.  Every variant gets the same CPU seconds: its optimiser steps are counted out
after its own cost per step has been measured, with Sinkhorn's blur schedule averaged over.  Numbers
are means over members, each with its own start, draws, bootstrap and zero points.  Writes
``results/studies/NAME.json`` and ``NAME.md``.  Needs ``make mock``, or mocks in ``--results``.
"""

import argparse
import dataclasses
import json
import logging
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wasserstein_distance

from popsed_core.config import base
from popsed_core.config.noise import NoiseConfig
from popsed_core.config.root import Config
from popsed_core.diagnostics.classifier import separability
from popsed_core.diagnostics.photometry import photometric_distance
from popsed_core.files.artefacts import load
from popsed_core.inference.ensemble import sample_ensemble
from popsed_core.inference.fit import FlowFit, fit_member
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue, Reference
from popsed_core.surveys.noise_fit import fit_noise

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "studies"
PROBES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)  # progress at which a step is timed
MAX_EPOCHS, MIN_STEPS = 20, 10  # epochs of a run, and steps that make one worth its validation
log = logging.getLogger("study")
log.setLevel(logging.INFO)


def load_survey(results: Path, name: str, noise: NoiseConfig) -> tuple[FitInputs, Reference]:
    """Read what the workflow made of a mock survey, and measure its noise."""
    catalogue = load(results / name / "catalogue.h5", Catalogue)
    survey = FitInputs(load(results / "ssp.h5", SSPGrid), catalogue, fit_noise(catalogue, noise))
    return survey, load(results / name / "reference.h5", Reference)


def plan(task: FitTask, survey: FitInputs, seconds: float) -> tuple[int, int]:
    """Return how many epochs and steps per epoch fill the CPU budget.

    A step is timed as the training does it, over the run's schedules, and a validation as well.
    Cheap distances get MAX_EPOCHS epochs, dear ones fewer, so that the budget holds for both.
    """
    job = FlowFit([task], survey)
    times = []
    for progress in (0.0, *PROBES):  # the first one warms up
        start = time.process_time()
        distance, divergence, *_ = job.losses(progress)
        (distance + divergence).sum().backward()
        times.append(time.process_time() - start)
    step = float(np.mean(times[1:]))
    start = time.process_time()
    job.validate(job.members[0])
    validation = time.process_time() - start
    n_epochs = int(np.clip(seconds / (MIN_STEPS * step + validation), 1, MAX_EPOCHS))
    return n_epochs, max(round((seconds / n_epochs - validation) / step), 1)


def settings_of(variant: dict[str, Any]) -> Config:
    """Return the configuration of a variant, which wins over the mocks' own changes."""
    overlay = variant.get("overlay", {})
    tree = base.read_yaml(ROOT / "config.yaml")
    for name in variant.get("files", ()):
        tree = base.merge(tree, base.read_yaml(ROOT / "config" / name))
    tree = base.merge(tree, overlay)
    for own in tree["surveys"].values():
        for key in {"fit", "parameters"} & set(own) & set(overlay):
            own[key] = base.merge(own[key], overlay[key])
    return base.parse(Config, tree, variant["name"])


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Fit one variant to one mock within the CPU budget and compare with the truth."""
    set_threads(1)
    settings = settings_of(job)
    survey, reference = load_survey(Path(job["results"]), job["survey"], settings.noise)
    task = FitTask(
        job["survey"], job["member"], settings.seed, settings.fit_for(job["survey"]),
        settings.spectra, settings.parameters_for(job["survey"]), "cpu",
    )  # fmt: skip
    n_epochs, n_steps = plan(task, survey, job["seconds"])
    fit = dataclasses.replace(task.fit, n_epochs=n_epochs, n_steps=n_steps)
    task = dataclasses.replace(task, fit=fit)
    start = time.process_time()
    member, _ = fit_member(task, survey)
    spent = time.process_time() - start
    samples = sample_ensemble(task, settings.products, survey, [member])
    photometric = photometric_distance(samples, survey.catalogue, settings.seed)
    row = {"name": job["name"], "survey": job["survey"], "member": job["member"]}
    row |= {"steps": task.fit.n_epochs * task.fit.n_steps, "cpu_s": round(spent, 1)}
    row |= {"photometric": photometric.ensemble, "floor": photometric.floor}
    row["classifier"] = separability(samples, survey.catalogue, settings.seed).accuracy
    return row | judge(samples, reference)


def judge(samples: Any, reference: Reference) -> dict[str, float]:
    """Return W1 per parameter in units of the truth's width, and offsets of means."""
    row = {}
    for name in samples.names:
        found, truth = samples.column(name).ravel(), reference.column(name)
        row[f"w1_{name}"] = wasserstein_distance(found, truth) / truth.std()
    found, truth = samples.column("redshift").ravel(), reference.column("redshift")
    row["redshift_w1"] = wasserstein_distance(found, truth)
    row["redshift_mean"] = (found.mean() - truth.mean()) / (1 + truth.mean())
    for key, name in (("mass_mean", "log_stellar_mass"), ("sfr_mean", "log_sfr")):
        row[key] = samples.column(name).mean() - reference.column(name).mean()
    return {key: float(value) for key, value in row.items()}


COLUMNS = {
    "name": "variant",
    "survey": "mock",
    "n_members": "members",
    "steps": "steps",
    "cpu_s": "CPU s",
    "photometric": "photometric W1",
    "floor": "its floor",
    "classifier": "classifier",
    "redshift_w1": "W1 of n(z)",
    "redshift_mean": "mean z offset / (1+z)",
    "mass_mean": "mean log M offset",
    "sfr_mean": "mean log SFR offset",
    "mean_w1": "mean W1/std",
}


def averaged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Average the members of each variant and mock."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["name"], row["survey"]), []).append(row)
    result = []
    for (name, survey), members in groups.items():
        keys = [key for key, value in members[0].items() if not isinstance(value, str)]
        mean = {key: float(np.mean([row[key] for row in members])) for key in keys}
        mean["mean_w1"] = float(np.mean([mean[key] for key in keys if key.startswith("w1_")]))
        result.append({"name": name, "survey": survey, "n_members": len(members)} | mean)
    return result


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| " + " | ".join(COLUMNS.values()) + " |", "|" + " --- |" * len(COLUMNS)]
    for row in rows:
        cells = [row[key] if isinstance(row[key], str) else f"{row[key]:.4g}" for key in COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write(name: str, study: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write the study's numbers so far."""
    OUT.mkdir(parents=True, exist_ok=True)
    content = {"purpose": study["purpose"], "cpu_seconds": study["seconds"], "rows": rows}
    (OUT / f"{name}.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    head = f"# Study: {name}\n\n{study['purpose']}\n\n{study['seconds']} CPU seconds per fit.\n\n"
    (OUT / f"{name}.md").write_text(head + table(averaged(rows)))


def main() -> None:
    """Run all variants, one process per core, writing after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="study: a YAML file of this folder")
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="where mocks are")
    arguments = parser.parse_args()
    start_logging()
    study = base.read_yaml(Path(__file__).parent / f"{arguments.name}.yaml")
    jobs = [
        {"seconds": study["seconds"], "survey": survey, "member": member}
        | {"results": str(arguments.results)}
        | variant
        for variant in study["variants"]
        for survey in variant.get("surveys", study["surveys"])
        for member in range(1, study.get("n_members", 1) + 1)
    ]
    rows: list[dict[str, Any]] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, mp_context=context) as pool:
        for row in pool.map(run, jobs):
            rows.append(row)
            write(arguments.name, study, rows)
            log.info("%d/%d %s %s", len(rows), len(jobs), row["name"], row["survey"])
    log.info("\n%s", table(averaged(rows)))


if __name__ == "__main__":
    main()
