"""``popsed ssp build``: read a library of simple stellar populations into one table."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_section, add_verb
from popsed_core.provenance.verbs import provenance

NEBULAR = {  # files behind the gas
    "continuum": "Cloudy grid of the continuum of gas (FITS; luminosity [Lsun/AA/Msun])",
    "lines": "Cloudy grid of its lines (FITS; luminosity [Lsun/Msun])",
    "wavelengths": "of these lines (text; [AA], in air)",
    "stars": "BC03's table, whose stars lit the grids; default: --input",
    "fsps": "record of the FSPS data with its own grids (JSON)",
}


def register(nouns: Subparsers) -> None:
    """Add the noun ``ssp``."""
    verbs = add_noun(nouns, "ssp", "simple stellar populations")
    build = add_verb(verbs, "build", run_build, "make the SSP table [Lsun/Hz/Msun]")
    add_section(build, "section")
    build.add_argument("--input", type=Path, metavar="PATH", help="library to read; toy: none")
    for name, text in NEBULAR.items():
        build.add_argument(f"--nebular-{name}", type=Path, metavar="PATH", help=text)
    build.add_argument("output", type=Path, help="SSP table to write (HDF5)")


def run_build(args: argparse.Namespace) -> None:
    """Read a library and write the SSP table."""
    from popsed_core.config.base import from_json
    from popsed_core.config.ssp import SSPConfig
    from popsed_core.files.artefacts import save
    from popsed_core.stellar.ssp.build import NebularFiles, build_ssp

    paths = {name: getattr(args, f"nebular_{name}") for name in NEBULAR}
    section = from_json(SSPConfig, args.section, "--section")
    grid = build_ssp(section, args.input, NebularFiles(**paths))
    inputs = {f"nebular_{name}": path for name, path in paths.items()}
    save(grid, args.output, provenance(args, {"input": args.input, **inputs}, grid.source))
