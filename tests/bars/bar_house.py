"""Measure the bars of the house; print bar, threshold, measured, pass.

    make bar-house                              # two minutes on two cores
    make bar-house BARS="--against COMMIT"      # the smoke run's samples, beside another commit's
    make bar-house BARS="--against FILE.json"   # or beside those that an earlier run wrote down

Layout and size of the package, what rewording reruns, imports, commands, samples, tests.  Works in
a clean copy of the checkout.  The times of ``make test`` and ``.ci/run`` are those that
``bar-demo`` and ``bar-cluster`` have recorded; the coverage is that of ``make coverage``, where it
has left its file.  Writes results/bars/bar_house.{json,md}; exit 1 if a bar falls short.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import h5py

from envs import make_lock
from popsed_core.provenance import code_version
from popsed_core.running.logs import start_logging
from tests import coverage_table
from tests import test_architecture as architecture
from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    at_most,
    fresh_copy,
    log,
    reported,
    run,
    snakemake,
    table,
    write,
)
from tests.provenance import test_code_version as rewording

STEM = OUT / "bar_house"
START = 19_024  # lines of the package at ed0f706
LONG = 60  # lines from which a module needs a test file of its own name
SAMPLES = "results/table2_mock/samples.h5"
SHA256 = "smoke run: sha256 of the samples"
N_IMPORTS = 5  # of which the fastest counts: what else runs only adds to it
RECORDED = {  # file and row of a time, its limit [min]
    "make test: time": ("bar_demo", "make test: time", 8),
    ".ci/run: time": ("bar_cluster", "ci: from a clone to the last test", 20),
}


def lines_of() -> dict[str, int]:
    """Return the lines of each module of the package."""
    folder = ROOT / architecture.PACKAGE
    return {name: (folder / name).read_text().count("\n") for name in architecture.NAMES}


def layout_bars() -> list[Bar]:
    """Judge files, folders and the imports between them."""
    lines = lines_of()
    folders: Counter[str] = Counter()
    for name, number in lines.items():
        folders[str(Path(name).parent)] += number
    largest, number = folders.most_common(1)[0]
    total = sum(lines.values())
    config = {name: number for name, number in lines.items() if name.startswith("config/")}
    return [
        at_most("layout: files in the root", sum("/" not in name for name in lines), 8),
        at_most(f"layout: largest folder ({largest})", round(100 * number / total, 1), 13, "%"),
        at_most("layout: imports upwards", len(architecture.upward_imports()), 0),
        at_most("layout: modules in a circle", len(architecture.circle()), 0),
        at_most("layout: longest module of config [lines]", max(config.values()), 300),
        at_most("size: lines of the package", total, START - 1),
        at_most("size: locked packages that it runs on", len(runtime_packages()), 50),
    ]


def runtime_packages() -> dict[str, str]:
    """Return what the package needs without its extras, as installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return make_lock.needed(project["dependencies"])


def rerun_bars(copy: Path) -> list[Bar]:
    """Count the verbs whose code changes where something that is only said is reworded."""
    with patch.object(code_version, "ROOT", copy):
        bars = [at_most(f"reword {what}: verbs that run again", n_changed(copy, what), 0)
                for what in rewording.REWORDED]  # fmt: skip
    rewording.forget()
    return bars


def n_changed(copy: Path, what: str) -> int:
    """Return how many verbs have another code hash after a change of words."""
    name, old, new = rewording.REWORDED[what]
    path = copy / architecture.PACKAGE / name
    text, before = path.read_text(), rewording.versions()
    rewording.edit(path, old, new)
    found = len(rewording.changed(before))
    path.write_text(text)
    return found


def command_bar(copy: Path) -> Bar:
    """Measure the longest command that trains a member of the demo, without its redirection."""
    plan = run(["snakemake", "-n", "-p", "--cores", "1", "demo"], copy).output
    commands = re.findall(r"popsed fit member .*?(?= (?:2?>|\|)|$)", plan, re.MULTILINE)
    if not commands:
        raise RuntimeError(f"the dry run of the demo trains nothing:\n{plan[-3000:]}")
    longest = max(map(len, commands))
    return at_most("command: longest `popsed fit member` [characters]", longest, 300)


def import_bar(copy: Path, what: str, limit: float) -> Bar:
    """Measure how long a new process takes until something of the package is there."""
    code = f"import time; t = time.perf_counter(); import popsed_core; {what}; "
    command = [sys.executable, "-c", code + "print(time.perf_counter() - t)"]
    times = []
    for _ in range(N_IMPORTS):
        done = subprocess.run(
            command, cwd=copy, env={"PYTHONPATH": str(copy)}, capture_output=True, text=True
        )
        if done.returncode:
            log.warning("%s: %s", what, done.stderr.strip().splitlines()[-1])
            return Bar(f"import: {what}", f"<= {limit:g} s", None, None)
        times.append(float(done.stdout))
    return at_most(f"import: {what}", round(min(times), 3), limit, "s")


def samples_digest(copy: Path) -> str:
    """Run the smoke workflow in a copy and return the sha256 of all arrays of its samples."""
    snakemake(copy, "--configfile", "config/smoke.yaml", "--", SAMPLES)
    digest = hashlib.sha256()
    with h5py.File(copy / SAMPLES) as file:
        for name in sorted(file):
            values = file[name][()]
            digest.update(f"{name} {values.dtype} {values.shape}".encode() + values.tobytes())
    return digest.hexdigest()


def earlier_digest(against: str, folder: Path) -> str:
    """Return the sha256 of the samples of another commit, or of an earlier run's results."""
    if Path(against).is_file():
        return next(row["measured"] for row in json.loads(Path(against).read_text())
                    if row["name"] == SHA256)  # fmt: skip
    copy = folder / "against"
    copy.mkdir()
    archive = subprocess.run(["git", "archive", against], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", copy], input=archive.stdout, check=True)
    return samples_digest(copy)


def sample_bars(copy: Path, against: str | None) -> list[Bar]:
    """Give the sha256 of the smoke run's samples, and compare it with an earlier one."""
    found = samples_digest(copy)
    if against is None:
        return [reported(SHA256, found)]
    earlier = earlier_digest(against, copy.parent)
    return [Bar(SHA256, f"{earlier}, as at {Path(against).name}", found, found == earlier)]


def recorded_bars() -> list[Bar]:
    """Judge the times that other bars have measured."""
    bars = []
    for name, (file, row_name, limit) in RECORDED.items():
        rows = {row["name"]: row for row in json.loads((OUT / f"{file}.json").read_text())}
        row = rows[row_name]
        bar = at_most(name, row["measured"], limit, "min")
        bars.append(bar._replace(machine=row.get("machine", "")))
    return bars


def test_bars() -> list[Bar]:
    """Judge which modules have a test file of their own name, and what the tests cover."""
    own = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    modules = {name: n for name, n in lines_of().items() if not name.endswith("__init__.py")}
    alone = {name: n for name, n in modules.items() if f"test_{Path(name).name}" not in own}
    share = round(100 * (1 - len(alone) / len(modules)), 1)
    n_long = sum(number > LONG for number in alone.values())
    bars = [
        reported("tests: modules with a test file of their name [%]", share),
        at_most(f"tests: modules over {LONG} lines without one", n_long, 0),
    ]
    path = ROOT / "coverage.json"
    if not path.exists():
        return [*bars, Bar("tests: lines covered [%]", "reported", None, None)]
    covered = coverage_table.read(path)
    n_below = sum(each.percent < coverage_table.LEAST for each in covered)
    return [
        *bars,
        reported("tests: lines covered [%]", round(coverage_table.total(covered), 1)),
        at_most(f"tests: modules covered below {coverage_table.LEAST:.0f} %", n_below, 0),
    ]


def measure(folder: Path, against: str | None) -> list[Bar]:
    """Measure everything in a fresh copy."""
    copy = fresh_copy(folder)
    return [
        *layout_bars(),
        command_bar(copy),
        *rerun_bars(copy),
        import_bar(copy, "popsed_core", 0.3),
        import_bar(copy, "popsed_core.fit", 2.5),
        *sample_bars(copy, against),
        *recorded_bars(),
        *test_bars(),
    ]


def main() -> int:
    """Measure, print, write; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", help="a commit, or a bar_house.json, to have the same samples")
    arguments = parser.parse_args()
    start_logging()
    with tempfile.TemporaryDirectory() as name:
        bars = measure(Path(name), arguments.against)
    write(bars, STEM)
    log.info("\n%s", table(bars))
    return 1 if any(bar.is_passed is False for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
