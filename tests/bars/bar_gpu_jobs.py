"""Jobs that train on the GPUs of one machine: no two share one, and all end.

    python -m tests.bars.bar_gpu_jobs      # a minute, on a machine with a GPU

Runs the smoke configuration (toy spectra) with --profile profiles/gpu, as many jobs at once as
there are flows, and reads in their logs who held which GPU when.  Also: does Snakemake's own count
keep jobs apart, and does an epoch on the GPU end where it does on the CPU?  Writes
results/bars/bar_gpu_jobs.{json,md}; exit 1 if a bar falls short.
"""

import itertools
import json
import re
import sys
from pathlib import Path

import torch

from popsed_core.running.loop import load_plain
from tests.bars.tools import OUT, Bar, Piece, at_least, at_most, main, reported, run

STEM = OUT / "bar_gpu_jobs"
N_FLOWS = 3
SMOKE = ("--configfile", "config/smoke.yaml")
FITS = f"fit={{n_members: {N_FLOWS}, n_epochs: 20, n_steps: 10}}"
FOLDER = Path("results/table2_mock/members")
TOLERANCE = 1e-3  # relative, of the validation distances after the first epoch
HELD = re.compile(r"^(\d\d):(\d\d):(\d\d) .*using GPU (\d+) of (\d+)", re.MULTILINE)
LAST = re.compile(r"^(\d\d):(\d\d):(\d\d) .*epoch 20/20", re.MULTILINE)


def train(copy: Path, device: str, *words: str) -> tuple[float, list[str]]:
    """Retrain all flows; return seconds and their logs."""
    for path in (copy / FOLDER).glob("*"):
        if path.is_file():
            path.unlink()
    members = [str(FOLDER / f"member_{k}.pt") for k in range(1, N_FLOWS + 1)]
    command = ["snakemake", "--profile", "profiles/gpu", "--cores", str(N_FLOWS), *words, *SMOKE]
    command += ["--config", FITS, f"runtime={{device: {device}}}", "--", *members]
    done = run(command, copy)
    if done.code:
        raise RuntimeError(f"snakemake: exit status {done.code}")
    logs = copy / "logs/table2_mock"
    return done.seconds, [path.read_text() for path in sorted(logs.glob("fit_member_*.log"))]


def seconds(match: re.Match[str]) -> int:
    """Return the time of a line of a log [s]."""
    hours, minutes, rest = map(int, match.groups()[:3])
    return 3600 * hours + 60 * minutes + rest


def overlaps(logs: list[str]) -> int:
    """Count pairs of jobs that held one GPU at the same time, by their logs' whole seconds."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for text in logs:
        held, last = HELD.search(text), LAST.search(text)
        if held is None or last is None:
            raise RuntimeError(f"a log without a GPU:\n{text}")
        spans.setdefault(held[4], []).append((seconds(held), seconds(last)))
    return sum(
        first[1] > second[0]
        for mine in map(sorted, spans.values())
        for first, second in itertools.pairwise(mine)
    )


def jobs_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """All flows at once, as if there were a GPU for each; then as many as there are."""
    n_gpus = torch.cuda.device_count()
    _, together = train(copy, "cuda", "--resources", f"gpu={N_FLOWS}")
    n_waits = sum("waiting for a GPU" in text for text in together)
    elapsed, in_turn = train(copy, "cuda", "--resources", f"gpu={n_gpus}")
    return [
        reported("jobs: device", torch.cuda.get_device_name()),
        reported("jobs: GPUs", n_gpus),
        at_most(
            f"jobs: pairs of {N_FLOWS} jobs on one GPU, started at once", overlaps(together), 0
        ),
        at_least("jobs: jobs that waited for a GPU", n_waits, N_FLOWS - n_gpus),
        at_most("jobs: the same, counted by Snakemake", overlaps(in_turn), 0),
        reported("jobs: all flows, counted by Snakemake [s]", round(elapsed)),
    ]


def agree_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare the first epoch of the same flow on both devices."""
    found = []
    for device in ("cuda", "cpu"):
        train(copy, device, "--resources", "gpu=1")
        history = load_plain(copy / FOLDER / "member_1.pt")["history"]
        found.append(history["validation"][0])
    difference = abs(found[0] - found[1]) / abs(found[1])
    name = "agree: validation after an epoch, GPU against CPU, relative difference"
    return [at_most(name, float(f"{difference:.1e}"), TOLERANCE)]


PIECES: dict[str, Piece] = {"jobs": jobs_bars, "agree": agree_bars}

if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("bar_gpu_jobs: torch finds no GPU; `popsed doctor` says why")
    code = main(__doc__, PIECES, STEM, lambda name: name.split(":")[0])
    for row in json.loads(STEM.with_suffix(".json").read_text()):
        sys.stdout.write(f"{row}\n")
    sys.exit(code)
