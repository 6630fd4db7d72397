"""Measured costs of the jobs of a run, and what they request of a cluster.

    python -m tests.bars.job_costs FOLDER     # a checkout in which TARGETS have been made

Writes results/bars/job_costs.{json,md}; ``tests/workflow/test_resources.py`` holds the rules to it.
"""

import csv
import json
import re
import sys
from pathlib import Path

from tests.bars.tools import OUT, ROOT
from tests.workflow import plans

STEM = OUT / "job_costs"
TARGETS = ("demo", "results/table2_mock/noise.h5", "results/emulator/accuracy.json", "training_set")
RULES = {"validate": "validate_emulator"}  # benchmark: rule, where the names differ
MB = 1.048576  # Snakemake's benchmarks count in MiB


def measured(folder: Path) -> dict[str, dict[str, float]]:
    """Return number of jobs, longest time [min] and largest memory [MB] of each rule."""
    found: dict[str, dict[str, float]] = {}
    for path in sorted((folder / "benchmarks").rglob("*.tsv")):
        stem = re.sub(r"_\d+$", "", path.stem)
        with path.open() as stream:
            (row,) = csv.DictReader(stream, delimiter="\t")
        mine = found.setdefault(
            RULES.get(stem, stem), {"jobs": 0, "minutes": 0.0, "memory_mb": 0.0}
        )
        mine["jobs"] += 1
        mine["minutes"] = max(mine["minutes"], round(float(row["s"]) / 60, 2))
        mine["memory_mb"] = max(mine["memory_mb"], round(float(row["max_rss"]) * MB))
    return found


def table(costs: dict[str, dict[str, float]], asked: dict[str, dict[str, float]]) -> str:
    """Return the costs and the requests as a Markdown table."""
    lines = [
        "| rule | jobs | took at most [min] | and [MB] | asks for [min] | and [MB] |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for rule, cost in sorted(costs.items(), key=lambda item: -item[1]["minutes"]):
        mine = asked[rule]
        lines.append(
            f"| `{rule}` | {cost['jobs']:.0f} | {cost['minutes']:.1f} | {cost['memory_mb']:.0f} | "
            f"{mine['runtime']} | {mine['mem_mb']} |"
        )
    return "\n".join(lines) + "\n"


def collect(folder: Path) -> None:
    """Write the costs of a run."""
    costs = measured(folder)
    STEM.with_suffix(".json").write_text(json.dumps(costs, indent=1, sort_keys=True) + "\n")
    STEM.with_suffix(".md").write_text(table(costs, plans.requests(ROOT, TARGETS)))


if __name__ == "__main__":
    collect(Path(sys.argv[1]).resolve())
