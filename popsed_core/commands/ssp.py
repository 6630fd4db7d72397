"""``popsed ssp build``: read a library of simple stellar populations into one table."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_section, add_verb
from popsed_core.commands.origin import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``ssp``."""
    verbs = add_noun(nouns, "ssp", "simple stellar populations")
    build = add_verb(verbs, "build", run_build, "make the SSP table [Lsun/Hz/Msun]")
    add_section(build, "section")
    build.add_argument("--input", type=Path, metavar="PATH", help="library to read; toy: none")
    build.add_argument("output", type=Path, help="SSP table to write (HDF5)")


def run_build(args: argparse.Namespace) -> None:
    """Read a library and write the SSP table."""
    from popsed_core.artefacts import save
    from popsed_core.config import SSPConfig, from_json
    from popsed_core.spectra.build_ssp import build_ssp

    grid = build_ssp(from_json(SSPConfig, args.section, "--section"), args.input)
    save(grid, args.output, provenance(args, {"input": args.input}, grid.source))
