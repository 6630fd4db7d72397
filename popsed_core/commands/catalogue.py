"""``popsed catalogue build``: read a survey's table, correct and select its galaxies."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from popsed_core.commands.common import Subparsers, add_noun, add_verb
from popsed_core.commands.configured import add_config
from popsed_core.errors import InputError
from popsed_core.provenance.verbs import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``catalogue``."""
    verbs = add_noun(nouns, "catalogue", "observed galaxies")
    build = add_verb(verbs, "build", run_build, "make AB magnitudes [mag] and apply the cuts")
    add_config(build, _paths)
    build.add_argument("--input", type=Path, nargs="+", metavar="PATH", help="the survey's tables")
    add_outputs(build)


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import imitated, survey_tables

    if imitated(config, args.survey) is not None:
        raise InputError(f"survey {args.survey}: is a mock; make it with `popsed mock observe`")
    return {"input": survey_tables(config, args.survey), **output_paths(args.survey)}


def output_paths(survey: str) -> dict[str, str]:
    """Return where the three files of a catalogue go."""
    from popsed_core.config.paths import of_survey

    names = {"catalogue": "catalogue.h5", "reference": "reference.h5", "cut_flow": "cut_flow.csv"}
    return {option: of_survey(survey, name) for option, name in names.items()}


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the three files that a catalogue consists of."""
    parser.add_argument("--catalogue", type=Path, metavar="OUT", help="photometry [mag] (HDF5)")
    parser.add_argument("--reference", type=Path, metavar="OUT", help="redshifts etc. (HDF5)")
    parser.add_argument(
        "--cut-flow",
        type=Path,
        metavar="OUT",
        help="rows in and out of each cut (CSV)",
    )


def run_build(args: argparse.Namespace) -> None:
    """Read, select and write a survey."""
    from popsed_core.config.base import parse
    from popsed_core.config.surveys import Survey
    from popsed_core.surveys.build import build_catalogue

    survey = parse(Survey, args.settings.section, f"surveys.{args.survey}")
    fit_to_come = args.settings.more  # whose spectra have to cover the filters
    catalogue, reference = build_catalogue(
        survey,
        *args.input,
        redshift_range=tuple(fit_to_come["redshift"]),
        spectrum_range=tuple(fit_to_come["wave"]),
        igm=fit_to_come["igm"],
    )
    inputs = {f"input_{k}" if k else "input": path for k, path in enumerate(args.input)}
    save_catalogue(args, catalogue, reference, inputs)


def save_catalogue(
    args: argparse.Namespace,
    catalogue: "popsed_core.surveys.catalogue.Catalogue",
    reference: "popsed_core.surveys.catalogue.Reference",
    inputs: Mapping[str, Path | None],
    **names: Any,
) -> None:
    """Write the catalogue, its reference and its cut-flow."""
    from popsed_core.files.artefacts import save
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.surveys.catalogue import write_cut_flow

    origin = provenance(args, inputs, catalogue.source, **names)
    save(catalogue, args.catalogue, origin)
    save(reference, args.reference, origin)
    write_cut_flow(catalogue, args.cut_flow)
    write_beside(origin, args.cut_flow)
