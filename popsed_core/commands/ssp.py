"""``popsed ssp build``: read a library of simple stellar populations into one table."""

import argparse
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_noun,
    add_optional,
    add_output,
    add_verb,
)
from popsed_core.commands.configured import add_config
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
    add_config(build, _paths, has_survey=False)
    add_optional(build, "--input", "library to read; toy: none")
    for name, text in NEBULAR.items():
        add_optional(build, f"--nebular-{name}", text)
    add_output(build, "SSP table to write (HDF5)")


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP, nebular_files, ssp_library

    nebular = {f"nebular_{name}": files for name, files in nebular_files(config).items()}
    several = {"input": ssp_library(config), **nebular}
    return {"output": SSP, **{name: next(iter(files), None) for name, files in several.items()}}


def run_build(args: argparse.Namespace) -> None:
    """Read a library and write the SSP table."""
    from popsed_core.config.base import parse
    from popsed_core.config.ssp import SSPConfig
    from popsed_core.files.artefacts import save
    from popsed_core.stellar.ssp.build import NebularFiles, build_ssp

    paths = {name: getattr(args, f"nebular_{name}") for name in NEBULAR}
    section = parse(SSPConfig, args.settings.section, "ssp")
    grid = build_ssp(section, args.input, NebularFiles(**paths))
    inputs = {f"nebular_{name}": path for name, path in paths.items()}
    save(grid, args.output, provenance(args, {"input": args.input, **inputs}, grid.source))
