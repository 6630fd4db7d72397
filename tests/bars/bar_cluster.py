"""Measure the bars of clusters, reruns and faults; print bar, threshold, measured, pass.

    make bar-cluster                            # about an hour on two cores
    make bar-cluster BARS="--only faults"       # renew the rows of some pieces

Writes results/bars/bar_cluster.{json,md}; exit 1 if a bar falls short.

    slurm       the workflow on a real Slurm (needs root and Slurm; says so otherwise)
    costs       what jobs ask for beside what was measured
    reruns      every key, every module, every kind of change: exactly what runs again
    faults      disks, damage, two writers, two runs, clocks
    kills       at least twenty kills at random moments, every byte compared
    security    nothing that is in a file is run; names are no commands; the lock is audited
    provenance  every file's record, the tree, a crate that validates
    fuzz        thousands of damaged files and configurations for each reader
    catalogue   the published rules of the Snakemake workflow catalogue
    ci          .ci/run on a clean clone
"""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    Piece,
    at_least,
    at_most,
    main,
    run,
    run_tests,
)

STEM = OUT / "bar_cluster"
CI_MINUTES = 20
CATALOGUE = {  # a file that the catalogue's standardized usage asks for: what has to be in it
    ".snakemake-workflow-catalog.yml": "usage:",
    "workflow/Snakefile": "min_version",
    "config/README.md": "# Configuration",
    "README.md": "Snakemake",
    "LICENSE": "MIT",
}


def slurm_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests on a real Slurm."""
    return run_tests({"slurm: DAG, memory, time, failure, GPUs, Ctrl-C, SIGKILL, accounts": (
        "tests/workflow/test_slurm.py",)})  # fmt: skip


def costs_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare the rules' requests with the measured costs."""
    tests = {"costs: jobs ask for what was measured, more when tried again": (
        "tests/workflow/test_resources.py",), "costs: one GPU for each job that trains": (
        "tests/running/test_gpus.py",)}  # fmt: skip
    return run_tests(tests)


def reruns_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Change everything that can be changed."""
    return run_tests(
        {
            "reruns: every key and module": ("tests/workflow/test_reruns.py",),
            "reruns: touches, comments, branches, logs, moves": (
                "tests/workflow/test_incremental.py",
            ),
            "reruns: one more chunk is one more job": ("tests/workflow/test_training_chunks.py",),
        }
    )


def faults_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests of faults."""
    return run_tests(
        {
            "faults: disks full and read-only": ("tests/faults/test_disks.py",),
            "faults: flipped bits, cut files": ("tests/faults/test_damage.py",),
            "faults: checkpoints, clocks": ("tests/running/test_loop.py",),
            "faults: one writer, two runs": (
                "tests/files/test_lock.py", "tests/workflow/test_runs.py",
            ),
        }
    )  # fmt: skip


def kills_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Kill at random moments."""
    if not is_reused:
        run([sys.executable, "-m", "tests.bars.bar_kills"], ROOT)
    found = json.loads((OUT / "kills.json").read_text())
    kills = found["kills"]
    stages = {kill["stage"] for kill in kills}
    same = sum(kill["is_same"] for kill in kills)
    return [
        at_least("kills: at random moments", len(kills), 20),
        at_least("kills: stages", len(stages), 7),
        at_least("kills: reruns with the same bytes", same, len(kills)),
        at_most(f"kills: of {found['files']} files in the end, others", len(found["other"]), 0),
    ]


def security_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests of security, and the audit."""
    bars = run_tests(
        {
            "security: files, archives, addresses": ("tests/test_security.py",),
            "security: names are no commands": ("tests/workflow/test_quoting.py",),
            "security: the audit finds what it looks for": ("tests/test_audit.py",),
        }
    )
    done = run([sys.executable, "envs/audit.py"], ROOT)
    line = next(text for text in done.output.splitlines() if "vulnerabilities" in text)
    is_checked = "NOT CHECKED" not in line
    verdict = done.code == 0 if is_checked or done.code else None
    return [*bars, Bar("security: audit of the lock", "no problem", line.strip(), verdict)]


def provenance_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests of records, tree and crate."""
    return run_tests(
        {
            "provenance: records and tree": (
                "tests/provenance/test_sidecars.py", "tests/provenance/test_tree.py",
                "tests/provenance/test_verbs.py", "tests/workflow/test_records.py",
            ),
            "provenance: a crate that validates": ("tests/provenance/test_crate.py",),
        }
    )  # fmt: skip


def fuzz_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Read thousands of damaged files."""
    if not is_reused:
        run([sys.executable, "-m", "tests.bars.bar_fuzz"], ROOT)
    rows = json.loads((OUT / "fuzz.json").read_text())
    n_cases = sum(row["cases"] for row in rows)
    n_bad = sum(len(row["failures"]) for row in rows)
    return [
        at_least("fuzz: damaged files and configurations", n_cases, 2000),
        at_least("fuzz: readers", len(rows), 15),
        at_most("fuzz: tracebacks, hangs, half-written files", n_bad, 0),
    ]


def catalogue_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Check the catalogue's rules, and Snakemake's own."""
    missing = [
        name for name, text in CATALOGUE.items()
        if not (copy / name).is_file() or text not in (copy / name).read_text()
    ]  # fmt: skip
    usage = yaml.safe_load((copy / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    keys = {"mandatory-flags", "software-stack-deployment", "report"}
    missing += sorted(keys - set(usage))
    for name in ("Snakefile", "workflow/Snakefile"):
        done = run(["snakemake", "--lint", "--snakefile", name], copy)
        if "good condition" not in done.output:
            missing.append(f"--lint {name}")
    plan = run(["snakemake", "-n", "-F", "--snakefile", "workflow/Snakefile"], copy)
    missing += [] if re.search(r"^fit_member +\d", plan.output, re.M) else ["a plan"]
    return [Bar("catalogue: what it asks for and is missing", "nothing",
                ", ".join(missing) or "nothing", not missing)]  # fmt: skip


def ci_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run CI on a clean clone, environment included."""
    clone = copy.parent / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    start = time.monotonic()
    done = run([".ci/run"], clone)
    minutes = round((time.monotonic() - start) / 60, 1)
    lines = done.output.strip().splitlines()
    last = next((line for line in reversed(lines) if " passed" in line), lines[-1])
    return [
        Bar("ci: all tests", "pass", last, done.code == 0),
        at_most("ci: from a clone to the last test", minutes, CI_MINUTES, "min"),
    ]


PIECES: dict[str, Piece] = {
    "slurm": slurm_bars,
    "costs": costs_bars,
    "reruns": reruns_bars,
    "faults": faults_bars,
    "kills": kills_bars,
    "security": security_bars,
    "provenance": provenance_bars,
    "fuzz": fuzz_bars,
    "catalogue": catalogue_bars,
    "ci": ci_bars,
}

if __name__ == "__main__":
    sys.exit(main(__doc__, PIECES, STEM, lambda name: name.split(":")[0]))
