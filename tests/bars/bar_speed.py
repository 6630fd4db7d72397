"""Measure the bars of speed; print bar, threshold, measured, pass.

    make bar-speed                              # about an hour on two cores
    make bar-speed BARS="--only step start"     # renew the rows of some pieces
    make bar-speed BARS="--folder DIR --reuse"  # judge what earlier pieces left in DIR

Ratios are of medians of five steps, in turn, in one run.  The data are the paper's mock with the
stand-in for GAMA.  Writes results/bars/bar_speed.{json,md} and the tables of costs beside them;
exit 1 if a bar falls short.

    step      a step of ours and of the released recipe, side by side
    scaling   a step of ours against its number of samples; its memory
    galaxies  a fit against the number of galaxies, up to ten million; members trained together
    budget    both recipes at ten minutes of one core, three seeds
    member    one flow at the paper's 100,863 galaxies, on two cores
    start     how long the command line and the plan of the workflow take
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from popsed_core.costs.step import extrapolate
from popsed_core.parameters import NAMES
from tests.bars.bar_paper import MOCK, STANDIN, offsets, words
from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    Piece,
    Run,
    at_least,
    at_most,
    main,
    reported,
    run,
    snakemake,
)

STEM = OUT / "bar_speed"
OURS = ("config.yaml", *STANDIN[1:])
RELEASED = (
    "config.yaml",
    "config/gama_standin.yaml",
    "config/paper.yaml",
    "config/released_code.yaml",
    "config/paper_emulator.yaml",
    "tests/bars/released_step.yaml",
)
SIDE_BY_SIDE = (500, 1000, 2000)
SIZES = (1000, 2000, 4000, 10_000)
GALAXIES = (100_000, 1_000_000, 10_000_000)
TOGETHER = (1, 2, 10)
N_REPEATS = 5
COSTS = {"step": "step_cost", "galaxies": "galaxy_costs"}  # what the figure shows
FAR = 10_000  # samples to which the ratio is extrapolated


def costs_of(
    copy: Path, name: str, recipes: Mapping[str, Sequence[str]], sizes: Sequence[int]
) -> None:
    """Time steps on the mock of 20,000 galaxies; keep the table among the bars."""
    options = []
    for recipe, files in recipes.items():
        options += ["--recipe", f"{recipe}={','.join(str(copy / file) for file in files)}"]
    bench(copy, "step", name, *options, "--sizes", *map(str, sizes))


def bench(copy: Path, verb: str, name: str, *options: str) -> None:
    """Run a bench on the mock of 20,000 galaxies; keep its table among the bars."""
    snakemake(copy, *words(MOCK, 20_000, 3), "--", f"results/{MOCK}/noise.h5")
    results = copy / "results"
    inputs = {"ssp": results / "ssp.h5"}
    inputs |= {key: results / MOCK / f"{key}.h5" for key in ("catalogue", "noise")}
    output = OUT / f"{name}.json"
    command = ["popsed", "bench", verb, "--survey", MOCK, "--device", "cpu", *options]
    command += [text for key, path in inputs.items() for text in (f"--{key}", str(path))]
    command += ["--repeats", str(N_REPEATS), "--markdown", str(output.with_suffix(".md"))]
    must([*command, "--", str(output)], copy)


def must(command: list[str], folder: Path) -> Run:
    """Run a command; RuntimeError if it fails."""
    done = run(command, folder)
    if done.code:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.code}")
    return done


def recorded(name: str) -> dict[str, Any]:
    return json.loads((OUT / f"{name}.json").read_text())


def step_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare one of our steps with one of the released recipe."""
    if not is_reused:
        costs_of(copy, "step_cost", {"ours": OURS, "released code": RELEASED}, SIDE_BY_SIDE)
    found = recorded("step_cost")["recipes"]
    ours, released = (found[name] for name in ("ours", "released code"))
    ratios = [
        slow / fast
        for slow, fast in zip(released["seconds"]["step"], ours["seconds"]["step"], strict=True)
    ]
    far = [
        extrapolate(cost["n_samples"], cost["seconds"]["step"], FAR) for cost in (released, ours)
    ]
    bars = [
        reported(f"step: released code / ours, {n} samples", round(ratio, 1))
        for n, ratio in zip(SIDE_BY_SIDE, ratios, strict=True)
    ]
    bars[-1] = at_least(bars[-1].name, bars[-1].measured, 50)
    bars.append(reported(f"step: the same at {FAR}, extrapolated", round(far[0] / far[1], 1)))
    for name, cost in found.items():
        bars.append(reported(f"step: exponent of N, {name}", round(cost["exponent"]["step"], 2)))
    return bars


def scaling_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Cost and memory of our step against its number of samples."""
    if not is_reused:
        costs_of(copy, "step_scaling", {"ours": OURS}, SIZES)
    found = recorded("step_scaling")["recipes"]["ours"]
    growth, memory = found["exponent"], found["memory_mb"][-1]
    return [
        at_most("scaling: exponent of N of the distance", round(growth["distance"], 2), 1.1),
        reported("scaling: exponent of N of the step", round(growth["step"], 2)),
        at_most(f"scaling: memory, step of {SIZES[-1]}", round(memory), 1536, "MB"),
    ]


def galaxies_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit increasing numbers of galaxies, a few steps each; plot the costs."""
    if not is_reused:
        options = ["--sizes", *map(str, GALAXIES), "--together", *map(str, TOGETHER)]
        files = [str(copy / file) for file in OURS]
        bench(copy, "galaxies", "galaxy_costs", "--config", *files, "--n-threads", "2", *options)
    costs = [f"--bench-{name}={OUT / file}.json" for name, file in COSTS.items()]
    must(["popsed", "figure", "costs", str(OUT / "costs.png"), *costs], copy)
    found, together = (recorded("galaxy_costs")[axis] for axis in ("galaxies", "together"))
    n_steps = recorded("galaxy_costs")["n_steps"]
    whole = (found["setup_s"][-1] + n_steps * found["step_s"][-1]) / 60
    growth = found["step_s"][-1] / found["step_s"][0]
    ratio = together["step_s"][-1] / (together["n"][-1] * together["step_s"][0])
    most = f"{GALAXIES[-1]:,}"
    return [
        at_most(f"galaxies: memory at {most}", round(found["memory_mb"][-1]), 6144, "MB"),
        reported(f"galaxies: a step at {most} / at {GALAXIES[0]:,}", round(growth, 2)),
        reported(f"galaxies: statistics of {most} [min]", round(found["setup_s"][-1] / 60, 1)),
        reported(
            f"galaxies: one flow to {most}, {n_steps} steps, extrapolated [min]", round(whole, 1)
        ),
        reported(
            f"galaxies: a step of {TOGETHER[-1]} members together / alone, on this CPU",
            round(ratio, 2),
        ),
    ]


def budget_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare both recipes at the same time on one core."""
    if not is_reused:
        snakemake(copy, *words(MOCK, 20_000, 3), "--", f"results/{MOCK}/noise.h5")
        command = [sys.executable, "-m", "tests.studies.run_study", "budget"]
        run([*command, "--results", str(copy / "results")], ROOT)
    rows = json.loads((ROOT / "results/studies/budget.json").read_text())["rows"]
    bars = []
    for key in (f"w1_{name}" for name in NAMES):
        ours, released = (
            statistics.fmean(row[key] for row in rows if row["name"] == name)
            for name in ("ours", "released code")
        )
        what = key.removeprefix("w1_")
        bars.append(
            at_most(f"budget: W1 / width of {what}, ours", round(ours, 4), round(released, 4))
        )
    return bars


def member_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit one flow to as many galaxies as the paper's mock has, with two threads."""
    options = (*words(MOCK, 100_863, 1), "runtime={n_threads: 2}")
    summary, cost = copy / "results" / MOCK / "summary.json", copy.with_name("member.json")
    if not is_reused:
        snakemake(copy, *options, "--", f"results/{MOCK}/noise.h5")
        done = snakemake(copy, *options, "--", f"results/{MOCK}/members/member_1.pt")
        snakemake(copy, *options, "--", f"results/{MOCK}/summary.json")
        rows = json.loads(summary.read_text())["comparison"]
        cost.write_text(json.dumps({"minutes": done.seconds / 60, "comparison": rows}))
    found = json.loads(cost.read_text())
    minutes = round(found["minutes"], 1)
    bars = [at_most("member: 100,863 galaxies, two cores", minutes, 30, "min")]
    return bars + offsets(found["comparison"], "member")


def start_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Time the start-up of the command line."""
    planned = ["snakemake", "--cores", "1", "--dry-run", "--quiet"]
    return [
        at_most("start: popsed --help", _median(["popsed", "--help"], copy), 0.5, "s"),
        at_most("start: the plan of the default run", _median(planned, copy), 5, "s"),
    ]


def _median(command: list[str], folder: Path) -> float:
    times = []
    for _ in range(N_REPEATS):
        start = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times.append(time.monotonic() - start)
    return round(statistics.median(times), 2)


PIECES: dict[str, Piece] = {
    "step": step_bars,
    "scaling": scaling_bars,
    "galaxies": galaxies_bars,
    "budget": budget_bars,
    "member": member_bars,
    "start": start_bars,
}

if __name__ == "__main__":
    sys.exit(main(__doc__, PIECES, STEM, lambda name: name.split(":")[0]))
