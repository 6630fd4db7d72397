"""The numbers of the README and of documents in docs/, from the committed results and tables.

    python -m tests.bars.readme       # after make bar-demo or make study

The text between ``<!-- NAME -->`` and ``<!-- end -->`` is replaced; a test compares.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from popsed_core.parameters import NAMES
from tests.studies.run_minimum import at_minimum, halves
from tests.workflow import rerun_table

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "docs" / "results.md"
EMULATOR_PAGE = ROOT / "docs" / "emulator.md"
DEVIATIONS = ROOT / "docs" / "deviations.md"
SPEED = ROOT / "docs" / "speed.md"
CLUSTER = ROOT / "docs" / "cluster.md"
RERUNS = ROOT / "docs" / "reruns.md"
STUDIES = ROOT / "results" / "studies"
STUDIED = {  # key of a study: what it is, its format
    "redshift_w1": ("W1 of n(z)", ".4f"),
    "redshift_mean": ("mean z / (1 + z)", "+.4f"),
    "mass_mean": ("mean log M [dex]", "+.3f"),
    "sfr_mean": ("mean log SFR [dex]", "+.3f"),
    "photometric": ("photometry", ".3f"),
    "cpu_s": ("CPU s", ".0f"),
    "steps": ("steps", ".0f"),
}
DEMO = ROOT / "results" / "bars" / "bar_demo.json"
EMULATOR = ROOT / "results" / "bars" / "emulator_accuracy.json"
MOCKS = ("table2_mock", "realistic_mock")
Block = Callable[[Mapping[str, Mapping[str, object]]], str]
IS_PRIOR = " (prior-dominated)"


def read_bars(path: Path = DEMO) -> dict[str, Mapping[str, object]]:
    """Return the rows of a results file of bars by name."""
    return {row["name"]: row for row in json.loads(path.read_text())}


def with_prior(row: Mapping[str, object], form: str) -> str:
    """Return a measured number, and that of the prior if there is one."""
    measured = f"{float(row['measured']):{form}}"
    prior = row.get("prior")
    return measured if prior is None else f"{measured} (prior {float(prior):{form}})"


def cost(bars: Mapping[str, Mapping[str, object]]) -> str:
    """Return the cost of the two commands, and the machine."""
    names = ("demo: clone to report", "demo: peak memory", "make test: time")
    demo, memory, tests = (float(bars[name]["measured"]) for name in names)
    machine = bars["demo: clone to report"].get("machine")
    cores = f"two CPU cores ({machine})" if machine else "two CPU cores"
    return (
        f"On {cores} `make demo` takes {demo:.1f} minutes from an installed environment to\n"
        f"the report, downloads included, in {memory / 1024:.1f} GB of memory; `make test` takes\n"
        f"{tests:.1f} minutes."
    )


def headline(bars: Mapping[str, Mapping[str, object]]) -> str:
    """Return how close the demo's n(z) is to spectroscopy, and whether bars are missed."""
    w1, ks = (
        with_prior(bars[f"demo n(z): {name}"], form)
        for name, form in {"W1 to spectroscopy": ".4f", "KS": ".3f"}.items()
    )
    n_missed = sum(not row["is_passed"] for row in bars.values())
    return (
        "The demo fits 10,000 SDSS galaxies without their spectroscopic redshifts. Compared with\n"
        f"these, n(z) has a Wasserstein distance of {w1}, KS {ks}.\n"
        f"Of {len(bars)} quality bars {n_missed} are missed: see [results](docs/results.md)."
    )


def redshift(bars: Mapping[str, Mapping[str, object]]) -> str:
    """Return the distances of the demo's n(z) and photometry from the data, with the prior's."""
    forms = {"W1 to spectroscopy": ".4f", "KS": ".3f", "mean offset": "+.4f",
             "median offset": "+.4f"}  # fmt: skip
    w1, ks, mean, median = (
        with_prior(bars[f"demo n(z): {name}"], form) for name, form in forms.items()
    )
    distance = next(name for name in bars if name.startswith("demo photometry: sliced"))
    found = with_prior(bars[distance], ".3f")
    floor = float(bars["demo photometry: floor of halves"]["measured"])
    return (
        "The redshift distribution of the demo against the spectroscopic redshifts that the fit\n"
        f"never saw: Wasserstein distance {w1}, KS {ks}, mean offset {mean}, "
        f"median offset {median}.\n"
        f"Its photometry lies {found} from the observed (sliced Wasserstein, whitened), where\n"
        f"random halves of the catalogue are {floor:.3f} apart."
    )


def mocks(bars: Mapping[str, Mapping[str, object]]) -> str:
    """Return the table of the mocks' recovery, each number with that of the prior."""
    lines = ["| | Table-2 mock | realistic mock |", "| --- | --- | --- |"]
    for title, row in (
        ("W1 of n(z)", "W1 of n(z)"),
        ("mean log mass, off by [dex]", "|mean log mass offset|"),
        ("redshift bins with the truth in the band", "redshift bins in band"),
        ("mass bins with the truth in the band", "log_stellar_mass bins in band"),
    ):
        cells = [with_prior(bars[f"{mock}: {row}"], ".2g") for mock in MOCKS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    for name in NAMES:
        cells = [_parameter(bars, f"{mock}: W1/std of {name}") for mock in MOCKS]
        lines.append(f"| W1 / std of `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _parameter(bars: Mapping[str, Mapping[str, object]], name: str) -> str:
    row, mark = (bars[name], "") if name in bars else (bars[name + IS_PRIOR], " =")
    return with_prior(row, ".2f") + mark


def verdict(bars: Mapping[str, Mapping[str, object]]) -> str:
    """Return the bars that are not met."""
    short = [
        f"- {name}: {row['measured']}, bar {row['threshold']}"
        for name, row in bars.items()
        if not row["is_passed"]
    ]
    if not short:
        return "Every one of these bars is met."
    return "\n".join(["These bars are not met:", "", *short])


def emulator(_: Mapping[str, Mapping[str, object]]) -> str:
    """Return the emulator's errors and speed."""
    found = json.loads(EMULATOR.read_text())
    blue, red = (100 * found["spectrum"][part]["error_68"] for part in ("1000-3000", "3000-12000"))
    mag = max(error for part in found["mag"] for error in part["error_68"].values())
    slower = 1 / found["throughput"]["photometry_forward"]["ratio"]
    return (
        f"Its errors (68 %): {red:.2f} % at 3000-12000 AA, {blue:.2f} % at 1000-3000 AA,\n"
        f"at most {mag:.4f} mag in ugriz at any redshift; its photometry takes\n"
        f"{slower:.1f} times as long as the exact one."
    )


def study(name: str, survey: str = "") -> str:
    """Return a study's table, means over the members of each variant; of one mock, or the only."""
    rows = json.loads((STUDIES / f"{name}.json").read_text())["rows"]
    rows = [row for row in rows if survey in ("", row["survey"])]
    titles = [title for title, _ in STUDIED.values()]
    lines = [f"| | {' | '.join(titles)} |", "| --- |" + " --- |" * len(titles)]
    for variant in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == variant]
        cells = [
            f"{sum(row[key] for row in mine) / len(mine):{form}}"
            for key, (_, form) in STUDIED.items()
        ]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    floor = sum(row["floor"] for row in rows) / len(rows)
    return "\n".join(lines) + f"\n\nFloor of the photometric distance: {floor:.3f}."


def bar_table(name: str) -> str:
    """Return a table from the folder of the bars."""
    return (DEMO.parent / f"{name}.md").read_text().rstrip()


def minimum() -> str:
    """Return where distances have their minimum along the narrowest direction, 500 samples."""
    rows = json.loads((STUDIES / "minimum.json").read_text())
    found = {
        (row["name"], row["space"]): row
        for row in rows
        if row["direction"] == "narrowest" and row["n_samples"] == 500
    }
    lines = ["| distance | minimum, z-scored | minimum, whitened | scatter, whitened | CPU [ms] |"]
    lines.append("|" + " --- |" * 5)
    for name in dict.fromkeys(name for name, _ in found):
        cells = [at_minimum(found[name, space]) for space in ("zscored", "whitened")]
        row = found[name, "whitened"]
        cells += [f"{row['scatter']:.2f}", f"{1000 * row['seconds']:.3g}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + f"\n\nThe two halves of the mock differ: {halves(rows)}."


def rerun_keys() -> str:
    """Return the rules that are given each configuration key."""
    lines = ["| keys | rules that are given them |", "| --- | --- |"]
    for pattern, rules in rerun_table.DIRECTLY:
        told = ", ".join(f"`{rule}`" for rule in rules) or "none"
        lines.append(f"| `{pattern}` | {told} |")
    return "\n".join(lines)


BLOCKS = {"cost": cost, "headline": headline}
RESULTS_BLOCKS = {"verdict": verdict, "redshift": redshift, "mocks": mocks}
STUDY_BLOCKS = {"recipes": lambda _: study("recipes")}
SPEED_BLOCKS = {
    "steps": lambda _: bar_table("step_cost"),
    "galaxies": lambda _: bar_table("galaxy_costs"),
    "minimum": lambda _: minimum(),
    "distances": lambda _: study("distances", "table2_mock"),
    "budget": lambda _: study("budget"),
    "flows": lambda _: study("flows"),
}
DOCUMENTS = {
    README: BLOCKS,
    RESULTS: RESULTS_BLOCKS,
    EMULATOR_PAGE: {"emulator": emulator},
    DEVIATIONS: STUDY_BLOCKS,
    SPEED: SPEED_BLOCKS,
    CLUSTER: {"job_costs": lambda _: bar_table("job_costs")},
    RERUNS: {"keys": lambda _: rerun_keys()},
}


def filled(text: str, blocks: Mapping[str, Block] = BLOCKS) -> str:
    """Return a document's text with the numbers of the committed results."""
    bars = read_bars()
    for name, make in blocks.items():
        block = f"<!-- {name} -->\n{make(bars)}\n<!-- end -->"
        text, n_found = re.subn(
            rf"<!-- {name} -->\n.*?<!-- end -->",
            lambda _, block=block: block,
            text,
            flags=re.DOTALL,
        )
        if n_found != 1:
            raise ValueError(f"{n_found} blocks named {name}, expected 1")
    return text


def main() -> None:
    """Write the numbers into the documents."""
    for document, blocks in DOCUMENTS.items():
        document.write_text(filled(document.read_text(), blocks))


if __name__ == "__main__":
    main()
