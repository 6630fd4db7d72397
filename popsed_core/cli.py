"""The console script ``popsed``: the entry point of users and workflow rules alike.

Thin: each verb parses its arguments, reads its files, calls one function of the package and
writes the result.  A user error is reported as one line on standard error.
"""

import argparse
import sys
from collections.abc import Sequence

from popsed_core.commands import (
    bench,
    catalogue,
    config,
    crate,
    data,
    doctor,
    emulator,
    ensemble,
    figure,
    fit,
    fsps,
    init,
    mock,
    noise,
    plan,
    products,
    provenance,
    run,
    spectra,
    ssp,
)
from popsed_core.commands.common import OneLineParser
from popsed_core.commands.configured import prepare
from popsed_core.errors import InputError
from popsed_core.files.version import __version__
from popsed_core.running.logs import start_logging

NOUNS = (
    init,
    run,
    data,
    fsps,
    ssp,
    spectra,
    emulator,
    catalogue,
    mock,
    noise,
    fit,
    ensemble,
    products,
    figure,
    config,
    bench,
    plan,
    provenance,
    crate,
    doctor,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; return the exit status."""
    args = build_parser().parse_args(arguments)
    try:
        prepare(args)
        start_logging(args.label.format(**vars(args)), args.debug)
        return args.run(args) or 0
    except (InputError, FloatingPointError, OSError) as error:
        if args.debug:
            raise
        sys.stderr.write(f"popsed: error: {' '.join(str(error).split())}\n")
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = OneLineParser(
        prog="popsed", description="The population of galaxies from their photometry alone."
    )
    parser.add_argument("--version", action="version", version=f"popsed {__version__}")
    nouns = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for noun in NOUNS:
        noun.register(nouns)
    return parser
