"""Measure the bars of the paper's reproduction; print bar, threshold, measured, pass.

    make bar-paper                              # hours on two cores
    make bar-paper BARS="--only mock smoke"     # renew the rows of some pieces
    make bar-paper BARS="--folder DIR --reuse"  # judge what earlier pieces left in DIR

GAMA's archive cannot be reached from everywhere, so the mock has the noise, redshifts and masses of
its stand-in (config/gama_standin.yaml), as many rows as GAMA has; with GAMA's own tables the same
rules run.  The pieces work in a clean copy of the checkout, in a temporary folder or in the one
named by ``--folder``.  Writes results/bars/bar_paper.{json,md} and the figures beside them; exit 1
if a bar falls short.

    mock      config/ours.yaml, 20,000 galaxies, three flows: time, accuracy
    large     100,863 galaxies, as in the paper: accuracy of three flows on three mocks; time and
              memory of ten
    standin   the stand-in for GAMA, fitted
    figures   each of the paper's figures alone, from its artefacts
    noise     the mock's true population against its own catalogue
    recipes   ours, the paper's and the released recipe with the same budget
    deviations  ours with one thing of the paper's at a time
    gama      the numbers of GAMA itself, where its tables are at hand
    smoke     the whole workflow at smoke size
    inputs    an archive that breaks, presets, members that diverge
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from popsed_core.config import root
from popsed_core.files.artefacts import load
from popsed_core.inference.samples import PopulationSamples
from popsed_core.surveys.catalogue import Reference
from tests.bars import mock_truth
from tests.bars.tools import (
    OUT,
    ROOT,
    Bar,
    Piece,
    at_most,
    beside_prior,
    between,
    fresh_copy,
    main,
    reported,
    run,
    run_tests,
    snakemake,
)

STEM = OUT / "bar_paper"
STANDIN = ("--configfile", "config/gama_standin.yaml", "config/ours.yaml")
N_GAMA = 120_739  # rows of GAMA's table of masses
MOCK, GAMA = "table2_mock", "gama"
SMALL, WHOLE = "mock, N = 20,000", "mock, N = 100,863"
SEED = 11  # of data and fits; every setting was chosen on mocks of other seeds
SEEDS = (SEED, 12, 13)  # of the mocks on which the accuracy is judged
N_DRAWS = 20_000  # per flow, so that the draws' own noise hides nothing
JUDGED = {"redshift": 0.002, "log_stellar_mass": 0.02, "log_sfr": 0.05}
FAR = 0.45  # redshift beyond which the mock has next to no galaxies
FIGURES = {
    2: (MOCK, ("population", "photometry")),
    3: (GAMA, ("population", "photometry")),
    4: (GAMA, ("star_forming_sequence",)),
    6: (MOCK, ("corner_full",)),
    7: (GAMA, ("corner_full",)),
}
INPUT_TESTS = {
    "inputs: an archive that drops, refuses, truncates, serves other files": (
        "tests/downloads/test_web.py",
    ),
    "inputs: stand-ins through the whole workflow, download included": (
        "tests/workflow/test_gama_workflow.py",
    ),
    "inputs: presets are what their sources print": ("tests/test_presets.py",),
    "inputs: members that diverge are listed": ("tests/inference/test_member_quality.py",),
}
STUDIED = {
    "redshift_w1": "W1 of n(z)",
    "redshift_mean": "offset of mean redshift / (1 + z)",
    "mass_mean": "offset of mean log mass [dex]",
    "sfr_mean": "offset of mean log SFR [dex]",
}
GAMA_TESTS = ("tests/test_gama_results.py",)


def words(survey: str, n_galaxies: int, n_members: int, seed: int = SEED) -> tuple[str, ...]:
    """Return the options that fit a survey, with so many galaxies of the mock and flows."""
    sizes, prior = "", ""
    if survey == MOCK:  # the prior's weight is that of config/ours.yaml, per galaxy
        sizes, prior = (
            f"n_galaxies: {n_galaxies}, ",
            f", prior_weight: {{end: {60 / n_galaxies:.1e}}}",
        )
    changes = f"surveys={{{survey}: {{{sizes}fit: {{n_members: {n_members}{prior}}}}}}}"
    return (
        *STANDIN,
        "--config",
        f"survey={survey}",
        f"seed={seed}",
        f"standin={{n_galaxies: {N_GAMA}}}",
        f"products={{n_draws: {N_DRAWS}}}",
        changes,
    )


def fitted(copy: Path, title: str, options: tuple[str, ...], is_reused: bool) -> dict[str, Any]:
    """Fit a survey to its report; return its summary with what it cost, and keep its folder."""
    survey = GAMA if title == GAMA else MOCK
    kept = copy.with_name(title.replace(",", "").replace(" = ", "_").replace(" ", "_"))
    if not is_reused:
        snakemake(copy, *options, "--", f"results/{survey}/noise.h5")
        done = snakemake(copy, *options)
        cost = {"minutes": done.seconds / 60, "peak_mb": done.peak_mb}
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(copy / "results" / survey, kept)
        (kept / "cost.json").write_text(json.dumps(cost))
    summary = json.loads((kept / "summary.json").read_text())
    return summary | {"cost": json.loads((kept / "cost.json").read_text()), "folder": kept}


def offsets(rows: Mapping[str, Any], title: str) -> list[Bar]:
    """Evaluate how far means are from the truth; ``rows`` by quantity, as in a summary."""
    bars = []
    for name, limit in JUDGED.items():
        is_redshift = name == "redshift"
        key, unit = ("mean_offset_1pz", "(1 + z)") if is_redshift else ("mean_offset", "dex")
        offset, prior = (round(abs(item[key]), 5) for item in (rows[name], rows[name]["prior"]))
        bar = at_most(f"{title}: |offset of mean {name}|", offset, limit, unit, prior=prior)
        bars.append(bar)
    return bars


def judged(title: str, summary: Mapping[str, Any], *, is_judged: bool) -> list[Bar]:
    """Evaluate means, n(z) and coverage, or only report them."""
    rows = summary["comparison"]
    redshift = rows["redshift"]
    bars = offsets(rows, title)
    w1, prior = (item["w1"] for item in (redshift, redshift["prior"]))
    bars.append(at_most(f"{title}: W1 of n(z)", w1, 0.004, prior=prior))
    bars.append(far_bar(title, summary["folder"]))
    for name in ("redshift", "log_stellar_mass"):
        share, prior = rows[name]["coverage_68"], rows[name]["prior_coverage"]
        bar = between(f"{title}: {name} bins in the 68 % band", share, 0.5, 0.8, prior=prior)
        bars.append(bar)
    bars.append(objective_bar(title, summary["fit"]["objective"]))
    if not is_judged:
        bars = [reported(bar.name, bar.measured, bar.prior) for bar in bars]
    photometric, classifier = summary["photometric_distance"], summary["classifier"]
    return [
        *bars,
        reported(
            f"{title}: photometry, sliced W1 of the central 95 %",
            photometric["ensemble"],
            photometric["prior"],
        ),
        reported(f"{title}: photometry, its floor", photometric["floor"]),
        reported(
            f"{title}: photometry, classifier (0.5: the same)",
            classifier["accuracy"],
            classifier["prior"],
        ),
    ]


def far_bar(title: str, folder: Path) -> Bar:
    """Evaluate the share of draws beyond the mock's galaxies."""
    samples = load(folder / "samples.h5", PopulationSamples)
    known = load(folder / "reference.h5", Reference).column("redshift")
    columns = (samples.column("redshift"), samples.prior_column("redshift"), known)
    found, prior, true = (round(float((column > FAR).mean()), 5) for column in columns)
    bar = at_most(f"{title}: share beyond z = {FAR:g} (true: {true:g})", found, 0.015)
    is_better = abs(found - true) < abs(prior - true)
    return beside_prior(bar, prior, is_better)


def objective_bar(title: str, objective: Mapping[str, float] | None) -> Bar:
    """Compare the objective of the fit with its expectation at the truth."""
    name = f"{title}: objective over the truth's"
    if objective is None:
        return Bar(name, "<= 3", "not in the summary", None)
    return at_most(name, round(objective["ratio"], 2), 3)


def mock_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit 20,000 mock galaxies with three flows."""
    found = fitted(copy, SMALL, words(MOCK, 20_000, 3), is_reused)
    minutes = round(found["cost"]["minutes"], 1)
    return [
        at_most(f"{SMALL}: three flows to the report, two cores", minutes, 30, "min"),
        *judged(SMALL, found, is_judged=False),
    ]


def large_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit as many mock galaxies as the paper does: three mocks, then one with as many flows."""
    bars = []
    for seed in SEEDS:
        title = f"{WHOLE}, seed {seed}"
        found = fitted(copy, title, words(MOCK, 100_863, 3, seed), is_reused)
        bars += judged(title, found, is_judged=True)
    # last, because the paper's figures show it
    title = f"{WHOLE}, ten flows"
    cost = fitted(copy, title, words(MOCK, 100_863, 10), is_reused)["cost"]
    return [
        *bars,
        at_most(f"{title}: memory of all processes", round(cost["peak_mb"]), 6144, "MB"),
        at_most(f"{title}: to the report, two cores", round(cost["minutes"], 1), 12, "min"),
    ]


def standin_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Fit the stand-in for GAMA, whose model errors are unknown to the fit."""
    found = fitted(copy, GAMA, words(GAMA, 0, 4), is_reused)
    rows = found["comparison"]
    return [
        reported(f"standin: {what}", rows[name][key], rows[name]["prior"][key])
        for what, name, key in (
            ("W1 of n(z)", "redshift", "w1"),
            ("offset of mean redshift", "redshift", "mean_offset"),
            ("offset of mean log mass [dex]", "log_stellar_mass", "mean_offset"),
        )
    ]


def figure_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Draw each figure from its own artefacts only."""
    bars = []
    options = {MOCK: words(MOCK, 100_863, 10), GAMA: words(GAMA, 0, 4)}
    for number, (survey, names) in FIGURES.items():
        paths = [
            copy / "results" / survey / "figures" / f"{name}.{end}"
            for name in names
            for end in ("pdf", "png")
        ]
        for path in paths:
            path.unlink(missing_ok=True)
        done = snakemake(copy, *options[survey], "--", f"paper_figure_{number}")
        missing = [path.name for path in paths if not path.exists()]
        if missing:
            raise RuntimeError(f"figure {number}: {missing} were not made")
        bars.append(at_most(f"figures: {number} alone, PDF and PNG", round(done.seconds), 120, "s"))
        for name in names:
            source = copy / "results" / survey / "figures" / f"{name}.png"
            shutil.copy(source, OUT / f"paper_figure_{number}_{name}.png")
    return bars


def study_bars(name: str, copy: Path, is_reused: bool) -> list[Bar]:
    """Run a study on the mock of 20,000 galaxies; its table is in results/studies."""
    path = ROOT / "results" / "studies" / f"{name}.json"
    if not is_reused:
        snakemake(copy, *words(MOCK, 20_000, 3), "--", f"results/{MOCK}/noise.h5")
        command = [sys.executable, "-m", "tests.studies.run_study", name]
        run([*command, "--results", str(copy / "results")], ROOT)
    rows = json.loads(path.read_text())["rows"]
    bars = []
    for variant in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == variant]
        for key, what in STUDIED.items():
            mean = sum(row[key] for row in mine) / len(mine)
            bars.append(reported(f"{name}: {variant}: {what}", float(f"{mean:.3g}")))
    return bars


def noise_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare the mock's true population with its own catalogue, by each model of the noise."""
    snakemake(copy, *words(MOCK, 20_000, 3), "--", f"results/{MOCK}/noise.h5")
    files = [ROOT / "config.yaml", *(ROOT / name for name in STANDIN[1:])]
    found = mock_truth.measure(copy / "results", MOCK, root.load(*files))
    floor = found["floor"]
    title = "noise: true population from its catalogue, squared"
    return [
        at_most(f"{title}: ours", round(found["ours"], 5), round(2 * floor, 5)),
        *(
            reported(f"{title}: {name}", round(value, 5))
            for name, value in found.items()
            if name != "ours"
        ),
    ]


def gama_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Compare GAMA's own tables with the paper's numbers; report if they are absent."""
    name = "gama: 120,739 -> 102,637 -> 83,692 galaxies, medians"
    done = run([sys.executable, "-m", "pytest", "-rs", *GAMA_TESTS], ROOT)
    if "needs GAMA" in done.output:
        return [Bar(name, "all", "needs GAMA", None)]
    return [Bar(name, "all", f"exit status {done.code}", done.code == 0)]


def smoke_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Time the whole workflow at smoke size: surveys, mocks, training set, emulator."""
    with tempfile.TemporaryDirectory() as name:
        clean = fresh_copy(Path(name))
        smoke = ("--configfile", "config/smoke.yaml", "config/gama_standin.yaml")
        done = snakemake(clean, *smoke, "--", "paper", "mock", "training_set", "emulator")
    return [at_most("smoke: the whole workflow", round(done.seconds / 60, 2), 6, "min")]


def input_bars(copy: Path, is_reused: bool) -> list[Bar]:
    """Run the tests of archives, presets and diverged members."""
    return run_tests(INPUT_TESTS)


PIECES: dict[str, Piece] = {
    "mock": mock_bars,
    "large": large_bars,
    "standin": standin_bars,
    "figures": figure_bars,
    "noise": noise_bars,
    "recipes": partial(study_bars, "recipes"),
    "deviations": partial(study_bars, "deviations"),
    "gama": gama_bars,
    "smoke": smoke_bars,
    "inputs": input_bars,
}


def _piece(name: str) -> str:
    """Return the piece that a row belongs to; both mocks' rows begin with their size."""
    if name.startswith(WHOLE):
        return "large"
    return name.split(":")[0].split(",")[0]


if __name__ == "__main__":
    sys.exit(main(__doc__, PIECES, STEM, _piece))
