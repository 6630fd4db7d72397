"""What the bars share: a bar, what a command costs, a clean copy, the table of results."""

import json
import logging
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "bars"
POLL_SECONDS = 0.5
BAD = ("failure", "error", "skipped")
log = logging.getLogger("bars")
log.setLevel(logging.INFO)


class Bar(NamedTuple):
    """One bar: what, the threshold in words, the measured number, whether it passes."""

    name: str
    threshold: str
    measured: float | str
    is_passed: bool


def at_most(name: str, measured: float, limit: float, unit: str = "") -> Bar:
    return Bar(name, f"<= {limit:g} {unit}".strip(), measured, measured <= limit)


def at_least(name: str, measured: float, limit: float, unit: str = "") -> Bar:
    return Bar(name, f">= {limit:g} {unit}".strip(), measured, measured >= limit)


class Run(NamedTuple):
    """What a command cost."""

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
    """Copy what git tracks, or would, into an empty folder that shares this environment."""
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


def reported(name: str, value: Any) -> Bar:
    return Bar(name, "reported", value, True)


def test_bar(name: str, paths: Sequence[str], report: str) -> Bar:
    """Say how many tests of some files pass, by pytest's XML report; a skipped one does not."""
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
    lines = ["| bar | threshold | measured | pass |", "| --- | --- | --- | --- |"]
    for bar in bars:
        verdict = "yes" if bar.is_passed else "**no**"
        name = bar.name.replace("|", r"\|")
        lines.append(f"| {name} | {bar.threshold} | {bar.measured} | {verdict} |")
    return "\n".join(lines) + "\n"


def write(bars: list[Bar], stem: Path) -> None:
    """Write the bars for programs and for people."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    rows = [bar._asdict() for bar in bars]
    stem.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    stem.with_suffix(".md").write_text(table(bars))
