"""Bars of the forward model: throughput against the emulator's, error against the twin."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from popsed_core.config.spectra import SpectraConfig
from popsed_core.files.artefacts import load
from popsed_core.photometry.synthetic import SyntheticPhotometry, build_synthetic_photometry
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Reference
from popsed_core.theta import from_matrix
from tests.bars.emulator_structure import EmulatorStructure

FILTERS = tuple(f"sdss2010-{band}" for band in "ugriz")
REDSHIFTS = (0.001, 0.8)
BATCH, REPEATS = 2000, 7
TWIN_PIXELS = 6000  # pixels narrower than the SSP table's own sampling: errors below 0.01 mmag
FAINTEST = 30.0  # [mag] fainter than this is no photometry
N_TWIN = 1500


def build(grid: SSPGrid, n_pixels: int, tolerance: float | None) -> SyntheticPhotometry:
    settings = SpectraConfig(n_pixels=n_pixels)
    return build_synthetic_photometry(grid, FILTERS, settings, REDSHIFTS, tolerance=tolerance)


def prior_draws(root: Path, n: int) -> np.ndarray:
    """Uniform draws over the box of config.yaml, redshift from 0.005."""
    boxes = root.load(root / "config.yaml").parameters
    low, high = (np.array([getattr(box, end) for box in boxes.values()]) for end in ("low", "high"))
    low[0] = 0.005
    return np.random.default_rng(0).uniform(low, high, size=(n, len(low)))


def rms_error(grid: SSPGrid, theta: np.ndarray) -> float:
    """Return the rms error of the default tables over all bands [mmag]."""
    twin, fast = build(grid, TWIN_PIXELS, None), build(grid, 400, 1e-4).float()
    slow, quick = [], []
    with torch.no_grad():
        for chunk in torch.as_tensor(theta).split(250):
            slow.append(-2.5 * torch.log10(twin(from_matrix(chunk))))
            quick.append(-2.5 * torch.log10(fast(from_matrix(chunk.float()))).double())
    truth, found = torch.cat(slow), torch.cat(quick)
    return 1e3 * (found - truth)[truth < FAINTEST].square().mean().sqrt().item()


def ratios(grid: SSPGrid, theta: np.ndarray) -> tuple[float, float]:
    """Return throughput over the emulator structure's: forward, forward + backward."""
    torch.set_num_threads(1)
    direct, emulator = build(grid, 400, 1e-4).float(), EmulatorStructure(FILTERS)
    rows = torch.as_tensor(theta[:BATCH]).float()

    def run_direct(leaf: torch.Tensor) -> torch.Tensor:
        return direct(from_matrix(leaf))

    def run_emulator(leaf: torch.Tensor) -> torch.Tensor:
        return emulator(leaf[:, 1:], leaf[:, 0])

    for parameter in emulator.parameters():
        parameter.requires_grad_(False)  # in a fit the emulator is frozen
    times = {key: [] for key in ("df", "ef", "db", "eb")}
    for _ in range(REPEATS):  # interleaved, so that a busy moment hits both
        times["df"].append(_forward(run_direct, rows))
        times["ef"].append(_forward(run_emulator, rows))
        times["db"].append(_backward(run_direct, rows))
        times["eb"].append(_backward(run_emulator, rows))
    median = {key: float(np.median(values)) for key, values in times.items()}
    return median["ef"] / median["df"], median["eb"] / median["db"]


def _forward(model: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> float:
    start = time.process_time()
    with torch.no_grad():
        model(rows)
    return time.process_time() - start


def _backward(model: Callable[[torch.Tensor], torch.Tensor], rows: torch.Tensor) -> float:
    leaf = rows.clone().requires_grad_()
    start = time.process_time()
    model(leaf).sum().backward()
    return time.process_time() - start


def measure(root: Path, results: Path) -> dict[str, float]:
    """Measure all photometry bars on the run in ``results``."""
    grid = load(results / "ssp.h5", SSPGrid)
    truth = load(results / "table2_mock" / "reference.h5", Reference)
    box = prior_draws(root, BATCH)
    forward, backward = ratios(grid, box)
    return {
        "forward_ratio": forward,
        "backward_ratio": backward,
        "rms_mock_mmag": rms_error(grid, truth.values[:N_TWIN, :11]),
        "rms_prior_mmag": rms_error(grid, box[:N_TWIN]),
    }
