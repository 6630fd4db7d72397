"""Print the modules that the tests cover badly, from coverage.py's JSON (``make coverage``).

python -m tests.coverage_table coverage.json
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

LEAST = 80.0  # [%] of the lines of a module


class Covered(NamedTuple):
    """How much of a module the tests run: lines, of how many, and their share [%]."""

    module: str
    lines: int
    of: int
    percent: float


def read(path: Path) -> list[Covered]:
    """Return what is covered of each module that has any line to run, worst first."""
    files = json.loads(path.read_text())["files"]
    found = []
    for name, file in files.items():
        summary = file["summary"]
        if summary["num_statements"]:
            counts = (summary["covered_lines"], summary["num_statements"])
            found.append(Covered(name, *counts, 100 * counts[0] / counts[1]))
    return sorted(found, key=lambda each: each.percent)


def total(modules: list[Covered]) -> float:
    """Return the share of all lines that are covered [%]."""
    return 100 * sum(each.lines for each in modules) / sum(each.of for each in modules)


def table(modules: list[Covered]) -> str:
    """Return the modules below the least share, and the whole, as a Markdown table."""
    lines = ["| module | covered [%] | lines | not run |", "| --- | --- | --- | --- |"]
    for each in modules:
        if each.percent < LEAST:
            row = f"| `{each.module}` | {each.percent:.0f} | {each.of} | {each.of - each.lines} |"
            lines.append(row)
    n_below = len(lines) - 2
    lines.append(f"\n{total(modules):.1f} % of the lines are covered; ")
    lines[-1] += f"{n_below} of {len(modules)} modules are below {LEAST:.0f} %."
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table(read(Path(sys.argv[1]))) + "\n")
