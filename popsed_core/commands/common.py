"""What every verb of the command line shares: arguments with units, output lines.

Imports nothing heavy at the top, so that ``popsed --help`` answers at once.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

INPUTS = {
    "ssp": "SSP table (HDF5; luminosity [Lsun/Hz/Msun], wavelength [AA], age [dex Gyr])",
    "catalogue": "selected photometry (HDF5; AB magnitudes and errors [mag])",
    "reference": "what is known otherwise (HDF5; redshift, log mass [dex Msun], a mock's truth)",
    "noise": "noise model (HDF5; errors per band as a function of magnitude [mag])",
    "samples": "draws from the ensemble (HDF5; parameters in the units of parameters.py)",
}
NONE = ()  # an option that was given without a value, and so is not to be filled in
Subparsers = Any  # argparse keeps the class of `add_subparsers()` private


def natural(text: str) -> int:
    """Return a number that counts from 0."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """Return a number that counts from 1."""
    return _at_least(1, text)


def _at_least(lowest: int, text: str) -> int:
    try:
        value = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number") from error
    if value < lowest:
        raise argparse.ArgumentTypeError(f"got {value}, expected {lowest} or more")
    return value


class OneLineParser(argparse.ArgumentParser):
    """A parser that tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"popsed: error: {message}; try `{self.prog} --help`\n")


class AtMostOne(argparse.Action):
    """Keeps the value of an option, or ``NONE`` where it was given without one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Store it."""
        if len(values) > 1:
            parser.error(f"argument {option}: expected one path or none, got {len(values)}")
        setattr(namespace, self.dest, values[0] if values else NONE)


def add_noun(nouns: Subparsers, name: str, text: str) -> Subparsers:
    """Add a noun such as ``fit`` and return the place for its verbs."""
    parser = nouns.add_parser(name, help=text, description=text)
    return parser.add_subparsers(title="verbs", metavar="VERB", required=True)


def add_verb(
    verbs: Subparsers, name: str, run: Callable[[argparse.Namespace], Any], text: str
) -> argparse.ArgumentParser:
    """Add a verb that calls ``run(args)``; the text becomes its help."""
    parser = verbs.add_parser(name, help=text, description=text)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(run=run, label="", verb=parser.prog.partition(" ")[2])
    return parser


def add_inputs(parser: argparse.ArgumentParser, *names: str, is_required: bool = False) -> None:
    """Add options for artefacts to read."""
    for name in names:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(
            option, type=Path, required=is_required, metavar="PATH", help=INPUTS[name]
        )


def add_optional(parser: argparse.ArgumentParser, option: str, text: str) -> None:
    """Add an option with one path, or with none: then there is no such file."""
    parser.add_argument(
        option, type=Path, nargs="*", action=AtMostOne, metavar="PATH", help=f"{text}; may be empty"
    )


def add_output(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the file to write."""
    parser.add_argument("output", type=Path, nargs="?", metavar="OUT", help=text)


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the number of CPU threads."""
    parser.add_argument(
        "--n-threads", type=positive, metavar="N", help="CPU threads [runtime.n_threads, or 1]"
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add where to train."""
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), help="where to train [runtime.device, or auto]"
    )


def add_members(parser: argparse.ArgumentParser) -> None:
    """Add the trained members of an ensemble."""
    parser.add_argument(
        "--members",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="trained flows (.pt)",
    )


def add_engines(parser: argparse.ArgumentParser) -> None:
    """Add the samples of one survey with either engine of the spectra."""
    for name in ("exact", "emulated"):
        parser.add_argument(
            f"--{name}",
            type=Path,
            metavar="PATH",
            help=f"samples of a fit with {name} spectra (HDF5)",
        )


def check_bands(args: argparse.Namespace, **artefacts: Any) -> None:
    """Check that artefacts speak of the same bands in the same order.

    Args:
        args: the verb's arguments, for the paths.
        artefacts: what was read, by option; each has ``bands``.

    Raises:
        InputError: the bands of one differ from those of the first.
    """
    from popsed_core.errors import InputError

    first, *others = artefacts
    for name in others:
        found, wanted = artefacts[name].bands, artefacts[first].bands
        if found != wanted:
            raise InputError(
                f"{getattr(args, name)}: has the bands {' '.join(found)}, but "
                f"{getattr(args, first)} has {' '.join(wanted)}; give files of one survey"
            )


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Write plain values as JSON, atomically."""
    write_text(json.dumps(value, sort_keys=True, indent=1) + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text, atomically."""
    from popsed_core.files.artefacts import atomic_path

    with atomic_path(path) as partial:
        partial.write_text(text)


def say(text: str) -> None:
    """Write lines to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")
