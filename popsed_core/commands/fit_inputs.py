"""What `popsed fit member` and `popsed ensemble sample` read alike."""

import argparse
from pathlib import Path
from typing import Any

from popsed_core.commands.common import add_inputs, add_optional, check_bands
from popsed_core.files.provenance import worst_source

NAMES = ("ssp", "catalogue", "noise")


def add_fit_inputs(parser: argparse.ArgumentParser) -> None:
    """Add SSP table, catalogue, noise model and emulator."""
    add_inputs(parser, *NAMES)
    text = "emulator (.pt) to use instead of exact spectra [if spectra.engine asks for one]"
    add_optional(parser, "--emulator", text)
    parser.add_argument(
        "--accuracy",
        type=Path,
        metavar="PATH",
        help="the emulator's certificate, to be logged (JSON) [accuracy.json beside it]",
    )


def paths_of_fit(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Return where a survey's fit reads its files."""
    from popsed_core.config.paths import ACCURACY, EMULATOR, SSP, of_survey

    is_exact = config.spectra.engine == "exact"
    emulator = Path(args.emulator or EMULATOR)
    certificate = emulator.with_name(Path(ACCURACY).name)
    return {
        "ssp": SSP,
        "catalogue": of_survey(args.survey, "catalogue.h5"),
        "noise": of_survey(args.survey, "noise.h5"),
        "emulator": None if is_exact else EMULATOR,
        "accuracy": certificate if certificate.is_file() else None,
    }


def read_task(args: argparse.Namespace, member: int, fit: Any) -> Any:
    """Return the task of a fit, as the verb's settings have it.

    Args:
        args: the verb's arguments.
        member: its number.
        fit: its FitConfig.
    """
    from popsed_core.config.base import parse
    from popsed_core.config.parameters import ParameterConfig
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.inference.task import FitTask

    more = args.settings.more
    return FitTask(
        survey=args.survey,
        member=member,
        seed=args.settings.seed,
        fit=fit,
        spectra=parse(SpectraConfig, more["spectra"], "spectra"),
        parameters=parse(dict[str, ParameterConfig], more["parameters"], "parameters"),
    )


def read_inputs(args: argparse.Namespace, task: Any) -> tuple[Any, dict[str, Path], str]:
    """Return the survey of a fit, its files by role, and its source.

    Raises:
        InputError: a file is damaged, or they do not belong together.
    """
    from popsed_core.files.artefacts import load
    from popsed_core.inference.task import FitInputs
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.catalogue import Catalogue

    grid, catalogue = load(args.ssp, SSPGrid), load(args.catalogue, Catalogue)
    noise = load(args.noise, NoiseTable)
    check_bands(args, catalogue=catalogue, noise=noise)
    emulator = read_emulator(args, task)
    files = {name: getattr(args, name) for name in NAMES}
    files |= {} if emulator is None else {"emulator": args.emulator}
    source = worst_source(grid.source, catalogue.source)
    return FitInputs(grid, catalogue, noise, emulator), files, source


def read_emulator(args: argparse.Namespace, task: Any) -> Any:
    """Return the emulator that a fit asks for, or None where the engine is exact.

    Args:
        args: with ``ssp`` and ``emulator``, the paths.
        task: the fit, with its spectra and parameters.

    Raises:
        InputError: there is none, or it was trained on something else.
    """
    from popsed_core.emulator.emulator import check_emulator
    from popsed_core.files.artefacts import sha256

    if task.spectra.engine == "exact" or args.emulator is None:
        return None
    segments = read_segments(args.emulator)
    check_emulator(segments, sha256(args.ssp), task.spectra, task.parameters, str(args.emulator))
    if args.accuracy is not None:
        _log_accuracy(args.accuracy, args.emulator)
    return segments


def read_segments(path: Path) -> Any:
    """Return the segments of an emulator.

    Raises:
        InputError: the file holds none.
    """
    from popsed_core.errors import InputError
    from popsed_core.running.loop import load_plain

    found = load_plain(path)
    segments = found.get("segments") if isinstance(found, dict) else None
    if not segments:
        raise InputError(f"{path}: no emulator; make it with `popsed emulator assemble`")
    return segments


def _log_accuracy(path: Path, path_to_emulator: Path) -> None:
    """Log the certificate's numbers; refuse that of another emulator."""
    import logging

    from popsed_core.diagnostics.emulator_report import headline, read_accuracy
    from popsed_core.errors import InputError
    from popsed_core.files.artefacts import sha256

    numbers = read_accuracy(path)
    if numbers["emulator"] != sha256(path_to_emulator):
        raise InputError(
            f"{path}: of the emulator {numbers['emulator'][:12]}, not of {path_to_emulator}; "
            "regenerate it with `popsed emulator validate`"
        )
    logging.getLogger(__name__).info("emulator: %s", headline(numbers))
