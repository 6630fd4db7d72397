"""Where is the minimum of a distance, and how much does it scatter?  Bias and variance, measured.

    python -m tests.studies.run_minimum        # or: make study STUDY=minimum

A known population, the mock's own photometry, is stretched by s along one principal direction of
its magnitudes and held against an independent half of the mock.  A good distance has its minimum
at s = 1 for any number of samples: a step of training sees a thousand galaxies, not all.  Per
distance, feature space, number of samples and direction:

    minimum    s at the minimum of the mean over batches (on a grid, refined by a parabola)
    error      of that minimum
    scatter    of the minimum between batches, std(dL/ds) / (d2L/ds2) at s = 1: a step's noise
    CPU        of one evaluation with its gradient

Writes results/studies/minimum.{json,md}.  Needs the mock of `make mock`, or `--results`.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from geomloss import SamplesLoss
from torch import Tensor

from popsed_core.config.distances import (
    CharacteristicConfig,
    CombinedConfig,
    Distance,
    DistanceTerm,
    FeaturesConfig,
    SinkhornConfig,
    SlicedConfig,
    UnbiasedSlicedConfig,
)
from popsed_core.files.artefacts import load
from popsed_core.inference.distances import sliced, unbiased_sliced
from popsed_core.inference.distances.build import build_distance
from popsed_core.inference.distances.features import build_features
from popsed_core.running.logs import start_logging
from popsed_core.running.runtime import generator, set_threads
from popsed_core.surveys.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "studies"
MOCK = "table2_mock"
STRETCHES = (0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.4)
STEP = 0.05  # of the derivatives at s = 1
LARGE = 0.3  # an error from here on says that L is no parabola at s = 1
N_BATCHES = {True: 100, False: 6}  # of cheap and of dear distances
log = logging.getLogger("study")
log.setLevel(logging.INFO)

Loss = Callable[[Tensor, Tensor], Tensor]  # samples, others of the same population


@dataclass(frozen=True)
class Candidate:
    """A distance: a configuration, or what to do with two clouds of as many galaxies."""

    name: str
    config: Distance | None = None
    pair: str = ""  # energy | self_debiased
    is_orthogonal: bool = False
    is_cheap: bool = True
    sizes: tuple[int, ...] = (500, 2000)
    spaces: tuple[str, ...] = ("zscored", "whitened")


def by_sinkhorn(p: int, blur: float) -> SinkhornConfig:
    return SinkhornConfig("sinkhorn", p=p, blur=((0.0, blur),), scaling=0.9)


def frequencies(low: float, high: float, n: int) -> CharacteristicConfig:
    return CharacteristicConfig("characteristic", low=low, high=high, n_pool=n, n_step=n)


UNBIASED = UnbiasedSlicedConfig("unbiased_sliced", n_pool=64, n_step=64)
FINE = frequencies(0.5, 8.0, 512)
BOTH = CombinedConfig("combined", (DistanceTerm(1.0, UNBIASED), DistanceTerm(30.0, FINE)))
DEAR: dict[str, Any] = {"is_cheap": False, "sizes": (500,)}
CANDIDATES = (
    Candidate("Sinkhorn p=1, blur 0.002 (released)", by_sinkhorn(1, 0.002), **DEAR),
    Candidate("Sinkhorn p=1, blur 0.05", by_sinkhorn(1, 0.05), **DEAR),
    Candidate("Sinkhorn p=2, blur 0.05", by_sinkhorn(2, 0.05), **DEAR),
    Candidate("Sinkhorn p=2, blur 0.3", by_sinkhorn(2, 0.3), is_cheap=False, sizes=(500, 1000)),
    Candidate("same, less independent self terms", by_sinkhorn(2, 0.3), "self_debiased", **DEAR),
    Candidate("energy", None, "energy", sizes=(500,)),
    Candidate("sliced W1", SlicedConfig(p=1, n_pool=64, n_step=64)),
    Candidate("sliced W2", SlicedConfig(p=2, n_pool=64, n_step=64)),
    Candidate("unbiased sliced W2", UNBIASED),
    Candidate("same, orthogonal directions", UNBIASED, is_orthogonal=True),
    Candidate("characteristic function, 0.3-20, 256", frequencies(0.3, 20.0, 256), sizes=(500,)),
    Candidate("characteristic function, 0.5-8, 512", FINE, sizes=(500,)),
    Candidate("characteristic function, 0.5-2, 512", frequencies(0.5, 2.0, 512), sizes=(500,)),
    Candidate("sliced + 30 characteristic", BOTH, sizes=(500,)),
)


def orthogonal(n: int, n_features: int, stream: torch.Generator) -> Tensor:
    """Draw directions in frames of mutually orthogonal ones."""
    frames = torch.randn(-(-n // n_features), n_features, n_features, generator=stream)
    return torch.linalg.qr(frames).Q.flatten(0, 1)[:n]


def make_loss(candidate: Candidate, data: Tensor, n: int, batch: int) -> Loss:
    """Return the distance of samples to the data, with the random numbers of one batch."""
    stream = generator(1, "minimum", candidate.name, batch)
    if candidate.pair == "energy":
        rows = data[torch.randperm(len(data), generator=stream)[:n]]
        energy = SamplesLoss("energy", backend="tensorized")
        return lambda x, _: energy(x, rows)
    config = candidate.config
    if isinstance(config, SinkhornConfig):
        config = replace(config, n_data=n)
    unbiased_sliced.unit_vectors = orthogonal if candidate.is_orthogonal else sliced.unit_vectors
    found = build_distance(config, data, n, stream)
    state = stream.get_state()
    plain = SamplesLoss("sinkhorn", p=2, blur=0.3, scaling=0.9, backend="tensorized")

    def loss(x: Tensor, others: Tensor) -> Tensor:
        stream.set_state(state)
        to_data = found(x, stream, 1.0)
        return to_data - 0.5 * plain(x, others) if candidate.pair == "self_debiased" else to_data

    return loss


def curve(
    candidate: Candidate, mag: np.ndarray, space: str, n: int, direction: int
) -> dict[str, Any]:
    """Return where the minimum along one principal direction is (0: the widest)."""
    half = len(mag) // 2
    bands = [str(band) for band in range(mag.shape[1])]
    features = build_features(mag, bands, FeaturesConfig(space))
    centre = mag.mean(0)
    axis = np.linalg.eigh(np.cov(mag.T))[1][:, ::-1][:, direction]
    data = features(torch.as_tensor(mag[:half], dtype=torch.float32))

    def stretched(rows: np.ndarray, s: float) -> Tensor:
        along = (rows - centre) @ axis
        moved = rows + (s - 1) * along[:, None] * axis
        return features(torch.as_tensor(moved, dtype=torch.float32))

    near = (1 - STEP, 1.0, 1 + STEP)
    values, slopes, bends, seconds = [], [], [], []
    for batch in range(N_BATCHES[candidate.is_cheap]):
        stream = generator(1, "minimum samples", batch)
        drawn = half + torch.randperm(len(mag) - half, generator=stream)[: 2 * n].numpy()
        rows, others = mag[drawn[:n]], mag[drawn[n:]]
        loss = make_loss(candidate, data, n, batch)
        losses = {
            s: loss(stretched(rows, s), stretched(others, s)).item() for s in {*STRETCHES, *near}
        }
        x = stretched(rows, 1.0).requires_grad_()
        start = time.process_time()
        loss(x, stretched(others, 1.0)).backward()
        seconds.append(time.process_time() - start)
        low, middle, high = (losses[s] for s in near)
        slopes.append((high - low) / (2 * STEP))
        bends.append((high - 2 * middle + low) / STEP**2)
        values.append([losses[s] for s in STRETCHES])
    bend = float(np.mean(bends))
    scatter = float(np.std(slopes)) / bend if bend > 0 else float("nan")
    return {
        "name": candidate.name,
        "space": space,
        "n_samples": n,
        "direction": ("widest", "narrowest")[direction != 0],
        "minimum": lowest(np.mean(values, axis=0)),
        "width": width(mag, axis),
        "error": scatter / len(slopes) ** 0.5,
        "scatter": scatter,
        "seconds": float(np.median(seconds)),
    }


def width(mag: np.ndarray, axis: np.ndarray) -> float:
    """Return how wide the half that is the data is, relative to the half that is stretched."""
    along = mag @ axis
    half = len(along) // 2
    return float(along[:half].std() / along[half:].std())


def lowest(values: np.ndarray) -> float:
    """Return s at the minimum: of a parabola through the lowest point and its neighbours."""
    index = int(values.argmin())
    if index in (0, len(values) - 1):
        return STRETCHES[index]
    part = slice(index - 1, index + 2)
    a, b, _ = np.polyfit(STRETCHES[part], values[part], 2)
    return float(-b / (2 * a))


COLUMNS = ("distance", "space", "samples", "direction", "minimum", "scatter", "CPU [ms]")


def at_minimum(row: dict[str, Any]) -> str:
    """Return where the minimum is, with its error where the curve is a parabola there."""
    for end, sign in ((STRETCHES[0], "<"), (STRETCHES[-1], ">")):
        if row["minimum"] == end:
            return f"{sign} {end}"
    error = row["error"]
    return f"{row['minimum']:.3f}" + (f" ± {error:.3f}" if error < LARGE else "")


def halves(rows: list[dict[str, Any]]) -> str:
    """Return by how much: where a distance without bias has its minimum, about."""
    widths = {row["direction"]: row["width"] for row in rows}
    return ", ".join(f"s = {value:.3f} along the {name}" for name, value in widths.items())


def as_markdown(rows: list[dict[str, Any]]) -> str:
    """Return the purpose and the table."""
    purpose = (__doc__ or "").split("\n\n", 1)[0]
    lines = [f"# Study: minimum\n\n{purpose}\n\nMade by `make study STUDY=minimum`."]
    lines.append(f"The halves differ: {halves(rows)}.\n")
    lines += ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    for row in rows:
        cells = [row["name"], row["space"], f"{row['n_samples']}", row["direction"]]
        cells += [at_minimum(row), f"{row['scatter']:.2f}", f"{1000 * row['seconds']:.3g}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Evaluate all candidates, writing after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="where mocks are")
    arguments = parser.parse_args()
    start_logging()
    set_threads(1)
    mag = np.asarray(load(arguments.results / MOCK / "catalogue.h5", Catalogue).mag)
    rows = []
    for candidate in CANDIDATES:
        for space in candidate.spaces:
            for n in candidate.sizes:
                ends = (0, mag.shape[1] - 1)
                rows += [curve(candidate, mag, space, n, direction) for direction in ends]
        log.info("%s", candidate.name)
        OUT.mkdir(parents=True, exist_ok=True)
        (OUT / "minimum.json").write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
        (OUT / "minimum.md").write_text(as_markdown(rows))


if __name__ == "__main__":
    main()
