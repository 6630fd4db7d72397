"""Measure the bars of one GPU; print bar, threshold, measured, pass.  See benchmarks/gpu.sh.

The paper's mock, 100,863 galaxies, with the stand-in for GAMA.

    agree     a step on the GPU beside the same step on a CPU: same draws, same losses
    member    one flow, as a job of its own
    together  ten flows in one job, to the report
    galaxies  a fit against the number of galaxies, up to ten million

With POPSED_REHEARSAL set it runs on a CPU with a few galaxies and steps, judges nothing, and writes
nothing but to a temporary folder.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.bars.bar_paper import MOCK, offsets, words
from tests.bars.bar_speed import OURS, must
from tests.bars.tools import OUT, Bar, Piece, at_most, main, reported, snakemake

IS_REHEARSAL = bool(os.environ.get("POPSED_REHEARSAL"))
DEVICE = "cpu" if IS_REHEARSAL else "cuda"
N_GALAXIES = 3000 if IS_REHEARSAL else 100_863
N_TOGETHER = 2 if IS_REHEARSAL else 10
SIZES = (3000, 6000) if IS_REHEARSAL else (100_000, 1_000_000, 10_000_000)
FOLDER = Path(tempfile.mkdtemp()) if IS_REHEARSAL else OUT
STEM, COSTS = FOLDER / "bar_gpu", FOLDER / "gpu_galaxy_costs.json"
TOLERANCE = 1e-3  # relative, of the losses of a step
COMPARE = """
import json, sys
from pathlib import Path
from popsed_core.config import root
from popsed_core.inference.fit import FlowFit
from popsed_core.costs.recipes import Bench, prepare
from popsed_core.running.runtime import set_threads
set_threads(1)
survey, device, results, *files = sys.argv[1:]
inputs = {"ssp": Path(results, "ssp.h5")}
inputs |= {key: Path(results, survey, f"{key}.h5") for key in ("catalogue", "noise")}
rows = []
for each in ("cpu", device):
    task, data = prepare(Bench(survey, inputs, (), device=each), root.load(*files))
    job = FlowFit([task], data)
    rows.append([value for step in range(3) for value in job.step(0, step)[0].tolist()[:2]])
print(json.dumps(max(abs(a - b) / abs(a) for a, b in zip(*rows))))
"""


def options(n_members: int) -> tuple[str, ...]:
    """Return the settings of the fits: several members to a job, on the device."""
    *most, surveys = words(MOCK, N_GALAXIES, n_members)
    per_job = f"fit: {{members_per_job: {n_members}, "
    if IS_REHEARSAL:
        per_job += "n_epochs: 2, n_steps: 3, n_samples: 200, "
    changed = surveys.replace("fit: {", per_job)
    return (*most, changed, f"runtime={{device: {DEVICE}}}")


def prepared(copy: Path) -> None:
    snakemake(copy, *options(1), "--", f"results/{MOCK}/noise.h5")


def agree_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare three steps on both devices."""
    prepared(copy)
    files = [str(copy / file) for file in OURS]
    command = [sys.executable, "-W", "ignore", "-c", COMPARE]
    done = must([*command, MOCK, DEVICE, str(copy / "results"), *files], copy)
    found = json.loads(done.output.splitlines()[-1])
    name = "agree: losses of three steps, GPU against CPU, relative difference"
    return [at_most(name, float(f"{found:.1e}"), TOLERANCE)]


def member_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit one member."""
    prepared(copy)
    return _fit(copy, "member", 1, 60)


def together_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit ten members in one job, and evaluate the ensemble."""
    prepared(copy)
    return _fit(copy, "together", N_TOGETHER, 300)


def _fit(copy: Path, title: str, n_members: int, limit: float) -> list[Bar]:
    folder = copy / "results" / MOCK
    for path in folder.glob("members/*"):
        path.unlink()
    done = snakemake(copy, *options(n_members), "--", f"results/{MOCK}/members/member_1.pt")
    costs = [json.loads(path.read_text()) for path in folder.glob("members/*.json")]
    trained = sum(float(cost["seconds"]) for cost in costs)
    snakemake(copy, *options(n_members), "--", f"results/{MOCK}/summary.json")
    compared = json.loads((folder / "summary.json").read_text())["comparison"]
    bars = [
        at_most(f"{title}: {n_members} flow(s), all of the fit", round(trained), limit, "s"),
        reported(f"{title}: the same with the start of the job [s]", round(done.seconds)),
    ]
    return bars + offsets(compared, title)


def galaxies_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Measure fits to increasing numbers of galaxies."""
    prepared(copy)
    results = copy / "results"
    command = ["popsed", "bench", "galaxies", "--survey", MOCK, "--device", DEVICE]
    command += ["--ssp", str(results / "ssp.h5"), "--n-threads", "8"]
    for key in ("catalogue", "noise"):
        command += [f"--{key}", str(results / MOCK / f"{key}.h5")]
    command += ["--config", *(str(copy / file) for file in OURS), "--sizes", *map(str, SIZES)]
    command += ["--together", "1", str(N_TOGETHER), "--markdown", str(COSTS.with_suffix(".md"))]
    must([*command, "--", str(COSTS)], copy)
    costs = json.loads(COSTS.read_text())
    found, n_steps = costs["galaxies"], costs["n_steps"]
    whole = (found["setup_s"][-1] + n_steps * statistics.median(found["step_s"])) / 60
    title = f"galaxies: one flow to {SIZES[-1]:,}, from {n_steps} steps as measured"
    bars = [at_most(title, round(whole, 1), 60, "min")]
    bars.append(reported("galaxies: memory of the host [MB]", round(found["memory_mb"][-1])))
    if "device_mb" in found:
        bars.append(reported("galaxies: memory of the GPU [MB]", round(found["device_mb"][-1])))
    return [*bars, reported("galaxies: device", costs["machine"]["device"])]


PIECES: dict[str, Piece] = {
    "agree": agree_bars,
    "member": member_bars,
    "together": together_bars,
    "galaxies": galaxies_bars,
}

if __name__ == "__main__":
    if not IS_REHEARSAL:
        import torch

        if not torch.cuda.is_available():
            sys.exit("benchmarks/gpu.sh: torch finds no GPU; `popsed doctor` says why")
    code = main(__doc__, PIECES, STEM, lambda name: name.split(":")[0])
    sys.exit(0 if IS_REHEARSAL else code)
