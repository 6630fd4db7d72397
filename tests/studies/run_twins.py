"""Is the ensemble's spread one of data and calibration, or of the training's own noise?

    python -m tests.studies.run_twins              # or: make study STUDY=twins

Trains members of the demo again with the same galaxies, zero points and prior, but another start of
the flow and other draws, and compares their median redshifts: they should differ by less than a
third of the ensemble's spread.  Needs the demo's results (``make demo``), or ``--results``.  Writes
results/studies/twins.{json,md}; a minute per training on each core.
"""

import argparse
import json
import logging
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch

from popsed_core.config import root
from popsed_core.files.artefacts import load
from popsed_core.inference.fit import FlowFit
from popsed_core.inference.member import Member
from popsed_core.inference.samples import PopulationSamples
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.photometry.noise import NoiseTable
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue
from tests.studies.run_study import OUT, ROOT

NAME = "twins"
SURVEY = "sdss_demo"
MEMBERS = (1, 2, 3)  # each trained once more
OWN = ("flow", "train", "validate")  # random streams that a twin has to itself
N_DRAWS = 20_000
BAR = 1 / 3  # of the ensemble's spread
log = logging.getLogger("study")
log.setLevel(logging.INFO)


class Twin(Member):
    """A member whose flow starts elsewhere and which sees other draws of the same."""

    def stream(self, purpose: str) -> torch.Generator:
        """Return its random stream of a purpose."""
        words = (purpose, NAME) if purpose in OWN else (purpose,)
        return generator(self.task.seed, "fit", self.task.survey, self.task.member, *words)


def median_redshift(results: str, member: int, *, is_twin: bool) -> float:
    """Train a member, or its twin, and return its median redshift."""
    set_threads(1)
    settings = root.load(ROOT / "config.yaml")
    folder = Path(results)
    survey = FitInputs(
        load(folder / "ssp.h5", SSPGrid),
        load(folder / SURVEY / "catalogue.h5", Catalogue),
        load(folder / SURVEY / "noise.h5", NoiseTable),
    )
    fit = settings.fit_for(SURVEY)
    task = FitTask(
        SURVEY, member, settings.seed, fit, settings.spectra, settings.parameters_for(SURVEY)
    )
    job = FlowFit([task], survey)
    if is_twin:
        job.members = [Twin(task, survey.catalogue, job.forward, job.device)]
    for epoch in range(fit.n_epochs):
        job.epoch(epoch)
    stream = generator(settings.seed, NAME, member)
    with torch.no_grad():
        u = job.members[0].flow.sample(N_DRAWS, stream)[0]
        return float(job.space.to_theta(u).redshift.median())


def main() -> None:
    """Train twins, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    start_logging()
    samples = load(arguments.results / SURVEY / "samples.h5", PopulationSamples)
    medians = np.median(samples.column("redshift"), axis=1)
    spread = float(medians.std(ddof=1))
    jobs = [(member, is_twin) for member in MEMBERS for is_twin in (False, True)]
    with ProcessPoolExecutor(arguments.cores) as pool:
        waiting = [
            pool.submit(median_redshift, str(arguments.results), member, is_twin=is_twin)
            for member, is_twin in jobs
        ]
        found = np.array([one.result() for one in waiting]).reshape(-1, 2)
    # two trainings differ by sqrt 2 of what each scatters
    scatter = float(np.sqrt(np.mean(np.diff(found, axis=1) ** 2) / 2))
    row = {"medians": found.round(5).tolist(), "scatter": scatter, "spread": spread}
    row |= {"ratio": scatter / spread, "bar": BAR}
    text = (
        f"# Study: {NAME}\n\nMembers of the demo trained once more on the same data, zero points "
        f"and prior, with another start and other draws, made by `make study STUDY={NAME}`.\n\n"
        f"One training's median redshift scatters by {scatter:.4f}, the ensemble's by "
        f"{spread:.4f}: {scatter / spread:.2f} of it (bar: {BAR:.2f}).\n"
    )
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{NAME}.json").write_text(json.dumps(row, indent=1) + "\n")
    (OUT / f"{NAME}.md").write_text(text)
    log.info("\n%s", text)


if __name__ == "__main__":
    main()
