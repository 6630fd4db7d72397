"""What all rules share: the validated configuration, names of files, and nothing else.

Each command is given the whole configuration as a file, and takes what is its own.  Each rule
tracks the hash of that (`settings` of its verb) and the content hash of the code that it runs
(`code_of` its verb, which its outputs record): a changed key or module reruns exactly what depends
on it.
"""

import hashlib
import os
import shlex
import sys
from functools import partial
from pathlib import Path

from popsed_core.config import paths
from popsed_core.config.base import read_yaml
from popsed_core.config.read import keep, kept_path, parse_merged, read_config
from popsed_core.config.settings import settings_of
from popsed_core.config.surveys import MockSurvey, TableSurvey
from popsed_core.errors import InputError
from popsed_core.figures.names import FIGURES
from popsed_core.provenance.verbs import code_of


def beside(name):
    """A file of the workflow: where it lies, or a copy of it where it is fetched from afar."""
    folder = workflow.current_basedir.get_path_or_uri(secret_free=True)
    path = os.path.relpath(os.path.join(folder, name))
    return path if os.path.exists(path) else workflow.source_path(name)


KEPT_AS = "POPSED_CONFIG"  # environment variable: the configuration of the run


def load_configuration():
    """Merge config.yaml with what the user says, and validate before any work.

    That is the --configfile overlays and --config, or the configuration of a module.  A job that
    a cluster starts later reads what its run was begun with, whatever the overlays say by then.
    """
    settings = workflow.config_settings
    is_module = not workflow.modifier.is_main_snakefile()
    try:
        kept = os.environ.get(KEPT_AS)
        if kept and not workflow.is_main_process and not is_module:
            return read_config(kept)
        own = (
            [config]
            if is_module
            else [*map(read_yaml, settings.configfiles), settings.config]
        )
        return parse_merged(
            [read_yaml(beside("../../config.yaml")), *own], "configuration"
        )
    except InputError as error:
        sys.exit(f"popsed: error: {error}")


CONFIG = load_configuration()
# what every `popsed` is given; no reason to run again, and so a resource of each rule
CONFIG_FILE = str(kept_path(CONFIG))
if workflow.is_main_process and not workflow.output_settings.dryrun:
    os.environ[KEPT_AS] = str(keep(CONFIG))
MOCKS = [
    name for name, survey in CONFIG.surveys.items() if isinstance(survey, MockSurvey)
]
REAL = [name for name in CONFIG.surveys if name not in MOCKS]
ONE_BY_ONE = [  # surveys whose members are trained in a job each
    name for name in CONFIG.surveys if CONFIG.fit_for(name).members_per_job == 1
]
NOTHING = "(?!)"  # a pattern without a match, where there are no surveys of one sort

# `popsed` stands beside this Python also where the environment has not been activated
os.environ.update(
    PATH=os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
)


wildcard_constraints:
    survey="|".join(CONFIG.surveys),
    member=r"\d+",
    chunk=r"\d+",
    segment=r"\d+",
    engine="exact|emulator",
    download="|".join(CONFIG.downloads) or NOTHING,
    ending="fits|txt",


def settings(verb, **names):
    """The hash of what a verb is given of the configuration, for the `params` of its rule."""
    return lambda wildcards: settings_of(
        verb, CONFIG, **dict(wildcards.items()), **names
    ).hash


def noise_source(wildcards):
    """The real survey whose bands and noise a mock borrows."""
    return paths.imitated(CONFIG, wildcards.survey)


def emulator_of(engine):
    """The emulator, where an engine is one; and its certificate, which changes no fit."""
    is_exact = engine == "exact"
    return {
        "emulator": [] if is_exact else paths.EMULATOR,
        "accuracy": [] if is_exact else ancient(paths.ACCURACY),
    }


def member_groups(survey):
    """The numbers of the members that are trained together."""
    fit = CONFIG.fit_for(survey)
    numbers = range(1, fit.n_members + 1)
    size = fit.members_per_job
    return [numbers[start : start + size] for start in range(0, fit.n_members, size)]


MEMBER_GROUPS = [
    (survey, group)
    for survey in CONFIG.surveys
    if survey not in ONE_BY_ONE
    for group in member_groups(survey)
]


def member_files(wildcards, ending="pt"):
    """The trained members of a survey, or what they cost (json), with an engine if it has one."""
    engine = getattr(wildcards, "engine", "")
    return paths.member_files(CONFIG, wildcards.survey, ending, engine)


def figure_names(survey):
    """The figures of a survey; without a reference there is nothing to recover."""
    section = CONFIG.surveys[survey]
    is_alone = isinstance(section, TableSurvey) and not section.reference
    return [name for name in FIGURES if not (is_alone and name == "recovery")]


def figure_inputs(wildcards, names):
    """The artefacts that a figure draws, by name."""
    files = {
        name: f"results/{wildcards.survey}/{name}.h5"
        for name in names
        if name != "members"
    }
    return files | ({"members": member_files(wildcards)} if "members" in names else {})


def figure_files(survey):
    """The figures of a survey."""
    names = figure_names(survey)
    return [
        f"results/{survey}/figures/{name}.{end}"
        for name in names
        for end in ("pdf", "png")
    ]


def figures_named(folder, *names):
    """Some figures of a results folder."""
    return [f"results/{folder}/figures/{name}.pdf" for name in names]


def products_of(survey):
    """Everything that is made of a survey."""
    names = ("samples.fits", "summary.md", "report.html")
    return [*(f"results/{survey}/{name}" for name in names), *figure_files(survey)]


def samples_with(engine):
    """The samples of a survey with an engine: the main ones where it is the configured one."""
    return lambda wildcards: paths.engine_samples(CONFIG, wildcards.survey, engine)
