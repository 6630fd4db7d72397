"""``popsed catalogue build``: read a survey's table, correct and select its galaxies."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from popsed_core.commands.common import (
    Pair,
    Subparsers,
    add_noun,
    add_redshift_range,
    add_section,
    add_verb,
)
from popsed_core.provenance.verbs import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``catalogue``."""
    verbs = add_noun(nouns, "catalogue", "observed galaxies")
    build = add_verb(verbs, "build", run_build, "make AB magnitudes [mag] and apply the cuts")
    add_section(build, "section")
    build.add_argument(
        "--input", type=Path, nargs="+", default=[], metavar="PATH", help="the survey's tables"
    )
    add_redshift_range(build)
    build.add_argument(
        "--wave",
        type=float,
        nargs=2,
        action=Pair,
        metavar=("LOW", "HIGH"),
        help="what the spectra of the fit to come will cover, rest frame [AA]",
    )
    build.add_argument(
        "--igm",
        choices=("inoue14", "none"),
        default="none",
        help="spectra.igm of the fit to come [none]",
    )
    add_outputs(build)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the three files that a catalogue consists of."""
    parser.add_argument(
        "--catalogue", type=Path, required=True, metavar="OUT", help="photometry [mag] (HDF5)"
    )
    parser.add_argument(
        "--reference", type=Path, required=True, metavar="OUT", help="redshifts etc. (HDF5)"
    )
    parser.add_argument(
        "--cut-flow",
        type=Path,
        required=True,
        metavar="OUT",
        help="rows in and out of each cut (CSV)",
    )


def run_build(args: argparse.Namespace) -> None:
    """Read, select and write a survey."""
    from popsed_core.config.base import from_json
    from popsed_core.config.surveys import Survey
    from popsed_core.surveys.build import build_catalogue

    survey = from_json(Survey, args.section, "--section")
    catalogue, reference = build_catalogue(
        survey,
        *args.input,
        redshift_range=args.redshift,
        spectrum_range=args.wave,
        igm=args.igm,
    )
    inputs = {f"input_{k}" if k else "input": path for k, path in enumerate(args.input)}
    save_catalogue(args, catalogue, reference, inputs)


def save_catalogue(
    args: argparse.Namespace,
    catalogue: "popsed_core.surveys.catalogue.Catalogue",
    reference: "popsed_core.surveys.catalogue.Reference",
    inputs: Mapping[str, Path | None],
) -> None:
    """Write the catalogue, its reference and its cut-flow."""
    from popsed_core.files.artefacts import save
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.surveys.catalogue import write_cut_flow

    origin = provenance(args, inputs, catalogue.source)
    save(catalogue, args.catalogue, origin)
    save(reference, args.reference, origin)
    write_cut_flow(catalogue, args.cut_flow)
    write_beside(origin, args.cut_flow)
