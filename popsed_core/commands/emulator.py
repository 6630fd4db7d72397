"""``popsed emulator train|assemble|validate|compare``: networks that predict spectra."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_device,
    add_engines,
    add_inputs,
    add_noun,
    add_optional,
    add_output,
    add_threads,
    add_verb,
    positive,
    write_json,
    write_text,
)
from popsed_core.commands.configured import add_config
from popsed_core.commands.fit_inputs import read_segments
from popsed_core.files.provenance import worst_source
from popsed_core.provenance.verbs import code_of, numbered, provenance

FOLDER = Path("results/emulator")


def register(nouns: Subparsers) -> None:
    """Add the noun ``emulator``."""
    verbs = add_noun(nouns, "emulator", "networks that predict spectra")
    _add_train(verbs)
    assemble = add_verb(verbs, "assemble", run_assemble, "put all segments into one emulator")
    add_config(assemble, _paths_of_emulator, has_survey=False)
    assemble.add_argument("--segments", type=Path, nargs="+", metavar="PATH", help="segments (.pt)")
    add_output(assemble, "emulator to write (.pt)")
    validate = add_verb(verbs, "validate", run_validate, "compare with the exact spectra")
    add_config(validate, _paths_of_certificate, has_survey=False)
    add_inputs(validate, "ssp")
    validate.add_argument("--emulator", type=Path, metavar="PATH", help="(.pt)")
    validate.add_argument(
        "--n-spectra", type=positive, default=10_000, metavar="N", help="never trained on [10000]"
    )
    text = "record of `popsed fsps fetch`: FSPS itself is timed too, if it made the SSP table"
    add_optional(validate, "--fsps-data", text)
    add_threads(validate)
    _add_reports(validate)
    add_output(validate, "certificate to write (HDF5)")
    compare = add_verb(verbs, "compare", run_compare, "one survey with exact and emulated spectra")
    add_config(compare, _paths_of_comparison)
    add_engines(compare)
    add_inputs(compare, "reference")
    compare.add_argument("--csv", type=Path, metavar="OUT", help="one row per quantity (CSV)")
    _add_reports(compare)


def _paths_of_emulator(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import EMULATOR, segment_files

    return {"segments": segment_files(config), "output": EMULATOR}


def _paths_of_certificate(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import ACCURACY, EMULATOR, SSP, fsps_record

    record = fsps_record(config) if config.ssp.reader == "fsps" else []
    outputs = {
        "json": ACCURACY,
        "markdown": FOLDER / "accuracy.md",
        "output": FOLDER / "accuracy.h5",
    }
    return {"ssp": SSP, "emulator": EMULATOR, "fsps_data": next(iter(record), None), **outputs}


def _paths_of_comparison(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import engine_samples, of_survey

    survey = args.survey
    names = {"csv": "engines.csv", "json": "engines.json", "markdown": "engines.md"}
    if args.exact is None and args.emulated is None:  # others' samples may be of another survey
        names["reference"] = "reference.h5"
    return {
        "exact": engine_samples(config, survey, "exact"),
        "emulated": engine_samples(config, survey, "emulator"),
        **{option: of_survey(survey, name) for option, name in names.items()},
    }


def _add_train(verbs: Subparsers) -> None:
    train = add_verb(verbs, "train", run_train, "train one wavelength segment; resumes")
    train.add_argument("--segment", type=int, required=True, metavar="K", help="counts from 0")
    add_config(train, _paths_of_segment, has_survey=False)
    add_inputs(train, "ssp")
    train.add_argument("--checkpoint", type=Path, metavar="PATH", help="resume from and save to")
    add_optional(train, "--chunks", "index, where emulator.source is chunks")
    add_optional(train, "--basis", "principal components of the segment, likewise")
    add_device(train)
    add_threads(train)
    add_output(train, "trained segment to write (.pt)")
    train.set_defaults(label="emulator segment {segment}: ")


def _paths_of_segment(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP

    is_fresh = config.emulator.source == "fresh"
    return {
        "ssp": SSP,
        "chunks": None if is_fresh else FOLDER / "training_set.h5",
        "basis": None if is_fresh else FOLDER / f"basis_{args.segment}.h5",
        # named by the code, so that one training never mixes two versions
        "checkpoint": FOLDER / "checkpoints" / f"segment_{args.segment}_{code_of(args.verb)}.pt",
        "output": FOLDER / f"segment_{args.segment}.pt",
    }


def run_train(args: argparse.Namespace) -> None:
    """Train and write one segment."""
    from popsed_core.config.base import parse
    from popsed_core.config.emulator import EmulatorConfig, TrainingSetConfig
    from popsed_core.config.parameters import ParameterConfig
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.emulator.data import SegmentTask
    from popsed_core.emulator.fit import ChunkFiles, fit_segment
    from popsed_core.files.artefacts import load, sha256
    from popsed_core.files.lock import one_writer
    from popsed_core.running.gpus import one_gpu
    from popsed_core.running.loop import delete_checkpoints, save_plain
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid

    set_threads(args.n_threads)
    given = args.settings
    task = SegmentTask(
        segment=args.segment,
        seed=given.seed,
        emulator=parse(EmulatorConfig, given.section, "emulator"),
        training=parse(TrainingSetConfig, given.more["training_set"], "training_set"),
        spectra=parse(SpectraConfig, given.more["spectra"], "spectra"),
        parameters=parse(dict[str, ParameterConfig], given.more["parameters"], "parameters"),
        device=args.device,
    )
    grid = load(args.ssp, SSPGrid)
    files = None
    if task.emulator.source == "chunks" and args.chunks is not None and args.basis is not None:
        files = ChunkFiles(args.chunks, args.basis)
    inputs = {"ssp": args.ssp} | ({} if files is None else files._asdict())
    origin = provenance(args, inputs, grid.source, segment=args.segment)
    with one_writer(args.checkpoint), one_gpu(args.device):
        segment = fit_segment(task, grid, sha256(args.ssp), args.checkpoint, files)
        save_plain({**segment, "provenance": asdict(origin)}, args.output)
        delete_checkpoints(args.checkpoint)


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
    from popsed_core.config.base import from_json, parse
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
    segments = read_segments(args.emulator)
    own = from_json(SpectraConfig, segments[0]["spectra"], str(args.emulator))
    check_emulator(segments, sha256(args.ssp), own, {}, str(args.emulator))
    grid = load(args.ssp, SSPGrid)
    accuracy = measure(segments, grid, args.n_spectra)
    speed = throughput(segments, grid)
    if (fsps := args.settings.more.get("fsps")) is not None:
        folder = data_folder(parse(FSPSConfig, fsps, "ssp.fsps"), args.fsps_data)
        speed["spectra_forward"]["fsps"] = fsps_rate(segments, grid, folder)
    inputs = {"emulator": args.emulator, "ssp": args.ssp}
    origin = provenance(args, inputs, accuracy.source, n_spectra=args.n_spectra)
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


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="OUT", help="every number (JSON)")
    parser.add_argument("--markdown", type=Path, metavar="OUT", help="the same, to read (Markdown)")
