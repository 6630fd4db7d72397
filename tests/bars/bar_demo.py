"""Measure every bar of the demo; print bar, threshold, measured, pass.

    make bar-demo                 # about an hour on two cores
    make bar-demo BARS="--reuse"  # judge the runs that are already in results/
    make bar-demo BARS="--only mocks"  # run the demo, mocks or tests afresh and renew their rows
    make bar-demo BARS="--only orders"  # the demo, then the tests, and the other way round

Copies the checkout into an empty folder and runs there what a newcomer runs: `make demo`, then
`make test`, `make test-all`, then `make mock`; in a second copy all tests come before the demo.
Writes results/bars/bar_demo.{json,md}, two figures of the demo beside them, and the README's
numbers; exit 1 if a bar falls short.
A bin is in the band if the truth lies between the least and the greatest member, give or take one
Poisson error; bins with fewer than ten true galaxies do not count (products/diagnostics.coverage).
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from popsed_core.parameters import NAMES
from popsed_core.running.logs import start_logging
from tests.bars import photometry, readme
from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    Run,
    at_least,
    at_most,
    fresh_copy,
    log,
    renewed,
    reported,
    run,
    table,
    test_bar,
    write,
)

FIGURES = ("redshift_distribution.png", "population.png")  # of the demo, shown in the README


def demo_bars(copy: Path) -> list[Bar]:
    """Run the demo as a newcomer does, twice."""
    first = run(["make", "demo"], copy)
    second = run(["make", "demo"], copy)
    is_idle = "nothing to be done" in second.output.lower()
    return [
        Bar("demo: exit status", "0", str(first.code), first.code == 0),
        at_most("demo: clone to report", round(first.seconds / 60, 2), 5, "min"),
        at_most("demo: peak memory", round(first.peak_mb), 4096, "MB"),
        at_most("demo: longest silence", round(first.longest_silence, 1), 15, "s"),
        Bar("demo again: nothing to be done", "yes", "yes" if is_idle else "no", is_idle),
    ]


def summary(results: Path, survey: str) -> Mapping[str, Any]:
    return json.loads((results / survey / "summary.json").read_text())


def beside(name: str, found: Mapping[str, Any], key: str) -> Bar:
    """Report a number of the fit together with that of its prior."""
    return reported(name, found[key], found["prior"][key])


def distance_bars(title: str, found: Mapping[str, Any]) -> list[Bar]:
    """Report how far the photometry is from the observed."""
    photometric = found["photometric_distance"]
    return [
        reported(
            f"{title}: sliced W1 of the central 95 %", photometric["ensemble"], photometric["prior"]
        ),
        reported(f"{title}: floor of halves", photometric["floor"]),
    ]


def redshift_bars(results: Path) -> list[Bar]:
    """Evaluate the summary of the demo."""
    demo = summary(results, "sdss_demo")
    row = demo["comparison"]["redshift"]
    prior, true = row["prior"], row["share_near_reference"]
    mean, prior_mean = (abs(item["mean_offset_1pz"]) for item in (row, prior))
    near, prior_near = (round(abs(item["share_near"] - true), 5) for item in (row, prior))
    return [
        at_most("demo n(z): W1 to spectroscopy", row["w1"], 0.006, prior=prior["w1"], factor=0.5),
        at_most("demo n(z): KS", row["ks"], 0.07, prior=prior["ks"]),
        at_most("demo n(z): |mean offset|", mean, 0.004, "(1 + z)", prior=prior_mean),
        at_most("demo n(z): share at z < 0.02, off by", near, 0.01, prior=prior_near),
        beside("demo n(z): mean offset", row, "mean_offset"),
        beside("demo n(z): median offset", row, "median_offset"),
        beside("demo n(z): width ratio", row, "width_ratio"),
        beside("demo n(z): share beyond 99 %", row, "share_beyond"),
        *distance_bars("demo photometry", demo),
    ]


MOCKS = {  # limits: W1 of n(z), mean log mass and log SFR [dex]
    "table2_mock": {"redshift": 0.01, "log_stellar_mass": 0.05},
    "realistic_mock": {"redshift": 0.008, "log_stellar_mass": 0.05, "log_sfr": 0.15},
}
PIECES = ("demo", "mocks", "photometry", "tests", "orders")
ORDERS = ("demo, then", "tests, then", "tests skipped")  # what their rows begin with
WORDS = {"log_stellar_mass": "log mass", "log_sfr": "log SFR"}


def mock_bars(results: Path) -> list[Bar]:
    """Evaluate the summaries of both mocks."""
    bars = []
    for survey, limits in MOCKS.items():
        found = summary(results, survey)
        rows = found["comparison"]
        for name, limit in limits.items():
            bars.append(mean_bar(survey, name, rows[name], limit))
        for name in ("redshift", "log_stellar_mass"):
            share, prior = rows[name]["coverage_full"], rows[name]["prior_coverage"]
            bars.append(at_least(f"{survey}: {name} bins in band", share, 0.6, prior=prior))
        for name in NAMES:
            is_prior = found["quantities"][name]["is_prior_dominated"]
            note = " (prior-dominated)" if is_prior else ""
            bars.append(beside(f"{survey}: W1/std of {name}{note}", rows[name], "w1_over_std"))
        bars += distance_bars(f"{survey} photometry", found)
    return bars


def mean_bar(survey: str, name: str, row: Mapping[str, Any], limit: float) -> Bar:
    """Evaluate W1 of n(z), or the mean of another quantity."""
    if name == "redshift":
        return at_most(f"{survey}: W1 of n(z)", row["w1"], limit, prior=row["prior"]["w1"])
    offset, prior = (abs(item["mean_offset"]) for item in (row, row["prior"]))
    return at_most(f"{survey}: |mean {WORDS[name]} offset|", offset, limit, "dex", prior=prior)


def photometry_bars(results: Path) -> list[Bar]:
    """Measure throughput and error of the forward model."""
    found = photometry.measure(ROOT, results)
    return [
        at_least("photometry: forward / emulator", round(found["forward_ratio"], 1), 15, "x"),
        at_least("photometry: with backward", round(found["backward_ratio"], 1), 10, "x"),
        at_most("photometry: rms error, mock", round(found["rms_mock_mmag"], 3), 0.5, "mmag"),
        at_most("photometry: rms error, prior", round(found["rms_prior_mmag"], 3), 1, "mmag"),
    ]


TEST_BARS = {  # bar: the tests that show it
    "same seed twice: same bytes": "tests/workflow/test_smoke.py",
    "kill -9 in a fit, rerun: same bytes": "tests/inference/test_fit.py",
    "changes rerun exactly what depends on them": "tests/workflow/test_incremental.py",
    "bad inputs: one clear line, nothing left": "tests/test_bad_inputs.py",
}


TIERS = {"test": 8, "test-all": 17}  # target: longest time [min]; .ci/run has three minutes more


def run_tests(copy: Path, target: str = "test-all") -> Run:
    """Run the tests of a target, which say at their end what they skip and why."""
    return run(["make", target, f"PYTEST_FLAGS=-rs --junit-xml={target}.xml"], copy)


def test_bars(copy: Path, done: Run) -> list[Bar]:
    """Time the tests of every day; read from the report of all tests what these show.

    Args:
        copy: where all tests have run.
        done: that run.
    """
    runs = {"test": run_tests(copy, "test"), "test-all": done}
    bars = []
    for target, found in runs.items():
        is_passed = found.code == 0
        bars += [
            Bar(f"make {target}: exit status", "0", str(found.code), is_passed),
            at_most(f"make {target}: time", round(found.seconds / 60, 2), TIERS[target], "min"),
            reported(f"make {target}: tests", count(found.output)),
        ]
    report = copy / "test-all.xml"
    text = report.read_text() if report.exists() else ""
    return bars + [test_bar(name, [path], text) for name, path in TEST_BARS.items()]


def count(output: str) -> str:
    """Return pytest's own last line, without its time."""
    found = re.findall(r"^=* ?(\d+ (?:passed|failed).*?) in [\d.]+s", output, re.MULTILINE)
    return found[-1] if found else "no summary"


def skips(output: str) -> str:
    """Return how many tests pytest skipped for each reason, by what -rs has it print."""
    found: Counter[str] = Counter()
    for number, reason in re.findall(r"^SKIPPED \[(\d+)\] \S+?: (.*)$", output, re.MULTILINE):
        found[reason] += int(number)
    return "; ".join(f"{number} x {reason}" for reason, number in sorted(found.items())) or "none"


def order_bars(demo_first: Run, folder: Path) -> list[Bar]:
    """Compare the tests after a demo with those before it, in another copy."""
    copy = fresh_copy(folder)
    tests_first = run_tests(copy)
    demo = run(["make", "demo"], copy)
    skipped = [skips(done.output) for done in (demo_first, tests_first)]
    codes = f"{tests_first.code}, {demo.code}"
    return [
        Bar("demo, then tests: exit status", "0", str(demo_first.code), demo_first.code == 0),
        Bar("tests, then demo: exit status", "0, 0", codes, codes == "0, 0"),
        Bar("tests skipped after the demo", "as before it", skipped[0], skipped[0] == skipped[1]),
        reported("tests skipped before the demo", skipped[1]),
    ]


def make_mocks(copy: Path) -> None:
    """Run `make mock`.

    Raises:
        RuntimeError: it fails, so that there is nothing to judge.
    """
    mocks = run(["make", "mock"], copy)
    if mocks.code != 0:
        raise RuntimeError(f"make mock failed:\n{mocks.output[-3000:]}")


def judge_all(results: Path) -> list[Bar]:
    """Judge the runs in a folder of results."""
    return redshift_bars(results) + mock_bars(results) + photometry_bars(results)


def measure_all(folder: Path) -> list[Bar]:
    """Run everything in a fresh copy."""
    copy = fresh_copy(folder)
    bars = demo_bars(copy)
    keep_figures(copy)
    tests = run_tests(copy)
    make_mocks(copy)
    bars += judge_all(copy / "results") + test_bars(copy, tests)
    return bars + order_bars(tests, folder / "second")


def keep_figures(copy: Path) -> None:
    """Keep the figures that the README shows."""
    for name in FIGURES:
        shutil.copy(copy / "results" / "sdss_demo" / "figures" / name, OUT / name)


def renew(what: str, folder: Path) -> list[Bar]:
    """Measure one part in a fresh copy; its rows replace the old ones."""
    copy = fresh_copy(folder)
    if what == "demo":
        fresh = {what: demo_bars(copy) + redshift_bars(copy / "results")}
        keep_figures(copy)
    elif what == "mocks":
        make_mocks(copy)
        fresh = {what: mock_bars(copy / "results")}
    elif what == "orders":
        run(["make", "demo"], copy)
        tests = run_tests(copy)
        fresh = {"tests": test_bars(copy, tests), what: order_bars(tests, folder / "second")}
    else:
        fresh = {what: test_bars(copy, run_tests(copy))}
    return renewed(OUT / "bar_demo", PIECES, fresh, piece_of)


def piece_of(name: str) -> str:
    """Return the part of the measurement that a row belongs to."""
    if name.startswith(ORDERS):
        return "orders"
    if name.startswith("demo"):
        return "demo"
    if name.startswith(tuple(MOCKS)):
        return "mocks"
    return "photometry" if name.startswith("photometry:") else "tests"


def main() -> int:
    """Measure, print, write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reuse", action="store_true", help="judge results/ as it stands")
    parser.add_argument(
        "--only", choices=("demo", "mocks", "tests", "orders"), help="renew these rows"
    )
    arguments = parser.parse_args()
    start_logging()
    if arguments.reuse:
        bars = judge_all(ROOT / "results")
    else:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            bars = renew(arguments.only, folder) if arguments.only else measure_all(folder)
        write(bars, OUT / "bar_demo")
        readme.main()
    log.info("\n%s", table(bars))
    return 0 if all(bar.is_passed for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
