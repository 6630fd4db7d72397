"""Change one thing: exactly what depends on it is planned again."""

import os

import pytest
import yaml
from workflow_tools import pending, pending_files

from popsed_core.figures.registry import FIGURES

CONFIG, SMOKE = "config.yaml", "config/smoke.yaml"
FIT = "popsed_core/inference/fit.py"
FIGURE_RULES = {f"figure_{name}" for name in FIGURES}
OF_THE_DATA = {"figure_noise_model", "figure_cut_flow"}
OF_SAMPLES = FIGURE_RULES - OF_THE_DATA - {"figure_training"}
FOR_PEOPLE = {"write_tables", "summarise", "write_provenance", "html_report"}
BELOW_SAMPLES = OF_SAMPLES | FOR_PEOPLE
BELOW_FITS = BELOW_SAMPLES | {"sample_ensemble", "figure_training"}
FITS = BELOW_FITS | {"fit_member"}
BELOW_MOCK = FITS | OF_THE_DATA | {"fit_noise"}
MOCK = BELOW_MOCK | {"observe_mock"}


def key(path, value, file=SMOKE):
    """Set one key of a configuration file."""

    def change(repo):
        *parents, last = path.split(".")
        tree = yaml.safe_load((repo / file).read_text())
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
        (repo / file).write_text(yaml.safe_dump(tree, sort_keys=False))

    return change


def append(file, text):
    """Add lines to a file."""
    return lambda repo: (repo / file).write_text((repo / file).read_text() + text)


def touch(*patterns):
    """Give files a new time stamp."""

    def change(repo):
        for pattern in patterns:
            for path in repo.glob(pattern):
                os.utime(path)

    return change


def remove(file):
    """Delete a file."""
    return lambda repo: (repo / file).unlink()


CASES = {
    "nothing": (lambda repo: None, set()),
    "key: fit.n_epochs": (key("fit.n_epochs", 4), FITS),
    "key: fit.flow.n_bins": (key("fit.flow.n_bins", 5), FITS),
    "key: noise.n_bins": (key("noise.n_bins", 9), MOCK),
    "key: seed": (key("seed", 5, CONFIG), MOCK),
    "key: ssp.wave_high": (
        key("ssp.wave_high", 29000.0),
        MOCK | {"build_ssp", "build_catalogue"},
    ),
    "key: ssp.fsps, not the reader": (key("ssp.fsps.imf", "Kroupa"), set()),
    "key: spectra.burst": (key("spectra.burst", "released"), MOCK),
    "key: parameters": (key("parameters.tau_bc.high", 2.5, CONFIG), FITS),
    "key: products.n_draws": (key("products.n_draws", 210), BELOW_SAMPLES | {"sample_ensemble"}),
    "key: products.n_table": (key("products.n_table", 90), {"write_tables", "html_report"}),
    "key: another survey's": (key("surveys.realistic_mock.n_galaxies", 7), set()),
    "key: extinction of another survey": (key("surveys.gama.extinction", {}, CONFIG), set()),
    "key: threads": (key("runtime.n_threads", 2), set()),
    "key: device": (key("runtime.device", "auto"), set()),
    "code: one figure": (
        append("popsed_core/figures/population.py", "\nEXTRA = 1\n"),
        {"figure_population", "html_report"},
    ),
    "code: style of figures": (
        append("popsed_core/figures/style.py", "\nEXTRA = 1\n"),
        FIGURE_RULES | {"html_report"},
    ),
    "code: a table for people": (
        append("popsed_core/products/tables.py", "\nEXTRA = 1\n"),
        {"write_tables", "html_report"},
    ),
    "code: the provenance": (
        append("popsed_core/products/provenance_report.py", "\nEXTRA = 1\n"),
        {"write_provenance", "html_report"},
    ),
    "code: prior": (append("popsed_core/inference/prior.py", "\nEXTRA = 1\n"), FITS),
    "code: the command line": (append("popsed_core/cli.py", "\nEXTRA = 1\n"), set()),
    "code: comments and docstrings": (
        lambda repo: (repo / FIT).write_text(
            "# why\n" + (repo / FIT).read_text().replace('"""Fit one', '"""To fit one', 1)
        ),
        set(),
    ),
    "workflow: a comment": (append("workflow/rules/fit.smk", "\n# why\n"), set()),
    "workflow: a caption": (append("workflow/report/recovery.rst", "\nMore.\n"), {"html_report"}),
    "workflow: the front page": (
        append("workflow/report/workflow.rst", "\nMore.\n"),
        {"html_report"},
    ),
    "touch: all sources": (
        touch("*", "config/*", "popsed_core/**/*.py", "workflow/**/*", "tests/data/*"),
        set(),
    ),
    "touch: results": (touch("results/*.h5", "results/*/*.h5", "results/*/members/*"), set()),
    "lost: one figure": (
        remove("results/table2_mock/figures/recovery.pdf"),
        {"figure_recovery", "html_report"},
    ),
    "lost: an intermediate": (remove("results/toy_survey/noise.h5"), set()),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_change_reruns_what_depends_on_it(repo, name):
    change, expected = CASES[name]
    change(repo)
    assert pending(repo) == expected


@pytest.mark.slow
def test_one_more_member_trains_one_more_member(repo):
    key("fit.n_members", 3)(repo)
    files = pending_files(repo)
    new = {f"results/table2_mock/members/member_3.{end}" for end in ("pt", "json")}
    assert {file for rule, file in files if rule == "fit_member"} == new
    assert {rule for rule, _ in files} == FITS
