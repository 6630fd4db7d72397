"""``popsed emulator train|assemble|validate|compare``: networks that predict spectra."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_engines,
    add_inputs,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
    positive,
    worst_source,
    write_json,
    write_text,
)
from popsed_core.provenance.verbs import numbered, provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``emulator``."""
    verbs = add_noun(nouns, "emulator", "networks that predict spectra")
    _add_train(verbs)
    assemble = add_verb(verbs, "assemble", run_assemble, "put all segments into one emulator")
    assemble.add_argument(
        "--segments", type=Path, nargs="+", required=True, metavar="PATH", help="segments (.pt)"
    )
    assemble.add_argument("output", type=Path, help="emulator to write (.pt)")
    validate = add_verb(verbs, "validate", run_validate, "compare with the exact spectra")
    add_inputs(validate, "ssp")
    validate.add_argument("--emulator", type=Path, required=True, metavar="PATH", help="(.pt)")
    validate.add_argument(
        "--n-spectra", type=positive, default=10_000, metavar="N", help="never trained on [10000]"
    )
    validate.add_argument(
        "--fsps", metavar="JSON", help="section ssp.fsps: time FSPS itself too, if it made the SSPs"
    )
    validate.add_argument(
        "--fsps-data", type=Path, metavar="PATH", help="record of `popsed fsps fetch`, likewise"
    )
    add_threads(validate)
    _add_reports(validate)
    validate.add_argument("output", type=Path, help="certificate to write (HDF5)")
    compare = add_verb(verbs, "compare", run_compare, "one survey with exact and emulated spectra")
    add_engines(compare)
    add_inputs(compare, "reference", is_required=False)
    compare.add_argument(
        "--csv", type=Path, required=True, metavar="OUT", help="one row per quantity (CSV)"
    )
    _add_reports(compare)


def _add_train(verbs: Subparsers) -> None:
    train = add_verb(verbs, "train", run_train, "train one wavelength segment; resumes")
    train.add_argument("--segment", type=int, required=True, metavar="K", help="counts from 0")
    add_section(train, "section", "training-set", "spectra", "parameters")
    add_seed(train)
    add_inputs(train, "ssp")
    train.add_argument(
        "--checkpoint", type=Path, required=True, metavar="PATH", help="resume from and save to"
    )
    train.add_argument(
        "--chunks", type=Path, metavar="PATH", help="index, where emulator.source is chunks"
    )
    train.add_argument(
        "--basis", type=Path, metavar="PATH", help="principal components of the segment, likewise"
    )
    train.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_threads(train)
    train.add_argument("output", type=Path, help="trained segment to write (.pt)")
    train.set_defaults(label="emulator segment {segment}: ")


def run_train(args: argparse.Namespace) -> None:
    """Train and write one segment."""
    from popsed_core.config.base import from_json
    from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
    from popsed_core.config.parameters import parameters_from_json
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.emulator.data import SegmentTask
    from popsed_core.emulator.fit import ChunkFiles, fit_segment
    from popsed_core.files.artefacts import load, sha256
    from popsed_core.files.lock import one_writer
    from popsed_core.running.gpus import one_gpu
    from popsed_core.running.loop import forget, save_plain
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid

    set_threads(args.n_threads)
    task = SegmentTask(
        segment=args.segment,
        seed=args.seed,
        emulator=from_json(EmulatorConfig, args.section, "--section"),
        training=from_json(TrainingSetConfig, args.training_set, "--training-set"),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=parameters_from_json(args.parameters, "--parameters"),
        device=args.device,
    )
    grid = load(args.ssp, SSPGrid)
    files = None
    if task.emulator.source == "chunks" and args.chunks is not None and args.basis is not None:
        files = ChunkFiles(args.chunks, args.basis)
    inputs = {"ssp": args.ssp} | ({} if files is None else files._asdict())
    origin = provenance(args, inputs, grid.source)
    with one_writer(args.checkpoint), one_gpu(args.device):
        segment = fit_segment(task, grid, sha256(args.ssp), args.checkpoint, files)
        save_plain({**segment, "provenance": asdict(origin)}, args.output)
        forget(args.checkpoint)


def run_assemble(args: argparse.Namespace) -> None:
    """Check that the segments belong together and write them as one file."""
    from popsed_core.emulator.emulator import assemble
    from popsed_core.running.loop import load_plain, save_plain

    segments = [load_plain(path) for path in args.segments]
    whole = assemble(segments, [str(path) for path in args.segments])
    origin = provenance(args, numbered("segment", args.segments), whole[0]["source"])
    origin = replace(origin, config=whole[0]["emulator"], seed=whole[0]["seed"])
    save_plain({"segments": whole, "provenance": asdict(origin)}, args.output)


def run_validate(args: argparse.Namespace) -> None:
    """Measure an emulator's errors and speed, and write its certificate."""
    from popsed_core.config.base import from_json
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.config.ssp import FSPSConfig
    from popsed_core.costs.emulator_speed import fsps_rate, throughput
    from popsed_core.diagnostics.emulator_accuracy import measure
    from popsed_core.diagnostics.emulator_report import accuracy_markdown, summarise_accuracy
    from popsed_core.emulator.emulator import check_emulator
    from popsed_core.files.artefacts import load, save, sha256
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.fsps_data import data_folder
    from popsed_core.stellar.ssp.grid import SSPGrid

    set_threads(args.n_threads)
    segments = _read_segments(args.emulator)
    own = from_json(SpectraConfig, segments[0]["spectra"], str(args.emulator))
    check_emulator(segments, sha256(args.ssp), own, {}, str(args.emulator))
    grid = load(args.ssp, SSPGrid)
    accuracy = measure(segments, grid, args.n_spectra)
    speed = throughput(segments, grid)
    if args.fsps is not None:
        folder = data_folder(from_json(FSPSConfig, args.fsps, "--fsps"), args.fsps_data)
        speed["spectra_forward"]["fsps"] = fsps_rate(segments, grid, folder)
    origin = provenance(args, {"emulator": args.emulator, "ssp": args.ssp}, accuracy.source)
    origin = replace(origin, config=segments[0]["emulator"], seed=segments[0]["seed"])
    save(accuracy, args.output, origin)
    numbers = summarise_accuracy(accuracy, speed, origin.inputs["emulator"])
    write_json(numbers, args.json)
    write_text(accuracy_markdown(numbers), args.markdown)
    write_beside(origin, args.json, args.markdown)


def run_compare(args: argparse.Namespace) -> None:
    """Compare the populations of two fits and write what differs."""
    from popsed_core.diagnostics.emulator_effect import (
        compare_engines,
        engines_csv,
        engines_markdown,
    )
    from popsed_core.files.artefacts import load
    from popsed_core.inference.samples import PopulationSamples
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.surveys.catalogue import Reference

    exact, emulated = (load(path, PopulationSamples) for path in (args.exact, args.emulated))
    reference = None if args.reference is None else load(args.reference, Reference)
    numbers = compare_engines(exact, emulated, reference)
    write_json(numbers, args.json)
    write_text(engines_csv(numbers), args.csv)
    write_text(engines_markdown(numbers), args.markdown)
    inputs = {name: getattr(args, name) for name in ("exact", "emulated", "reference")}
    origin = provenance(args, inputs, worst_source(exact.source, emulated.source))
    write_beside(origin, args.json, args.csv, args.markdown)


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
    segments = _read_segments(args.emulator)
    check_emulator(segments, sha256(args.ssp), task.spectra, task.parameters, str(args.emulator))
    if args.accuracy is not None:
        _log_accuracy(args.accuracy, args.emulator)
    return segments


def _read_segments(path: Path) -> Any:
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
            "make it anew with `popsed emulator validate`"
        )
    logging.getLogger(__name__).info("emulator: %s", headline(numbers))


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", type=Path, required=True, metavar="OUT", help="every number (JSON)"
    )
    parser.add_argument(
        "--markdown", type=Path, required=True, metavar="OUT", help="the same, to read (Markdown)"
    )


def add_emulator(parser: argparse.ArgumentParser) -> None:
    """Add the emulator that a fit may use."""
    parser.add_argument(
        "--emulator", type=Path, metavar="PATH", help="needed where spectra.engine is emulator"
    )
    parser.add_argument(
        "--accuracy", type=Path, metavar="PATH", help="its certificate, to be logged (JSON)"
    )
