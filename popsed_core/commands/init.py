"""``popsed init TABLE``: a first configuration, from the columns of a table."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_verb, say, write_text
from popsed_core.errors import InputError


def register(nouns: Subparsers) -> None:
    """Add the verb ``init``."""
    text = "write a first configuration from a table's columns; every guess is marked"
    init = add_verb(nouns, "init", run_init, text)
    init.add_argument("table", type=Path, help="FITS, CSV, ECSV, HDF5 or Parquet")
    init.add_argument("output", type=Path, nargs="?", default=Path("mine.yaml"), metavar="FILE",
                      help="configuration to write [mine.yaml]")  # fmt: skip
    init.add_argument("--survey", metavar="NAME", help="its name [that of the table]")
    init.add_argument("--key", metavar="NAME", help="HDU (FITS) or group (HDF5) [the first table]")


def run_init(args: argparse.Namespace) -> None:
    """Guess, write and say what to do next."""
    from popsed_core.config.read import read_config
    from popsed_core.surveys.guess import guess
    from popsed_core.surveys.overlay import as_yaml, survey_name
    from popsed_core.surveys.table_files import read_columns
    from popsed_core.surveys.units import read_units

    if args.output.exists():
        raise InputError(f"{args.output}: is there already; name another file, or remove it")
    columns = read_columns(args.table, args.key)
    found = guess(columns, read_units(args.table, args.key), args.table)
    name = args.survey or survey_name(args.table, read_config().surveys)
    write_text(as_yaml(found, name, args.table, args.output, args.key), args.output)
    bands = " ".join(band.name for band in found.bands)
    say(f"{args.output}: survey {name}, {found.quantity} in {bands}; check what is marked `guess`")
