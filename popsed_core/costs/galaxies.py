"""Cost of a fit as a function of the number of galaxies in the catalogue.

The cost of a step does not depend on it; the statistics that each member computes before its first
step are one pass over all galaxies.  Catalogues of any size are made from a given one: rows
drawn at random, scattered by their errors.  Every fit runs in its own process, so that its peak
memory can be measured.
"""

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from popsed_core.config import root
from popsed_core.config.root import Config
from popsed_core.costs.machine import described, machine
from popsed_core.costs.recipes import Bench, prepare
from popsed_core.files.artefacts import Provenance, load, save
from popsed_core.inference.fit import FlowFit
from popsed_core.running.runtime import numpy_generator, peak_memory_mb, set_threads
from popsed_core.surveys.catalogue import Catalogue

log = logging.getLogger(__name__)

BLOCK = 1 << 20  # galaxies made at a time
Costs = dict[str, float]


def measure(
    bench: Bench, files: Sequence[Path], together: Sequence[int], folder: Path | None = None
) -> dict[str, Any]:
    """Measure fits to catalogues of several sizes, and of several members in one job.

    Args:
        bench: survey, numbers of galaxies (``sizes``), machine.
        files: configuration and overlays.
        together: numbers of members in one job, at the smallest catalogue.
        folder: of the large catalogues, which are removed; None: the system's temporary folder.

    Returns:
        Plain types: ``machine``; ``n_steps`` of a whole fit; ``galaxies`` and ``together``, each
        with lists of ``n``, ``setup_s`` (reading and statistics), ``step_s``, ``memory_mb`` of
        the host and, on a GPU, ``device_mb``.

    Raises:
        InputError: a configuration is wrong, or does not fit the files.
    """
    settings = root.load(*files)
    fit = settings.fit_for(bench.survey)
    sizes, numbers = sorted(set(bench.sizes)), sorted(set(together) | {1})
    rows: dict[str, list[Costs]] = {"galaxies": [], "together": []}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        large = Path(name) / "catalogue.h5"
        enlarged = replace(bench, inputs={**bench.inputs, "catalogue": large})
        for n in sizes:
            _alone(enlarge, bench.inputs["catalogue"], n, settings.seed, large)
            tasks = [("galaxies", n, 1)]
            if n == sizes[0]:
                tasks += [("together", number, number) for number in numbers]
            for axis, label, n_members in tasks:
                found = _alone(cost_of_fit, enlarged, settings, n_members)
                rows[axis].append({"n": label, **found})
                log.info(
                    "%d galaxies, %d members: %.3g s before the first step, %.3g s per step",
                    n, n_members, found["setup_s"], found["step_s"],
                )  # fmt: skip
    tables = {
        axis: {key: [row[key] for row in found] for key in found[0]} for axis, found in rows.items()
    }
    return {
        "survey": bench.survey,
        "machine": machine(bench.device, bench.n_threads) | {"clock": "elapsed"},
        "n_samples": fit.n_samples,
        "n_steps": fit.n_epochs * fit.n_steps,
        **tables,
    }


def _alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def enlarge(source: Path, n: int, seed: int, output: Path) -> None:
    """Write a catalogue of n galaxies: rows of another one, moved by their errors."""
    catalogue = load(source, Catalogue)
    random = numpy_generator(seed, "enlarge", n)
    mag = np.empty((n, len(catalogue.bands)))
    error = np.empty_like(mag)
    for start in range(0, n, BLOCK):
        part = slice(start, min(start + BLOCK, n))
        rows = random.integers(len(catalogue.mag), size=part.stop - start)
        error[part] = catalogue.mag_error[rows]
        mag[part] = catalogue.mag[rows] + error[part] * random.standard_normal(error[part].shape)
    large = replace(catalogue, mag=mag, mag_error=error, n_kept=np.full_like(catalogue.n_kept, n))
    save(large, output, Provenance(catalogue.source))


def cost_of_fit(bench: Bench, settings: Config, n_members: int) -> Costs:
    """Prepare a fit, run some steps, and return the cost of both, in this process."""
    set_threads(bench.n_threads)
    start = time.monotonic()
    task, survey = prepare(bench, settings)
    job = FlowFit([replace(task, member=k) for k in range(1, n_members + 1)], survey)
    setup = time.monotonic() - start
    times = []
    for index in range(bench.n_repeats + 1):
        _wait_for(job.device)
        start = time.monotonic()
        job.step(0, index % job.config.n_steps)
        _wait_for(job.device)
        times.append(time.monotonic() - start)
    costs = {
        "setup_s": setup,
        "step_s": float(np.median(times[1:])),  # the first one warms up
        "memory_mb": peak_memory_mb(),
    }
    if job.device.type == "cuda":
        costs["device_mb"] = torch.cuda.max_memory_allocated(job.device) / 2**20
    return costs


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


HEADS = {
    "setup_s": "before the first step [s]",
    "step_s": "step [s]",
    "memory_mb": "memory [MB]",
    "device_mb": "of the GPU [MB]",
}


def as_markdown(costs: Mapping[str, Any]) -> str:
    """Return both tables."""
    lines = [
        f"Fits of {costs['n_steps']} steps of {costs['n_samples']} samples; survey "
        f"{costs['survey']}; {described(costs['machine'])}; elapsed time.",
    ]
    for axis, head in (("galaxies", "galaxies"), ("together", "members in one job")):
        found = costs[axis]
        keys = [key for key in HEADS if key in found]
        lines += ["", f"| {head} | " + " | ".join(HEADS[key] for key in keys) + " |"]
        lines.append("|" + " --- |" * (len(keys) + 1))
        for index, n in enumerate(found["n"]):
            cells = " | ".join(f"{found[key][index]:.3g}" for key in keys)
            lines.append(f"| {n:,} | {cells} |")
    return "\n".join(lines) + "\n"
