"""``popsed crate``: a finished run as an RO-Crate, for archives and other people's tools."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_verb
from popsed_core.provenance.verbs import numbered, provenance


def register(nouns: Subparsers) -> None:
    """Add the verb ``crate``."""
    crate = add_verb(nouns, "crate", run_crate, "describe a finished run as an RO-Crate")
    crate.add_argument("--survey", required=True, metavar="NAME", help="whose run it is")
    crate.add_argument(
        "--products",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="files of the run; what they were made from follows by itself",
    )
    crate.add_argument(
        "--workflow",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="the Snakefile, then what it includes and the configuration",
    )
    crate.add_argument(
        "--citation", type=Path, required=True, metavar="PATH", help="authors and paper (CFF)"
    )
    crate.add_argument(
        "output", type=Path, help="ro-crate-metadata.json to write; links to all files go beside it"
    )


def run_crate(args: argparse.Namespace) -> None:
    """Write the crate of a run, and its own record."""
    from popsed_core.config.base import read_yaml
    from popsed_core.errors import InputError
    from popsed_core.provenance.crate import METADATA, Run, write_crate
    from popsed_core.provenance.sidecars import read_record, write_beside

    if args.output.name != METADATA:
        raise InputError(f"{args.output}: the description of a crate is always called {METADATA}")
    run = Run(args.survey, args.products, args.workflow, read_yaml(args.citation))
    write_crate(run, args.output.parent)
    found = read_record(args.products[0])
    assert found is not None  # or there would be no crate
    inputs = numbered("product", args.products) | numbered("workflow", args.workflow)
    inputs |= {"citation": args.citation}
    write_beside(provenance(args, inputs, found.provenance.source, survey=args.survey), args.output)
