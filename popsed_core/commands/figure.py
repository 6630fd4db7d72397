"""``popsed figure NAME``: draw one figure from the artefacts it needs."""

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_engines,
    add_inputs,
    add_members,
    add_verb,
    check_bands,
)
from popsed_core.commands.configured import add_config
from popsed_core.errors import InputError
from popsed_core.provenance.verbs import numbered, provenance

GALAXY_KEYS = ("n_steps", *(f"galaxies.{key}" for key in ("n", "setup_s", "step_s", "memory_mb")))
# option: module and class of what it holds, read only where the figure is given one
KINDS = {
    "samples": ("inference.samples", "PopulationSamples"),
    "catalogue": ("surveys.catalogue", "Catalogue"),
    "reference": ("surveys.catalogue", "Reference"),
    "noise": ("photometry.noise", "NoiseTable"),
    "accuracy": ("diagnostics.emulator_accuracy", "EmulatorAccuracy"),
    "exact": ("inference.samples", "PopulationSamples"),
    "emulated": ("inference.samples", "PopulationSamples"),
}
LISTS = {"bases": ("emulator.pca", "SpectrumBasis")}
ENDINGS = ("pdf", "png")
WITH_BANDS = ("catalogue", "noise", "samples", "exact", "emulated")


def register(nouns: Subparsers) -> None:
    """Add the verb ``figure``."""
    figure = add_verb(nouns, "figure", run_figure, "draw one figure; magnitudes are AB [mag]")
    figure.add_argument("name", metavar="NAME", help="which; an unknown name lists all")
    figure.add_argument(
        "outputs",
        type=Path,
        nargs="*",
        metavar="OUT",
        help="PDF, PNG or SVG files [with --survey: of the survey's figures]",
    )
    add_config(figure, _paths, only_if_named=True)
    add_inputs(figure, "samples", "catalogue", "reference", "noise")
    add_members(figure)
    add_engines(figure)
    figure.add_argument(
        "--accuracy", type=Path, metavar="PATH", help="certificate of an emulator (HDF5)"
    )
    figure.add_argument(
        "--bases", type=Path, nargs="+", metavar="PATH", help="principal components (HDF5)"
    )
    for name in ("step", "galaxies"):
        figure.add_argument(
            f"--bench-{name}", type=Path, metavar="PATH", help=f"of `popsed bench {name}` (JSON)"
        )


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Return the artefacts that the figure needs, and where it goes."""
    from popsed_core.config import paths
    from popsed_core.figures.registry import needs_of

    survey, of_survey = args.survey, paths.of_survey
    special = {
        "members": paths.member_files(config, survey),
        "bases": paths.basis_files(config),
        "accuracy": "results/emulator/accuracy.h5",
        "exact": paths.engine_samples(config, survey, "exact"),
        "emulated": paths.engine_samples(config, survey, "emulator"),
    }
    needs = needs_of(args.name)
    found = {need: special.get(need, of_survey(survey, f"{need}.h5")) for need in needs}
    folder = "emulator" if {"bases", "accuracy"} & set(needs) else survey
    if not args.outputs:
        args.outputs = [Path(of_survey(folder, f"figures/{args.name}.{end}")) for end in ENDINGS]
    return found


def run_figure(args: argparse.Namespace) -> None:
    """Draw and write one figure."""
    from popsed_core.config.settings import Settings
    from popsed_core.figures.registry import source_of, write
    from popsed_core.files.artefacts import record

    artefacts = _load_artefacts(args)
    source = source_of(args.name, artefacts)  # refuses an unknown name
    if not args.outputs:
        raise InputError("OUT: none given; name a file to draw into, or the survey with --survey")
    args.verb = f"figure {args.name}"
    args.settings = Settings()  # a figure draws files, whatever the configuration says now
    origin = provenance(args, _inputs(args), source)
    write(args.name, artefacts, *args.outputs, record=record(origin))


def _inputs(args: argparse.Namespace) -> dict[str, Path | None]:
    single = (*WITH_BANDS, "reference", "accuracy", "bench_step", "bench_galaxies")
    given = {name: getattr(args, name) for name in single}
    return given | numbered("member", args.members) | numbered("basis", args.bases)


def _load_artefacts(args: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(args, name) for name in KINDS if getattr(args, name) is not None}
    artefacts = {name: _load(path, name) for name, path in given.items()}
    of_survey = {name: artefacts[name] for name in WITH_BANDS if name in artefacts}
    if of_survey:
        check_bands(args, **of_survey)
    bases = [_load(path, "bases") for path in args.bases or []]
    return artefacts | _load_costs(args) | {"members": _load_members(args), "bases": bases or None}


def _load(path: Path, name: str) -> Any:
    from popsed_core.files.artefacts import load

    module, kind = (KINDS | LISTS)[name]
    return load(path, getattr(import_module(f"popsed_core.{module}"), kind))


def _load_members(args: argparse.Namespace) -> list[Any] | None:
    if not args.members:
        return None
    from popsed_core.inference.ensemble import load_member

    return [load_member(path) for path in args.members]


def _load_costs(args: argparse.Namespace) -> dict[str, Any]:
    given = (
        ("step_costs", "step", args.bench_step, ("recipes",)),
        ("galaxy_costs", "galaxies", args.bench_galaxies, GALAXY_KEYS),
    )
    if not any(path for _, _, path, _ in given):
        return {}
    from popsed_core.costs.machine import read_costs

    return {
        name: read_costs(path, f"popsed bench {verb}", *keys)
        for name, verb, path, keys in given
        if path is not None
    }
