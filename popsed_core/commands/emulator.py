"""``popsed emulator train|assemble``: networks that predict spectra, one per wavelength segment."""

import argparse
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
)


def register(nouns: Subparsers) -> None:
    """Add the noun ``emulator``."""
    verbs = add_noun(nouns, "emulator", "networks that predict spectra")
    train = add_verb(verbs, "train", run_train, "train one wavelength segment; resumes")
    train.add_argument("--segment", type=int, required=True, metavar="K", help="counts from 0")
    add_section(train, "section", "training-set", "spectra", "parameters")
    add_seed(train)
    add_inputs(train, "ssp")
    train.add_argument(
        "--checkpoint", type=Path, required=True, metavar="PATH", help="resume from and save to"
    )
    train.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_threads(train)
    train.add_argument("output", type=Path, help="trained segment to write (.pt)")
    train.set_defaults(label="emulator segment {segment}: ")
    assemble = add_verb(verbs, "assemble", run_assemble, "put all segments into one emulator")
    assemble.add_argument(
        "--segments", type=Path, nargs="+", required=True, metavar="PATH", help="segments (.pt)"
    )
    assemble.add_argument("output", type=Path, help="emulator to write (.pt)")


def run_train(args: argparse.Namespace) -> None:
    """Train and write one segment."""
    from popsed_core.artefacts import load, sha256
    from popsed_core.config import (
        EmulatorConfig,
        ParameterConfig,
        SpectraConfig,
        TrainingSetConfig,
        from_json,
    )
    from popsed_core.loop import save_plain
    from popsed_core.runtime import set_threads
    from popsed_core.spectra.emulator_fit import SegmentTask, fit_segment
    from popsed_core.spectra.ssp import SSPGrid

    set_threads(args.n_threads)
    task = SegmentTask(
        segment=args.segment,
        seed=args.seed,
        emulator=from_json(EmulatorConfig, args.section, "--section"),
        training=from_json(TrainingSetConfig, args.training_set, "--training-set"),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=from_json(dict[str, ParameterConfig], args.parameters, "--parameters"),
        device=args.device,
    )
    grid = load(args.ssp, SSPGrid)
    save_plain(fit_segment(task, grid, sha256(args.ssp), args.checkpoint), args.output)
    args.checkpoint.unlink(missing_ok=True)  # or it would stop the next, changed configuration


def run_assemble(args: argparse.Namespace) -> None:
    """Check that the segments belong together and write them as one file."""
    from popsed_core.loop import load_plain, save_plain
    from popsed_core.spectra.emulator import assemble

    segments = [load_plain(path) for path in args.segments]
    save_plain({"segments": assemble(segments, [str(path) for path in args.segments])}, args.output)


def read_emulator(args: argparse.Namespace, task: Any) -> Any:
    """Return the emulator that a fit asks for, or None where the engine is exact.

    Args:
        args: with ``ssp`` and ``emulator``, the paths.
        task: the fit, with its spectra and parameters.

    Raises:
        InputError: there is none, or it was trained on something else.
    """
    from popsed_core.artefacts import sha256
    from popsed_core.errors import InputError
    from popsed_core.loop import load_plain
    from popsed_core.spectra.emulator import check_emulator

    if task.spectra.engine == "exact" or args.emulator is None:
        return None
    found = load_plain(args.emulator)
    segments = found.get("segments") if isinstance(found, dict) else None
    if not segments:
        raise InputError(f"{args.emulator}: no emulator; make it with `popsed emulator assemble`")
    check_emulator(segments, sha256(args.ssp), task.spectra, task.parameters, str(args.emulator))
    return segments


def add_emulator(parser: argparse.ArgumentParser) -> None:
    """Add the emulator that a fit may use."""
    parser.add_argument(
        "--emulator", type=Path, metavar="PATH", help="needed where spectra.engine is emulator"
    )
