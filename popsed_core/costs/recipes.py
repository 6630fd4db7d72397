"""Costs of a training step of several recipes, timed alternately on one machine.

Each size of each recipe is timed in its own process, so that its peak memory can be measured;
recipes alternate at each size, so that a busy machine slows them equally.
"""

import logging
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from popsed_core.config import root
from popsed_core.config.root import Config
from popsed_core.costs.machine import described, machine
from popsed_core.costs.step import PARTS, StepCost, exponent, step_cost
from popsed_core.emulator.untrained import untrained_emulator
from popsed_core.files.artefacts import load
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.photometry.noise import NoiseTable
from popsed_core.running.runtime import set_threads
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bench:
    """What all recipes share.

    Attributes:
        survey: whose settings count.
        inputs: paths of ``ssp``, ``catalogue`` and ``noise``.
        sizes: numbers of samples per step.
        n_repeats: steps of which the median is taken.
        device: ``auto``, ``cpu`` or ``cuda``.
        n_threads: CPU threads.
    """

    survey: str
    inputs: Mapping[str, Path]
    sizes: tuple[int, ...]
    n_repeats: int = 5
    device: str = "cpu"
    n_threads: int = 1


def measure(bench: Bench, recipes: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """Time every recipe at every size.

    Args:
        bench: survey, sizes, machine.
        recipes: configuration and overlays by name.

    Returns:
        Plain types: ``machine``; per recipe ``n_samples``, ``seconds`` by part, ``memory_mb``
        and, of two sizes or more, ``exponent`` by part.

    Raises:
        InputError: a configuration is wrong, or does not fit the files.
    """
    settings = {name: root.load(*files) for name, files in recipes.items()}
    for each in settings.values():
        each.fit_for(bench.survey)
    costs: dict[str, list[StepCost]] = {name: [] for name in recipes}
    context = multiprocessing.get_context("spawn")
    for n_samples in sorted(bench.sizes):
        for name, each in settings.items():
            with ProcessPoolExecutor(1, context) as pool:
                cost = pool.submit(time_one, bench, each, n_samples).result()
            log.info("%s, %d samples: %.3g s per step", name, n_samples, cost.seconds["step"])
            costs[name].append(cost)
    found = {name: _as_plain(rows) for name, rows in costs.items()}
    return {
        "survey": bench.survey,
        "machine": machine(bench.device, bench.n_threads),
        "recipes": found,
    }


def time_one(bench: Bench, settings: Config, n_samples: int) -> StepCost:
    """Time one recipe at one size, in this process."""
    set_threads(bench.n_threads)
    return step_cost(*prepare(bench, settings), n_samples, n_repeats=bench.n_repeats)


def prepare(bench: Bench, settings: Config) -> tuple[FitTask, FitInputs]:
    """Read the inputs; where spectra are emulated, by an emulator without training."""
    grid = load(bench.inputs["ssp"], SSPGrid)
    catalogue = load(bench.inputs["catalogue"], Catalogue)
    is_emulated = settings.spectra.engine == "emulator"
    segments = untrained_emulator(grid, settings) if is_emulated else None
    task = FitTask(
        bench.survey, 1, settings.seed, settings.fit_for(bench.survey), settings.spectra,
        settings.parameters_for(bench.survey), bench.device,
    )  # fmt: skip
    return task, FitInputs(grid, catalogue, load(bench.inputs["noise"], NoiseTable), segments)


def _as_plain(rows: Sequence[StepCost]) -> dict[str, Any]:
    sizes = [row.n_samples for row in rows]
    seconds = {part: [row.seconds[part] for row in rows] for part in (*PARTS, "step")}
    plain = {
        "n_samples": sizes,
        "seconds": seconds,
        "memory_mb": [row.memory_mb for row in rows],
    }
    if len(set(sizes)) > 1:
        grows = {part: values for part, values in seconds.items() if min(values) > 0}
        plain["exponent"] = {part: exponent(sizes, values) for part, values in grows.items()}
    return plain


def as_markdown(costs: Mapping[str, Any]) -> str:
    """Return the costs as a table, with the exponents of N below each recipe's."""
    columns = ("step", *PARTS)
    lines = [
        f"Seconds per step ({costs['machine']['clock']}); survey {costs['survey']}; "
        f"{described(costs['machine'])}.",
        "",
        "| recipe | samples | " + " | ".join(columns) + " | peak [MB] |",
        "|" + " --- |" * (len(columns) + 3),
    ]
    for name, found in costs["recipes"].items():
        for index, n_samples in enumerate(found["n_samples"]):
            cells = [f"{found['seconds'][part][index]:.3g}" for part in columns]
            memory = f"{found['memory_mb'][index]:.0f}"
            lines.append(f"| {name} | {n_samples} | " + " | ".join([*cells, memory]) + " |")
        if "exponent" in found:
            known = found["exponent"]
            cells = [f"{known[part]:.2f}" if part in known else "" for part in columns]
            lines.append(f"| {name} | exponent of N | " + " | ".join([*cells, ""]) + " |")
    return "\n".join(lines) + "\n"
