"""Fit real surveys at default settings, and judge fits and priors by spectroscopy.

    python -m tests.studies.run_real                          # or: make study STUDY=real
    make study STUDY=real STUDY_FLAGS="--only zcosmos_bright --members 1 --epochs 6"

Reads ``tests/studies/real.yaml``: configuration of surveys whose tables lie in ``surveys/`` of
POPSED_SHARED_DATA (or ``../shared/data``); one that is not there is skipped, and says so.  The
workflow runs in a folder of its own, where a later run makes only what has changed.  With
POPSED_REAL_DATA the downloads are taken from there.  Writes ``results/studies/real.{json,md}``.
"""

import argparse
import csv
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from popsed_core.config import base
from popsed_core.diagnostics import metrics as distances
from popsed_core.diagnostics.summary import rounded
from popsed_core.files.artefacts import load
from popsed_core.inference.samples import PopulationSamples
from popsed_core.running.logs import start_logging
from popsed_core.surveys.catalogue import Reference
from popsed_core.surveys.table_files import read_columns

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "studies"
SHARED = Path(os.environ.get("POPSED_SHARED_DATA") or ROOT.parent / "shared" / "data")
WORK = ROOT / ".popsed-cache" / "real_study"
NEARBY = 0.02  # redshift below which few surveyed galaxies lie, and many colours of distant ones
FAR = 3.0  # [standard deviations of the spectroscopic redshifts]
COLUMNS = {
    "redshift_w1": ("W1", ".4f"),
    "redshift_ks": ("KS", ".3f"),
    "redshift_mean": ("mean / (1 + z)", "+.4f"),
    "redshift_width": ("width ratio", ".2f"),
    "nearby": (f"z < {NEARBY}", ".4f"),
    "far": (f"beyond {FAR:g} sigma", ".4f"),
}
log = logging.getLogger("study")
log.setLevel(logging.INFO)


def made_table(source: Path, inverse: dict[str, str], folder: Path) -> Path:
    """Return a table with errors: the source, or a copy with a column for each inverse variance.

    Where the inverse variance is not positive there is no measurement: the error is NaN.
    """
    if not inverse:
        return source.resolve()
    columns = dict(read_columns(source, None))
    for error, name in inverse.items():
        variance = np.asarray(columns[name], float)
        columns[error] = 1 / np.sqrt(np.where(variance > 0, variance, np.nan))
    path = folder / f"{source.name.split('.')[0]}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.column_stack([np.asarray(values, float) for values in columns.values()])
    np.savetxt(path, rows, "%.9g", delimiter=",", header=",".join(columns), comments="")
    return path.resolve()


def overlay_of(study: dict[str, Any], shared: Path, work: Path, options: Any) -> dict[str, Any]:
    """Return the configuration of the study on top of config.yaml, without surveys that lack."""
    tree = base.merge({}, study.get("overlay", {}))
    surveys = tree.setdefault("surveys", {})
    for name, table in study.get("tables", {}).items():
        if not (shared / "surveys" / table).is_file():
            surveys.pop(name)
            continue
        inverse = study.get("inverse_variances", {}).get(name, {})
        path = made_table(shared / "surveys" / table, inverse, work / "tables")
        surveys[name]["path"] = str(path)
    if folder := os.environ.get("POPSED_REAL_DATA"):
        at_hand = {"ssp": {"path": f"{folder}/bc03.fits"}, "surveys": {"sdss_demo": {}}}
        at_hand["surveys"]["sdss_demo"]["path"] = f"{folder}/kcorrect_sdss.fits"
        tree = base.merge(tree, at_hand)
    for path in options.configfile:
        tree = base.merge(tree, base.read_yaml(path))
    cheaper = {"n_members": options.members, "n_epochs": options.epochs}
    return base.merge(tree, {"fit": {key: n for key, n in cheaper.items() if n is not None}})


def fit(name: str, overlay: Path, cores: int) -> None:
    """Run the workflow for one survey in the overlay's folder.

    Raises:
        RuntimeError: it fails.
    """
    targets = [f"results/{name}/{file}" for file in ("samples.h5", "summary.md")]
    command = [sys.executable, "-m", "snakemake", "--quiet", "host", "reason"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--cores", str(cores)]
    command += ["--configfile", overlay.name, "--config", f"survey={name}", "--", *targets]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=overlay.parent, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: the workflow failed, see its lines above")


def against(found: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Return how a distribution of redshifts differs from the spectroscopic one."""
    is_far = np.abs(found - known.mean()) > FAR * known.std()
    return {
        "redshift_w1": distances.wasserstein1(found, known),
        "redshift_ks": distances.kolmogorov_smirnov(found, known),
        "redshift_mean": distances.mean_offset(found, known) / (1 + float(known.mean())),
        "redshift_width": distances.width_ratio(found, known),
        "nearby": float((found < NEARBY).mean()),
        "far": float(is_far.mean()),
    }


def judge(name: str, results: Path) -> dict[str, Any]:
    """Return what a finished run says, and what its prior would have said."""
    samples = load(results / name / "samples.h5", PopulationSamples)
    known = load(results / name / "reference.h5", Reference).column("redshift").astype(float)
    known = known[known > 0]  # the others are unknown, or stars
    summary = json.loads((results / name / "summary.json").read_text())
    with (results / name / "cut_flow.csv").open() as file:
        left = {row["cut"]: int(row["rows_out"]) for row in csv.DictReader(file)}
    redshift = samples.column("redshift").ravel().astype(float)
    return {
        "survey": name,
        "n_members": summary["sizes"]["members"],
        "n_kept": left,
        "n_spectra": len(known),
        "spectroscopy": against(known, known),
        "fit": against(redshift, known),
        "prior": against(samples.prior_column("redshift").astype(float), known),
        "zero_points": {band: row["mean"] for band, row in summary["zero_points"].items()},
        "photometric": summary["photometric_distance"]["ensemble"],
        "floor": summary["photometric_distance"]["floor"],
    }


def section(row: dict[str, Any]) -> str:
    """Return what is said of one survey, as Markdown."""
    if "skipped" in row:
        return f"## {row['survey']}\n\nSkipped: {row['skipped']}\n"
    lines = [f"| | {' | '.join(title for title, _ in COLUMNS.values())} |"]
    lines.append("| --- |" + " --- |" * len(COLUMNS))
    for which in ("fit", "prior", "spectroscopy"):
        cells = [f"{row[which][key]:{form}}" for key, (_, form) in COLUMNS.items()]
        lines.append(f"| {which} | {' | '.join(cells)} |")
    kept = ", ".join(f"{cut} {n:,}" for cut, n in row["n_kept"].items())
    points = ", ".join(f"{band} {value:+.3f}" for band, value in row["zero_points"].items())
    return (
        f"## {row['survey']}\n\n" + "\n".join(lines) + "\n\n"
        f"Rows: {kept}; {row['n_spectra']:,} with a redshift. Members: {row['n_members']}.\n"
        f"Zero points [mag]: {points}.\n"
        f"Photometric distance {row['photometric']:.3f}, floor {row['floor']:.3f}.\n"
    )


def write(out: Path, study: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write the numbers so far."""
    out.mkdir(parents=True, exist_ok=True)
    content = {"purpose": study["purpose"], "rows": rounded(rows)}
    (out / "real.json").write_text(json.dumps(content, indent=1) + "\n")
    text = "\n".join(section(row) for row in rows)
    (out / "real.md").write_text(f"# Study: real\n\n{study['purpose']}\n\n{text}")


def parse(words: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", type=Path, default=Path(__file__).with_name("real.yaml"))
    parser.add_argument("--only", nargs="+", metavar="SURVEY", help="of the study")
    parser.add_argument("--members", type=int, help="instead of the configured number")
    parser.add_argument("--epochs", type=int, help="instead of the configured number")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[], help="changes on top")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--shared", type=Path, default=SHARED, help="has surveys/")
    parser.add_argument("--work", type=Path, default=WORK, help="where the workflow runs")
    parser.add_argument("--out", type=Path, default=OUT, help="where the numbers go")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> None:
    """Fit, judge and write, survey by survey."""
    options = parse(words)
    start_logging()
    study = base.read_yaml(options.study)
    options.work.mkdir(parents=True, exist_ok=True)
    tree = overlay_of(study, options.shared, options.work, options)
    overlay = options.work / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(tree, sort_keys=False))
    rows: list[dict[str, Any]] = []
    for name in options.only or study["surveys"]:
        table = study.get("tables", {}).get(name)
        if table is not None and name not in tree["surveys"]:
            rows.append({"survey": name, "skipped": f"no {table} in surveys/ of the shared data"})
        else:
            fit(name, overlay, options.cores)
            rows.append(judge(name, options.work / "results"))
        write(options.out, study, rows)
        log.info("\n%s", section(rows[-1]))


if __name__ == "__main__":
    main()
