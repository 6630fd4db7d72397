"""Kill jobs, or all of Snakemake, at random moments: does the rerun make the same bytes?

    python -m tests.bars.bar_kills [--kills 21] [--seed 1] [--folder DIR]      # about 15 minutes

In a copy of the checkout the smoke configuration (with longer fits and larger chunks) is run
undisturbed.  In a second copy the product of one stage after the other is deleted and made again,
with a SIGKILL to its job, or to Snakemake and all of its jobs, at a random moment of the job's
life.  Then Snakemake is called until it is done.  Writes results/bars/kills.{json,md}; exit 1 if
any byte is another.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from popsed_core.files.artefacts import sha256
from tests.bars.tools import OUT, fresh_copy
from tests.web_archive import Archive

STEM = OUT / "kills"
TARGETS = ("all", "training_set", "emulator")
FITS = "resources/gama_masses.fits"
DOWNLOAD_BYTES = 40_000_000
PIECE, PAUSE = 100_000, 0.01  # [byte], [s]: ten megabytes per second
LONGER = {
    "fit": {"n_epochs": 40},
    "emulator": {"n_epochs": 40},
    "training_set": {"chunk_size": 40_000},
    "products": {"n_draws": 2000},
}
DAWDLE = 0.7  # [s] per line of the log, so that a fit outlasts its first checkpoint at 20 s
SLOW = f"""
import logging
import time

_start = start_logging


def start_logging(*args, **options):
    _start(*args, **options)
    logging.getLogger().handlers[0].addFilter(lambda record: not time.sleep({DAWDLE}))
"""
# files that show times or memory, and those made from them
SHOW_COSTS = ("report.html", "summary.", "README.md", "accuracy.json", "accuracy.md")
WITH_COSTS = ("diagnostics.csv", "redshift_distribution.csv")
PATIENCE = 300  # [s] for a job to appear, or a run to end
MAX_RUNS = 4


class Stage(NamedTuple):
    """A product and the verb that makes it."""

    outputs: tuple[str, ...]
    verb: tuple[str, ...]


MOCK = "results/table2_mock"
STAGES = {
    "download": Stage((FITS,), ("data", "fetch")),
    "chunk": Stage(("results/emulator/chunks/chunk_1.h5",), ("spectra", "chunk")),
    "components": Stage(("results/emulator/basis_0.h5",), ("spectra", "basis")),
    "emulator": Stage(("results/emulator/segment_0.pt",), ("emulator", "train")),
    "fit": Stage((f"{MOCK}/members/member_1.pt",), ("fit", "member")),
    "combine": Stage((f"{MOCK}/samples.h5",), ("ensemble", "sample")),
    "figure": Stage(
        (f"{MOCK}/figures/population.pdf", f"{MOCK}/figures/population.png"),
        ("figure", "population"),
    ),
}


class Kill(NamedTuple):
    """One kill: the process, the time, what it left behind, how it was recovered."""

    stage: str
    how: str
    after_s: float
    of_s: float
    left: list[str]
    runs: int
    is_same: bool


@contextmanager
def archive() -> Iterator[str]:
    """Serve a FITS file at the pace of a network; yield its address."""
    head = b"SIMPLE  =                    T" + b" " * 50
    content = head + random.Random(3).randbytes(DOWNLOAD_BYTES)
    server = Archive({"StellarMasses.fits": content})
    server.piece, server.pause = PIECE, PAUSE
    with server.serving():
        yield server.url("StellarMasses.fits")


def prepare(folder: Path, url: str) -> Path:
    """Return a copy with longer jobs, slowed down by their logging."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = fresh_copy(folder)
    overlay = copy / "config/smoke.yaml"
    tree = yaml.safe_load(overlay.read_text())
    for section, values in LONGER.items():
        tree[section] |= values
    tree["downloads"] = {"gama_masses": {"urls": [url]}}
    overlay.write_text(yaml.safe_dump(tree, sort_keys=False))
    cli = copy / "popsed_core/cli.py"
    cli.write_text(cli.read_text() + SLOW)
    return copy


def start(copy: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start Snakemake in its own session."""
    env = dict(os.environ, PYTHONPATH=str(copy), OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile"]
    with (copy / "run.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "config/smoke.yaml", *words],
            cwd=copy, env=env, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def run(copy: Path, *words: str) -> int:
    """Run Snakemake; return its exit status."""
    return start(copy, *words).wait(PATIENCE)


def job_of(session: int, verb: tuple[str, ...]) -> int | None:
    """Return the process of a session that runs a verb of ``popsed``."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(path.name)
            words = (path / "cmdline").read_bytes().split(b"\0")
            is_ours = os.getsid(pid) == session and b"python" in words[0]
        except (OSError, ProcessLookupError):
            continue
        texts = [word.decode(errors="replace") for word in words]
        if is_ours and any(texts[i : i + len(verb)] == list(verb) for i in range(1, 5)):
            return pid
    return None


def await_job(process: subprocess.Popen[bytes], verb: tuple[str, ...]) -> int:
    """Return the process of a verb as soon as it has started."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if (pid := job_of(process.pid, verb)) is not None:
            return pid
        time.sleep(0.01)
    raise RuntimeError(f"no job popsed {' '.join(verb)} has appeared")


def life(copy: Path, stage: Stage) -> float:
    """Remake a stage's product undisturbed; return the duration of its job [s]."""
    remove(copy, stage)
    process = start(copy, "--", *stage.outputs[:1])
    pid = await_job(process, stage.verb)
    begin = time.monotonic()
    while Path(f"/proc/{pid}").exists() and process.poll() is None:
        time.sleep(0.02)
    seconds = time.monotonic() - begin
    if process.wait(PATIENCE):
        raise RuntimeError(f"{stage.outputs[0]} cannot be made: {copy / 'run.log'}")
    return seconds


def remove(copy: Path, stage: Stage) -> None:
    """Delete a stage's product."""
    for name in stage.outputs:
        (copy / name).unlink(missing_ok=True)


def kill_once(copy: Path, name: str, how: str, seconds: float, draws: random.Random) -> Kill | None:
    """Kill a stage's job, or everything, and recover; None if the job finished first."""
    stage = STAGES[name]
    remove(copy, stage)
    process = start(copy, "--", *stage.outputs[:1])
    pid = await_job(process, stage.verb)
    after = draws.uniform(0.05, 0.95) * seconds
    time.sleep(after)
    if not Path(f"/proc/{pid}").exists():
        process.wait(PATIENCE)
        return None
    if how == "job":
        os.kill(pid, signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE)
    left = sorted(path.name for path in leftovers(copy))
    if how == "all":
        run(copy, "--unlock")
    n_runs = 1
    while run(copy, "--", *stage.outputs[:1]) and n_runs < MAX_RUNS:
        n_runs += 1
    return Kill(name, how, round(after, 1), round(seconds, 1), left, n_runs, is_same=False)


def leftovers(copy: Path) -> Iterator[Path]:
    """Yield what interrupted work has left, to resume from or to clear away."""
    for pattern in ("results/**/checkpoints/*.pt*", "results/**/partial/*", "re*/**/.*.partial"):
        yield from copy.glob(pattern)


def hashes(copy: Path) -> dict[str, str]:
    """Return the sha256 of every file that must not change: all but costs and report."""
    found = {}
    for folder in ("results", "resources"):
        for path in sorted((copy / folder).rglob("*")):
            name = str(path.relative_to(copy))
            is_left_out = "/bars/" in name or "/studies/" in name or path.name.startswith(".")
            is_work = path.parent.name in ("checkpoints", "partial", "wheels")
            # the records of these name their sha256, and that of what they read
            parts = path.relative_to(copy).parts
            is_cost = "members" in parts and ".json" in path.suffixes
            shows_cost = path.name.startswith(SHOW_COSTS)
            has_record = path.parent.name == "provenance" and path.name.startswith(WITH_COSTS)
            if path.is_file() and not (
                is_left_out or is_cost or is_work or shows_cost or has_record
            ):
                found[name] = sha256(path)
    return found


def markdown(kills: list[Kill], n_files: int, n_other: int) -> str:
    """Return a table by stage."""
    lines = [
        "| stage | job lives [s] | its job killed | all killed | after [s] | same bytes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in STAGES:
        mine = [kill for kill in kills if kill.stage == name]
        n_job = sum(kill.how == "job" for kill in mine)
        after = ", ".join(f"{kill.after_s:.1f}" for kill in mine)
        n_same = sum(kill.is_same for kill in mine)
        lines.append(
            f"| {name} | {mine[0].of_s:.1f} | {n_job} | {len(mine) - n_job} | {after} | "
            f"{n_same} of {len(mine)} |"
        )
    lines.append("")
    lines.append(
        f"{len(kills)} kills. In the end {n_files - n_other} of {n_files} files are the same."
    )
    return "\n".join(lines) + "\n"


def measure(folder: Path, n_kills: int, seed: int) -> bool:
    """Kill, recover, compare, write; return whether every byte is the same."""
    draws = random.Random(seed)
    with archive() as url:
        quiet, disturbed = (prepare(folder / name, url) for name in ("quiet", "disturbed"))
        for copy in (quiet, disturbed):
            if run(copy, "--", *TARGETS, FITS):
                raise RuntimeError(f"the smoke configuration fails: {copy / 'run.log'}")
        wanted = hashes(quiet)
        lives = {name: life(disturbed, stage) for name, stage in STAGES.items()}
        kills: list[Kill] = []
        while len(kills) < n_kills:
            name = list(STAGES)[len(kills) % len(STAGES)]
            how = ("job", "all")[(len(kills) // len(STAGES) + len(kills) % len(STAGES)) % 2]
            kill = kill_once(disturbed, name, how, lives[name], draws)
            if kill is not None:
                same = all(sha256(disturbed / o) == wanted[o] for o in STAGES[name].outputs)
                kills.append(kill._replace(is_same=same))
                sys.stderr.write(f"{len(kills)} of {n_kills}: {kills[-1]}\n")
        is_done = run(disturbed, "--", *TARGETS, FITS) == 0
        found = hashes(disturbed)
    other = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    rows = {"kills": [kill._asdict() for kill in kills], "files": len(wanted), "other": other}
    STEM.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    text = markdown(kills, len(wanted), len(other))
    STEM.with_suffix(".md").write_text(text)
    sys.stderr.write(text)
    return is_done and not other and all(kill.is_same for kill in kills)


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=21)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="work here and leave everything there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        is_good = measure(arguments.folder or Path(name), arguments.kills, arguments.seed)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
