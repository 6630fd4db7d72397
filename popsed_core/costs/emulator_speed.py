"""Speed of an emulator and of the exact engine, timed alternately on one thread."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from popsed_core.config.base import from_json
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.diagnostics.emulator_accuracy import FILTERS
from popsed_core.emulator.emulator import EmulatedSpectra
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.emulator.training_chunk import name_columns
from popsed_core.emulator.training_draws import draw_inputs, draw_theta
from popsed_core.emulator.training_fsps import RECIPE, FSPSSpectra
from popsed_core.photometry.synthetic import (
    SyntheticPhotometry,
    build_emulated_photometry,
    build_synthetic_photometry,
)
from popsed_core.running.runtime import generator
from popsed_core.stellar.spectra import ExactSpectra
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta

BATCH = 1000  # galaxies, as in a step of the fit
N_FSPS = 200  # galaxies that FSPS computes: it takes 0.1-0.4 s for each
N_REPEATS = 7

Model = Callable[[Theta], torch.Tensor]


def throughput(
    segments: Sequence[EmulatorSegment], grid: SSPGrid, batch: int = BATCH
) -> dict[str, dict[str, float]]:
    """Return galaxies per second and thread, medians over repetitions.

    Args:
        segments: the emulator.
        grid: the SSP table that it was trained on.
        batch: galaxies at a time.

    Returns:
        By operation, ``exact`` and ``emulator`` [1/s]: spectra on the emulator's pixels forward;
        photometry forward, and forward and backward, each engine on the pixels it fits with.
    """
    first = segments[0]
    boxes = from_json(dict[str, ParameterConfig], first["parameters"], "emulator")
    theta = draw_theta(boxes, batch, generator(first["seed"], "emulator", "speed"))
    spectra, photometry = _engines(segments, grid, boxes)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {
            "spectra_forward": _rates(spectra, theta, _forward),
            "photometry_forward": _rates(photometry, theta, _forward),
            "photometry_forward_backward": _rates(photometry, theta, _backward),
        }
    finally:
        torch.set_num_threads(threads)


def fsps_rate(
    segments: Sequence[EmulatorSegment], grid: SSPGrid, sps_home: Path, n: int = N_FSPS
) -> float:
    """Return spectra per second by FSPS itself, one process, its start included.

    Args:
        segments: the emulator, whose prior the galaxies are drawn from.
        grid: the SSP table that FSPS made.
        sps_home: the FSPS data.
        n: how many galaxies.

    Raises:
        InputError: FSPS cannot run, or did not make the table.
    """
    first = segments[0]
    boxes = from_json(dict[str, ParameterConfig], first["parameters"], "emulator")
    inputs = draw_inputs(boxes, n, generator(first["seed"], "emulator", "speed"))
    config = from_json(SpectraConfig, first["spectra"], "emulator")
    config = replace(config, star_formation=RECIPE[0], burst=RECIPE[1])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        spectra = FSPSSpectra(grid, config, sps_home)
        start = time.perf_counter()
        spectra(name_columns(inputs))
        return n / (time.perf_counter() - start)
    finally:
        torch.set_num_threads(threads)


def _engines(
    segments: Sequence[EmulatorSegment], grid: SSPGrid, boxes: dict[str, ParameterConfig]
) -> tuple[dict[str, Model], dict[str, SyntheticPhotometry]]:
    config = from_json(SpectraConfig, segments[0]["spectra"], "emulator")
    ends = boxes["redshift"].low, boxes["redshift"].high
    emulated = EmulatedSpectra(segments, grid, config, max_redshift=ends[1]).float()
    exact = ExactSpectra(grid, config, emulated.edges, max_redshift=ends[1]).float()
    photometry = {
        "exact": build_synthetic_photometry(grid, FILTERS, config, ends).float(),
        "emulator": build_emulated_photometry(segments, grid, FILTERS, config, ends).float(),
    }
    return {"exact": exact, "emulator": emulated}, photometry


def _rates(
    models: dict[str, Model], theta: Theta, work: Callable[[Model, Theta], None]
) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(N_REPEATS + 1):
        for name, model in models.items():
            start = time.perf_counter()
            work(model, theta)
            seconds[name].append(time.perf_counter() - start)
    # the first of each warms up
    return {name: len(theta[0]) / float(np.median(used[1:])) for name, used in seconds.items()}


def _forward(model: Model, theta: Theta) -> None:
    with torch.no_grad():
        model(theta)


def _backward(model: Model, theta: Theta) -> None:
    leaves = Theta(*(column.clone().requires_grad_() for column in theta))
    model(leaves).sum().backward()
