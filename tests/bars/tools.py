"""Shared by the bars: a bar, the cost of a command, a clean copy, the table of results."""

import argparse
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from popsed_core.costs.machine import processor
from popsed_core.running.logs import start_logging

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "bars"
POLL_SECONDS = 0.5
BETTER = "better than its prior"
TIMES = ("s", "min")  # units of what depends on the machine
BAD = ("failure", "error", "skipped")
log = logging.getLogger("bars")
log.setLevel(logging.INFO)


class Bar(NamedTuple):
    """One bar: what, the threshold in words, the measured number, whether it passes.

    What cannot be measured here neither passes nor fails: None.  An accuracy has its prior's number
    beside it, which it must be better than; a time the machine that it was measured on.
    """

    name: str
    threshold: str
    measured: float | str | None
    is_passed: bool | None
    prior: float | None = None
    machine: str = ""


def at_most(
    name: str,
    measured: float,
    limit: float,
    unit: str = "",
    *,
    prior: float | None = None,
    factor: float = 1.0,
) -> Bar:
    """Return a bar that is met up to a limit, and below ``factor`` times its prior's number."""
    bar = Bar(
        name, f"<= {limit:g} {unit}".strip(), measured, measured <= limit,
        machine=processor() if unit in TIMES else "",
    )  # fmt: skip
    if prior is None:
        return bar
    words = BETTER if factor == 1 else f"< {factor:g} times its prior's"
    return beside_prior(bar, prior, measured < factor * prior, words)


def between(
    name: str, measured: float, low: float, high: float, *, prior: float | None = None
) -> Bar:
    return Bar(name, f"{low:g} to {high:g}", measured, low <= measured <= high, prior)


def at_least(
    name: str, measured: float, limit: float, unit: str = "", *, prior: float | None = None
) -> Bar:
    """Return a bar that is met at or above a limit, and above its prior's number."""
    bar = Bar(name, f">= {limit:g} {unit}".strip(), measured, measured >= limit)
    return bar if prior is None else beside_prior(bar, prior, measured > prior)


def beside_prior(bar: Bar, prior: float, is_better: bool, words: str = BETTER) -> Bar:
    """Return a bar that must also be better than its prior."""
    return bar._replace(
        threshold=f"{bar.threshold}, {words}",
        prior=prior,
        is_passed=bool(bar.is_passed and is_better),
    )


class Run(NamedTuple):
    """Cost of a command."""

    seconds: float
    peak_mb: float
    longest_silence: float
    output: str
    code: int


def run(command: list[str], folder: Path) -> Run:
    """Run a command, measuring wall time, memory of its process tree, silence on its terminal."""
    start = last = time.monotonic()
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    watcher.start()
    silence, lines = 0.0, []
    for line in process.stdout:
        now = time.monotonic()
        silence, last = max(silence, now - last), now
        lines.append(line)
        log.info("  %s", line.rstrip())
    code = process.wait()
    watcher.join()
    return Run(time.monotonic() - start, peak[0], silence, "".join(lines), code)


def _watch(process: subprocess.Popen, peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _tree_mb(process.pid))
        time.sleep(POLL_SECONDS)


def _tree_mb(session: int) -> float:
    """Return the resident memory of all processes of a session [MB]; Linux only."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(status.name)) == session:
                found = re.search(r"VmRSS:\s+(\d+)", (status / "status").read_text())
                total += int(found[1]) / 1024 if found else 0.0
        except (OSError, ProcessLookupError):
            continue
    return total


def fresh_copy(folder: Path) -> Path:
    """Copy tracked and unignored files into an empty folder that shares this environment."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    copy = folder / "popsed"
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, copy / name
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


def reported(name: str, value: Any, prior: float | None = None) -> Bar:
    return Bar(name, "reported", value, True, prior)


def test_bar(name: str, paths: Sequence[str], report: str) -> Bar:
    """Return how many tests of some files pass, by pytest's XML report; skipped ones do not."""
    n_bad = n_cases = 0
    for path in paths:
        module = re.escape(path.removesuffix(".py").replace("/", "."))
        pattern = rf'<testcase classname="{module}[^>]*?(?:/>|>.*?</testcase>)'
        cases = re.findall(pattern, report, re.DOTALL)
        n_cases += len(cases)
        n_bad += sum(any(f"<{what}" in case for what in BAD) for case in cases)
    measured = f"{n_cases - n_bad} of {n_cases} tests pass"
    return Bar(name, "all", measured, n_cases > 0 and n_bad == 0)


def table(bars: list[Bar]) -> str:
    """Return the bars as a Markdown table."""
    lines = ["| bar | threshold | prior | measured | pass |", "| --- | --- | --- | --- | --- |"]
    for bar in bars:
        verdict = {True: "yes", False: "**no**", None: "-"}[bar.is_passed]
        name = bar.name.replace("|", r"\|")
        prior = "-" if bar.prior is None else bar.prior
        measured = f"{bar.measured} ({bar.machine})" if bar.machine else bar.measured
        lines.append(f"| {name} | {bar.threshold} | {prior} | {measured} | {verdict} |")
    return "\n".join(lines) + "\n"


def write(bars: list[Bar], stem: Path) -> None:
    """Write the bars as JSON and as Markdown."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    rows = [bar._asdict() for bar in bars]
    stem.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    stem.with_suffix(".md").write_text(table(bars))


def snakemake(copy: Path, *words: str) -> Run:
    """Run the workflow on two cores.

    Raises:
        RuntimeError: it fails, so that there is nothing to judge.
    """
    done = run(["snakemake", "--quiet", "host", "reason", "--cores", "2", *words], copy)
    if done.code != 0:
        raise RuntimeError(f"snakemake {' '.join(words)} failed:\n{done.output[-3000:]}")
    return done


def run_tests(paths: Mapping[str, tuple[str, ...]]) -> list[Bar]:
    """Run test files in this checkout, which has the shared data, and return which pass."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "tests.xml"
        files = sorted({path for group in paths.values() for path in group})
        run([sys.executable, "-m", "pytest", f"--junit-xml={report}", *files], ROOT)
        text = report.read_text() if report.exists() else ""
    return [test_bar(title, group, text) for title, group in paths.items()]


def renewed(
    stem: Path, names: Sequence[str], fresh: Mapping[str, list[Bar]], piece_of: Callable[[str], str]
) -> list[Bar]:
    """Return all rows: fresh ones, and the committed ones of the other pieces.

    Args:
        stem: the committed results.
        names: of all pieces, in their order.
        fresh: rows of the pieces that were measured.
        piece_of: the piece that a row's name belongs to.
    """
    path = stem.with_suffix(".json")
    old = [Bar(**row) for row in json.loads(path.read_text())] if path.exists() else []
    found = []
    for name in names:
        mine = [bar for bar in old if piece_of(bar.name) == name]
        found += fresh.get(name, mine)
    return found


Piece = Callable[[Path, bool], list[Bar]]


def main(doc: str, pieces: Mapping[str, Piece], stem: Path, piece_of: Callable[[str], str]) -> int:
    """Measure, print, write; return the exit status.

    Args:
        doc: what the command says of itself.
        pieces: what can be measured alone, given a clean copy and whether to reuse what is there.
        stem: the results file without its ending.
        piece_of: the piece that a row's name belongs to.
    """
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=pieces, help="renew these pieces' rows only")
    parser.add_argument("--reuse", action="store_true", help="judge what is in the folder")
    parser.add_argument("--folder", type=Path, help="work here and leave everything there")
    arguments = parser.parse_args()
    start_logging()
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        copy = folder / "popsed"
        if not copy.exists():
            fresh_copy(folder)
        found = {piece: pieces[piece](copy, arguments.reuse) for piece in arguments.only or pieces}
    bars = renewed(stem, list(pieces), found, piece_of)
    write(bars, stem)
    log.info("\n%s", table(bars))
    return 1 if any(bar.is_passed is False for bar in bars) else 0
