"""How strong is the offset of old stars?  What the prior predicts of magnitudes alone says it.

    python -m tests.studies.run_strength           # or: make study STUDY=strength

The shape of the offset is that of the study ``offsets``.  Here the prior of the demo, selected and
observed as its catalogue, is drawn with the offset at several strengths, and compared with the
catalogue's magnitudes (sliced Wasserstein-1, whitened, central 95 %, as in a summary).  No redshift
is read, and nothing is fitted.  Reads results/studies/offsets.json, resources/ and the demo's
catalogue (``make demo``).  Writes results/studies/strength.{json,md}; five minutes.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.config.base import parse, read_yaml
from popsed_core.config.root import Config
from popsed_core.diagnostics import photometry
from popsed_core.files.artefacts import load
from popsed_core.inference.task import FitInputs
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import numpy_generator, set_threads
from popsed_core.stellar.ssp.old_stars import offset_old_stars
from popsed_core.surveys.catalogue import Catalogue
from popsed_core.surveys.noise_fit import fit_noise
from tests.studies.run_offsets import without_offset
from tests.studies.run_prior_check import predict
from tests.studies.run_study import OUT, ROOT

NAME = "strength"
SURVEY = "sdss_demo"
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of what the surveys say
N_DRAWS = 10_000
log = logging.getLogger("study")
log.setLevel(logging.INFO)


def distance(predicted: np.ndarray, catalogue: Catalogue, seed: int) -> float:
    """Return the distance of predicted from observed magnitudes [standard deviations]."""
    n = min(len(predicted), len(catalogue.mag))
    projection = photometry._projection(catalogue.mag, numpy_generator(seed, NAME))
    ours, theirs = (photometry._project(mag[:n], projection) for mag in (predicted, catalogue.mag))
    return photometry._distance(ours, theirs)


def best_of(rows: list[dict[str, float]]) -> float:
    """Return the strength of the least distance: of a parabola through the three about it."""
    strengths, distances = (np.array([row[key] for row in rows]) for key in rows[0])
    middle = int(np.clip(distances.argmin(), 1, len(rows) - 2))
    near = slice(middle - 1, middle + 2)
    square, slope, _ = np.polyfit(strengths[near], distances[near], 2)
    return float(np.clip(-0.5 * slope / square, strengths[0], strengths[-1]))


def as_markdown(found: dict[str, Any]) -> str:
    """Return the table."""
    lines = [f"| {row['strength']:.2f} | {row['distance']:.3f} |" for row in found["rows"]]
    used = ", ".join(f"{wave}: {mag:+.3f}" for wave, mag in found["used"])
    return (
        f"# Study: {NAME}\n\nThe prior against the demo, with the offset of old stars "
        f"([offsets](offsets.md)) at several strengths, made by `make study STUDY={NAME}`. No "
        "redshift is read.\n\n| strength | distance |\n| --- | --- |\n" + "\n".join(lines) + "\n\n"
        f"Best: {found['best']:.2f}. Used (`ssp.bc03.old_star_offset`; [AA]: [mag]): {used}.\n"
    )


def main() -> None:
    """Draw the prior at each strength, and say which is used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--resources", type=Path, default=ROOT / "resources")
    arguments = parser.parse_args()
    start_logging()
    set_threads(2)
    settings = parse(Config, read_yaml(ROOT / "config.yaml"), "config.yaml")
    grid = without_offset(settings, arguments.resources)
    catalogue = load(arguments.results / SURVEY / "catalogue.h5", Catalogue)
    noise = fit_noise(catalogue, settings.noise)
    offset = json.loads((OUT / "offsets.json").read_text())
    rows = []
    for strength in STRENGTHS:
        pairs = [(x, strength * y) for x, y in zip(offset["wave"], offset["mag"], strict=True)]
        survey = FitInputs(offset_old_stars(grid, pairs), catalogue, noise)
        mag = predict(settings, SURVEY, survey, None, N_DRAWS).mag
        rows.append({"strength": strength, "distance": distance(mag, catalogue, settings.seed)})
        log.info("%s", rows[-1])
    best = round(best_of(rows), 2)
    used = [(x, round(best * y, 3)) for x, y in zip(offset["wave"], offset["mag"], strict=True)]
    found = {"rows": rows, "best": best, "used": used}
    (OUT / f"{NAME}.json").write_text(json.dumps(found, indent=1) + "\n")
    (OUT / f"{NAME}.md").write_text(as_markdown(found))
    log.info("\n%s", as_markdown(found))


if __name__ == "__main__":
    main()
