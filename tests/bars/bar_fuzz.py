"""Damage thousands of files and configurations: is each read, or refused by an InputError?

    python -m tests.bars.bar_fuzz [--examples 2000] [--seed 1]      # about ten minutes

Each reader has a process of its own, so that a file that it never comes to an end with is seen:
the process is ended after DEADLINE, and the file counts as a failure.  Writes
results/bars/fuzz.{json,md}; exit 1 if anything else than a value or an InputError came out.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bars.tools import OUT, ROOT

sys.path.insert(0, str(ROOT / "tests"))

from tests.fuzz.readers import DEADLINE, READERS, damage, junk, outcome, read_tree, whole_tree

STEM = OUT / "fuzz"
TREES = "configuration"
N_PER_TREE = 2  # trees are cheap


def damaged_files(name: str, folder: Path) -> Callable[[int], str]:
    """Return a function that tries one seed on a reader."""
    reader = READERS[name]
    good, bad = folder / name, folder / "bad" / name
    reader.make(good)
    bad.parent.mkdir()
    whole = good.read_bytes()

    def attempt(seed: int) -> str:
        bad.write_bytes(damage(whole, random.Random(seed)))
        found = outcome(lambda: reader.read(bad))
        left = [path.name for path in bad.parent.iterdir()]
        return found if left == [name] else f"has written {left}"

    return attempt


def wrong_trees() -> Callable[[int], str]:
    """Return a function that tries one seed on the configuration."""
    tree = whole_tree()
    return lambda seed: outcome(lambda: read_tree(junk(tree, random.Random(seed))))


def try_seeds(name: str, seeds: range, sink: Any) -> None:
    """Send the outcome of each seed."""
    with tempfile.TemporaryDirectory() as folder:
        attempt = wrong_trees() if name == TREES else damaged_files(name, Path(folder))
        for seed in seeds:
            sink.send((seed, None))
            try:
                found = attempt(seed)
            except Exception as error:  # noqa: BLE001  that is what is looked for
                found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            sink.send((seed, found))
    sink.close()


def try_reader(name: str, seeds: range) -> tuple[Counter[str], dict[int, str], float]:
    """Return how often a reader accepted and told, what else came out by seed, and seconds."""
    counts: Counter[str] = Counter()
    failures: dict[int, str] = {}
    begin = time.monotonic()
    while seeds:
        source, sink = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("spawn").Process(
            target=try_seeds, args=(name, seeds, sink), daemon=True
        )
        child.start()
        sink.close()
        seed, found = seeds[0], None
        try:
            while source.poll(60 + DEADLINE if found is None else DEADLINE):
                seed, found = source.recv()
                if found in ("accepted", "told"):
                    counts[found] += 1
                elif found is not None:
                    failures[seed] = found
            failures[seed] = f"longer than {DEADLINE} s"
            child.kill()
        except EOFError:
            child.join()
            if child.exitcode:
                failures[seed] = f"the process has ended: {child.exitcode}"
        seeds = range(seed + 1, seeds.stop)
    return counts, failures, time.monotonic() - begin


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--examples", type=int, default=2000, help="per reader [2000]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=[*READERS, TREES])
    arguments = parser.parse_args()
    rows = []
    for name in arguments.only or [*READERS, TREES]:
        number = arguments.examples * (N_PER_TREE if name == TREES else 1)
        first = arguments.seed * 10_000_000
        counts, failures, seconds = try_reader(name, range(first, first + number))
        rows.append(
            {"reader": name, "cases": number, "told": counts["told"],
             "accepted": counts["accepted"], "failures": failures, "seconds": round(seconds, 1)}
        )  # fmt: skip
        sys.stderr.write(f"{rows[-1]}\n")
    lines = ["| what is read | cases | told | accepted | anything else | seconds |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        cells = (row["reader"], row["cases"], row["told"], row["accepted"], len(row["failures"]))
        lines.append(f"| {' | '.join(map(str, cells))} | {row['seconds']:.0f} |")
    n_failures = sum(len(row["failures"]) for row in rows)
    if arguments.only is None:
        STEM.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        STEM.with_suffix(".md").write_text("\n".join(lines) + "\n")
    sys.stderr.write("\n".join(lines) + "\n")
    return 1 if n_failures else 0


if __name__ == "__main__":
    sys.exit(main())
