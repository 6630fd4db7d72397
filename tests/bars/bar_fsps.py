"""Measure the bars of FSPS, training set and emulator; print bar, threshold, measured, pass.

    make bar-fsps                                # some hours on two cores
    make bar-fsps BARS="--only chunks pca"       # renew the rows of some pieces
    make bar-fsps BARS="--folder DIR --reuse"    # judge what earlier pieces left in DIR

The pieces work in a clean copy of the checkout, in a temporary folder, or in the one named by
``--folder``, where pieces that build on others (``pca`` on ``chunks``, ``population`` on
``emulator``) find what those made.  Writes results/bars/bar_fsps.{json,md}; exit 1 if a bar falls
short.

    chunks      3e6 spectra of 2000 pixels: time with all writing, memory, size
    pca         error of the reconstruction, ours and the paper's
    engine      the exact engine against FSPS itself
    speed       one chunk by the table and by FSPS, on one core
    emulator    both presets trained with the same budget
    population  a mock fitted with either engine
    smoke       the whole chain at smoke size
    inputs      missing and broken files, full disks, killed processes
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from popsed_core.config import root
from popsed_core.emulator.pca import SpectrumBasis
from popsed_core.files.artefacts import load
from tests.bars import fsps_speed
from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    at_most,
    fresh_copy,
    main,
    reported,
    run,
    run_tests,
    snakemake,
)

STEM = OUT / "bar_fsps"
LONG = OUT / "emulator_long.json"  # certificate of the long training, committed with its device
N_SPECTRA = 3_000_000
BYTES_PER_SPECTRUM = 5000  # of 2000 pixels, compressed; 4300 measured
SPARE_BYTES = 5e9  # what the disk must keep
RANGES = {"3000-12000": 0.01, "1000-3000": 0.02}  # the paper's errors, 1 sigma
LONG_RANGES = dict.fromkeys(RANGES, 0.003)
MOCK = "table2_mock"
SMOKE = ("--configfile", "config/smoke.yaml")
# ours last: the piece `population` fits with what it leaves
PRESETS = {"paper": ("--configfile", "config/paper_emulator.yaml"), "improved": ()}
ENGINE_TESTS = ("tests/stellar/test_engine_is_fsps.py", "tests/stellar/test_fsps.py")
REAL_TESTS = ("tests/test_real_grid.py",)
INPUT_TESTS = {
    "FSPS: data missing, incomplete, of another version; a STOP": (
        "tests/stellar/test_fsps.py",
        "tests/stellar/test_fsps_data.py",
        "tests/stellar/test_fetch_fsps.py",
    ),
    "chunks: full disk, killed writer, altered chunk": (
        "tests/emulator/test_training_set.py",
        "tests/emulator/test_training_chunk.py",
        "tests/emulator/test_training_index.py",
    ),
    "emulator: missing segment, other table, prior or training set": (
        "tests/emulator/test_emulator.py",
        "tests/emulator/test_data.py",
    ),
    "bad inputs: one clear line, nothing left": ("tests/test_bad_inputs.py",),
}


def chunk_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Make the training set, or as much of it as fits on the disk."""
    if is_reused:
        raise RuntimeError("chunks: a time is measured, not read; leave --reuse out")
    section = root.load(copy / "config.yaml").training_set
    fits = int((shutil.disk_usage(copy).free - SPARE_BYTES) / BYTES_PER_SPECTRUM)
    n_chunks = min(N_SPECTRA, fits) // section.chunk_size
    snakemake(copy, "--", "results/ssp.h5")
    shutil.rmtree(copy / "results" / "emulator" / "chunks", ignore_errors=True)
    paths = [f"results/emulator/chunks/chunk_{k}.h5" for k in range(1, n_chunks + 1)]
    done = snakemake(copy, "--", *paths)
    n_spectra = n_chunks * section.chunk_size
    minutes = done.seconds / 60 * N_SPECTRA / n_spectra
    how = "" if n_spectra >= N_SPECTRA else f", from {n_spectra:,} that the disk holds"
    size = sum((copy / path).stat().st_size for path in paths)
    return [
        at_most(f"chunks: 3e6 spectra of {section.n_pixels} pixels, two cores{how}",
                round(minutes, 2), 10, "min"),
        at_most("chunks: peak memory of all processes", round(done.peak_mb), 2048, "MB"),
        reported("chunks: spectra per second and core, all included",
                 round(n_spectra / done.seconds / 2)),
        reported("chunks: size of 3e6 spectra [GB]", round(size * N_SPECTRA / n_spectra / 1e9, 1)),
    ]  # fmt: skip


def pca_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Find the components of all segments, of our target and of the paper's."""
    folder = copy / "results" / "emulator"
    settings = root.load(copy / "config.yaml")
    seconds = 0.0 if is_reused else snakemake(copy, "--", "training_set").seconds
    full = copy / "full_target.yaml"
    full.write_text("emulator: {target: full}\n")
    ours, paper = [], []
    for segment in range(settings.emulator.n_segments):
        ours.append(load(folder / f"basis_{segment}.h5", SpectrumBasis))
        path = folder / f"paper_basis_{segment}.h5"
        if not is_reused:
            words = ["popsed", "spectra", "basis", "--segment", str(segment), "--config", str(full)]
            run([*words, "--training-set", str(folder / "training_set.h5"), str(path)], copy)
        paper.append(load(path, SpectrumBasis))
    time = [] if is_reused else [reported("pca: all segments [min]", round(seconds / 60, 2))]
    return [
        at_most("pca: 1 sigma error, worst pixel", _worst(ours), 0.002),
        reported("pca: 1 sigma error, worst pixel, dust included (paper)", _worst(paper)),
        reported("pca: 1 sigma error, median pixel, dust included (paper)",
                 float(f"{np.median(np.concatenate([b.error_68 for b in paper])):.2g}")),
        reported("pca: spectra", ours[0].n_spectra),
        *time,
    ]  # fmt: skip


def _worst(bases: list[SpectrumBasis]) -> float:
    return float(f"{max(basis.error_68.max() for basis in bases):.2g}")


def engine_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare the exact engine with FSPS."""
    return run_tests(
        {
            "engine: equal to FSPS to 1e-5, and what FSPS once said": ENGINE_TESTS[:1],
            "engine: exported table equal to FSPS": ENGINE_TESTS[1:],
            "engine: the chain on a real FSPS grid": REAL_TESTS,
        }
    )


def speed_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Time the training set by the table and by FSPS, on toy data, on one core."""
    found = fsps_speed.measure()
    bars = [
        reported(f"speed: {name} [spectra/s/core]", float(f"{rate:.3g}"))
        for name, rate in found.items()
    ]
    fsps = [rate for name, rate in found.items() if name.startswith("FSPS")]
    ratio = float(f"{found['table'] / max(fsps):.2g}")
    return [*bars, reported("speed: table / fastest FSPS, per core", ratio)]


def emulator_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Train both presets and evaluate their errors, and those of the long training, if any."""
    bars = []
    for preset, words in PRESETS.items():
        folder = copy.with_name(f"emulator_{preset}")
        if not is_reused:
            shutil.rmtree(copy / "results" / "emulator" / "checkpoints", ignore_errors=True)
            for path in (copy / "results" / "emulator").glob("*.pt"):
                path.unlink()
            done = snakemake(copy, *words, "--", "emulator")
            shutil.rmtree(folder, ignore_errors=True)
            keep = shutil.ignore_patterns("chunks", "partial")
            shutil.copytree(copy / "results" / "emulator", folder, ignore=keep)
            (folder / "minutes.json").write_text(json.dumps(done.seconds / 60))
        minutes = json.loads((folder / "minutes.json").read_text())
        numbers = json.loads((folder / "accuracy.json").read_text())
        if preset == "improved":
            bars += [at_most("emulator: training, two cores", round(minutes, 1), 60, "min")]
            bars += certificate_bars("emulator", numbers, RANGES, 0.01)
            if not LONG.exists():
                title = "emulator, held to the bars of the long budget already"
                bars += certificate_bars(title, numbers, LONG_RANGES, 0.003)
        else:
            bars += [reported("emulator, paper preset: training [min]", round(minutes, 1))]
            rows = certificate_bars("emulator, paper preset", numbers, RANGES, 0.01)
            bars += [reported(bar.name, bar.measured) for bar in rows]
    if LONG.exists():
        numbers = json.loads(LONG.read_text())
        title = f"emulator, long budget ({numbers.get('device', 'device unknown')})"
        bars += certificate_bars(title, numbers, LONG_RANGES, 0.003)
    return bars


def certificate_bars(
    title: str, numbers: Mapping[str, Any], ranges: Mapping[str, float], mag: float
) -> list[Bar]:
    """Evaluate the accuracy of an emulator."""
    worst = max(row["error_68"] for row in numbers["rest_mag"].values())
    return [
        *(
            at_most(
                f"{title}: 1 sigma error at {name} AA", numbers["spectrum"][name]["error_68"], x
            )
            for name, x in ranges.items()
        ),
        at_most(f"{title}: 1 sigma error of ugriz, worst band", worst, mag, "mag"),
    ]


def population_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit the mock with either engine and compare the populations."""
    kept = {engine: copy.with_name(f"summary_{engine}.json") for engine in ("exact", "emulator")}
    if not is_reused:
        for engine, path in kept.items():
            target = f"results/{MOCK}/summary.json"
            snakemake(copy, "--config", f"spectra={{engine: {engine}}}", "--", target)
            shutil.copy(copy / target, path)
    exact, emulator = (json.loads(path.read_text())["quantities"] for path in kept.values())
    mean = {name: emulator[name]["mean"] - exact[name]["mean"] for name in exact}
    limit = 0.002 * (1 + exact["redshift"]["mean"])
    rows = [
        at_most("population: shift of the mean redshift / (1 + z)",
                round(0.002 * abs(mean["redshift"]) / limit, 5), 0.002),
        at_most("population: shift of the mean log mass",
                round(abs(mean["log_stellar_mass"]), 4), 0.02, "dex"),
    ]  # fmt: skip
    rest = [name for name in mean if name not in ("redshift", "log_stellar_mass")]
    return rows + [
        reported(f"population: shift of the mean {name}", round(mean[name], 4)) for name in rest
    ]


def smoke_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Time the whole chain at smoke size with toy data, and FSPS itself."""
    with tempfile.TemporaryDirectory() as name:
        clean = fresh_copy(Path(name))
        emulated = ("--config", "spectra={engine: emulator}")
        chain = snakemake(clean, *SMOKE, *emulated, "--", "training_set", "emulator", "all")
    fsps = run([sys.executable, "-m", "pytest", ENGINE_TESTS[1]], ROOT)
    return [
        at_most("smoke: training set, emulator and a fit with it",
                round(chain.seconds / 60, 2), 5, "min"),
        at_most("smoke: the same, with FSPS itself",
                round((chain.seconds + fsps.seconds) / 60, 2), 5, "min"),
    ]  # fmt: skip


def input_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests of bad inputs."""
    return run_tests(INPUT_TESTS)


PIECES: dict[str, Callable[[Path, bool], list[Bar]]] = {
    "chunks": chunk_bars,
    "pca": pca_bars,
    "engine": engine_bars,
    "speed": speed_bars,
    "emulator": emulator_bars,
    "population": population_bars,
    "smoke": smoke_bars,
    "inputs": input_bars,
}


def _piece(name: str) -> str:
    """Return the piece that a row belongs to; those of bad inputs have names of their own."""
    first = name.split(":")[0].split(",")[0]
    return "inputs" if name in INPUT_TESTS else first


if __name__ == "__main__":
    sys.exit(main(__doc__, PIECES, STEM, _piece))
