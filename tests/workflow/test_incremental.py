"""Change one thing: Snakemake itself says that exactly what depends on it is planned again.

What each key and each module does is in ``test_reruns.py``; here are the changes of other kinds.
"""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from rerun_table import BASE, MOCK, NOISE, NOISE_OF_BASE, below
from workflow_tools import pending, pending_files

from popsed_core.figures.names import FIGURES

CONFIG, SMOKE = "config.yaml", "config/smoke.yaml"
FIT, RULES = "popsed_core/inference/fit.py", "workflow/rules"
FIGURE_RULES = {f"figure_{name}" for name in FIGURES}
OF_THE_EMULATOR = {"figure_emulator_basis", "figure_emulator_accuracy"}
TABLE = "tests/data/toy_survey.csv"
SOURCES = ("*", "config/*", "popsed_core/**/*.py", "workflow/**/*", "tests/data/*")


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


def replace(file, pattern, text):
    """Replace every match of a pattern in a file; there is one at least."""

    def change(repo):
        new, number = re.subn(pattern, text, (repo / file).read_text())
        assert number
        (repo / file).write_text(new)

    return change


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


def fewer_galaxies(repo):
    """Take the last galaxy out of the table."""
    lines = (repo / TABLE).read_text().splitlines(keepends=True)
    (repo / TABLE).write_text("".join(lines[:-1]))


def other_branch_and_back(repo):
    """Check out another commit, where every source differs, and come back."""

    def git(*words):
        name = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
        subprocess.run(["git", *name, *words], cwd=repo, check=True, capture_output=True)

    sources = sorted(
        {str(p.relative_to(repo)) for s in SOURCES for p in repo.glob(s) if p.is_file()}
    )
    sources = [name for name in sources if not name.startswith(("results", "logs", ".snakemake"))]
    git("init", "-q", "-b", "main")
    git("add", "-f", "--", *sources)
    git("commit", "-qm", "Have everything")
    git("checkout", "-qb", "other")
    for name in sources:
        (repo / name).write_bytes(b"another")
    git("commit", "-qam", "Change everything")
    git("checkout", "-q", "main")


def moved(repo):
    """Move the whole checkout, results and all, and look at it from its new place."""
    new = repo.with_name("moved")
    shutil.move(repo, new)
    return new


CASES = {
    "nothing": (lambda repo: None, ()),
    "key: fit.n_epochs": (key("fit.n_epochs", 4), ["fit_member"]),
    "key: seed": (
        key("seed", 5, CONFIG),
        ["observe_mock", "training_chunk", "train_segment"],
    ),
    "key: another survey's": (key("surveys.realistic_mock.n_galaxies", 7), ()),
    "key: threads": (key("runtime.n_threads", 2), ()),
    "input: other galaxies": (fewer_galaxies, ["build_catalogue"]),
    "code: one figure": (
        append("popsed_core/figures/population.py", "\nEXTRA = 1\n"),
        ["figure_population"],
    ),
    "code: style of figures": (
        append("popsed_core/figures/style.py", "\nEXTRA = 1\n"),
        FIGURE_RULES | OF_THE_EMULATOR,
    ),
    "code: prior": (
        append("popsed_core/inference/priors/prior.py", "\nEXTRA = 1\n"),
        ["fit_member"],
    ),
    "code: the command line": (append("popsed_core/cli.py", "\nEXTRA = 1\n"), ()),
    "code: comments and docstrings": (
        lambda repo: (repo / FIT).write_text(
            "# why\n" + (repo / FIT).read_text().replace('"""Fit one', '"""To fit one', 1)
        ),
        (),
    ),
    "workflow: a comment": (append(f"{RULES}/fit.smk", "\n# why\n"), ()),
    "workflow: more memory and time": (
        replace(f"{RULES}/data.smk", r"(memory|growing)\((\d+)\)", r"\1(\g<2>1)"),
        (),
    ),
    "workflow: another log": (replace(f"{RULES}/data.smk", '"logs/', '"logs/of/'), ()),
    "workflow: another benchmark": (
        replace(f"{RULES}/data.smk", '"benchmarks/', '"benchmarks/of/'),
        (),
    ),
    "workflow: another message": (replace(f"{RULES}/data.smk", "fit the noise", "fit noise"), ()),
    "workflow: a command": (
        replace(f"{RULES}/data.smk", "popsed noise fit --config", "popsed noise fit  --config"),
        [NOISE_OF_BASE, NOISE],
    ),
    "workflow: a caption": (append("workflow/report/recovery.rst", "\nMore.\n"), ["html_report"]),
    "workflow: the front page": (
        append("workflow/report/workflow.rst", "\nMore.\n"),
        ["html_report"],
    ),
    "profile: other flags": (append("profiles/default/config.yaml", "keep-going: true\n"), ()),
    "touch: all sources": (touch(*SOURCES), ()),
    "touch: results": (
        touch("results/*.h5", "results/*/*.h5", "results/*/*/*"),
        (),
    ),
    "git: another branch and back": (other_branch_and_back, ()),
    "folder: moved": (moved, ()),
    "lost: one figure": (remove(f"results/{MOCK}/figures/recovery.pdf"), ["figure_recovery"]),
    "lost: an intermediate": (remove(f"results/{BASE}/noise.h5"), ()),
    "lost: logs and benchmarks": (
        lambda repo: [shutil.rmtree(repo / name) for name in ("logs", "benchmarks")] and None,
        (),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_change_reruns_what_depends_on_it(repo, name):
    change, directly = CASES[name]
    place = change(repo)
    expected = {rule.split(" of ")[0] for rule in below(directly)}
    assert pending(place if name == "folder: moved" else repo) == expected


@pytest.mark.slow
def test_one_more_member_trains_one_more_member(repo):
    key("fit.n_members", 3)(repo)
    files = pending_files(repo)
    new = {f"results/{MOCK}/members/member_3.{end}" for end in ("pt", "json")}
    assert {file for rule, file in files if rule == "fit_member"} == new
    assert {rule for rule, _ in files} == below(["fit_member"])
