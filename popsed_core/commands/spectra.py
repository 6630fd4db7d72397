"""``popsed spectra chunk|index|basis``: training set and principal components of the emulator."""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_optional,
    add_output,
    add_threads,
    add_verb,
)
from popsed_core.commands.configured import add_config
from popsed_core.provenance.verbs import code_of, numbered, provenance

FOLDER = Path("results/emulator")


def register(nouns: Subparsers) -> None:
    """Add the noun ``spectra``."""
    verbs = add_noun(nouns, "spectra", "the emulator's training set")
    chunk = add_verb(verbs, "chunk", run_chunk, "make spectra [dex(Lsun/Hz/Msun)]; resumes")
    chunk.add_argument("--chunk", type=int, required=True, metavar="K", help="counts from 1")
    add_config(chunk, _paths_of_chunk, has_survey=False)
    add_inputs(chunk, "ssp")
    add_optional(chunk, "--fsps-data", "record of `popsed fsps fetch`, for the method fsps")
    chunk.add_argument(
        "--partial",
        type=Path,
        metavar="PATH",
        help="continue from and save to this folder, which is removed when the chunk is complete",
    )
    add_threads(chunk)
    add_output(chunk, "chunk to write (HDF5)")
    chunk.set_defaults(label="chunk {chunk}: ")
    index = add_verb(verbs, "index", run_index, "list the chunks and which are for validation")
    add_config(index, _paths_of_index, has_survey=False)
    index.add_argument("--chunks", type=Path, nargs="+", metavar="PATH", help="chunks (HDF5)")
    add_output(index, "index to write (HDF5)")
    basis = add_verb(verbs, "basis", run_basis, "principal components of a segment [dex]")
    basis.add_argument("--segment", type=int, required=True, metavar="K", help="counts from 0")
    add_config(basis, _paths_of_basis, has_survey=False)
    basis.add_argument("--training-set", type=Path, metavar="PATH", help="index")
    add_threads(basis)
    add_output(basis, "components to write (HDF5)")
    basis.set_defaults(label="segment {segment}: ")


def _paths_of_chunk(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import SSP, chunk_file, fsps_record

    is_by_fsps = config.training_set.method == "fsps"
    return {
        "ssp": SSP,
        "fsps_data": next(iter(fsps_record(config) if is_by_fsps else []), None),
        # named by the code, so that one chunk never mixes two versions
        "partial": FOLDER / "partial" / f"chunk_{args.chunk}_{code_of(args.verb)}.f4",
        "output": chunk_file(args.chunk),
    }


def _paths_of_index(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import chunk_files

    return {"chunks": chunk_files(config), "output": FOLDER / "training_set.h5"}


def _paths_of_basis(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    index = FOLDER / "training_set.h5"
    return {"training_set": index, "output": FOLDER / f"basis_{args.segment}.h5"}


def run_chunk(args: argparse.Namespace) -> None:
    """Make and write one chunk."""
    from popsed_core.config.base import parse
    from popsed_core.config.emulator import TrainingSetConfig
    from popsed_core.config.parameters import ParameterConfig
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.config.ssp import FSPSConfig
    from popsed_core.emulator.training_set import ChunkTask, make_chunk
    from popsed_core.files.artefacts import load
    from popsed_core.files.lock import one_writer
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.fsps_data import data_folder
    from popsed_core.stellar.ssp.grid import SSPGrid

    set_threads(args.n_threads)
    given = args.settings
    task = ChunkTask(
        chunk=args.chunk,
        seed=given.seed,
        training=parse(TrainingSetConfig, given.section, "training_set"),
        spectra=parse(SpectraConfig, given.more["spectra"], "spectra"),
        parameters=parse(dict[str, ParameterConfig], given.more["parameters"], "parameters"),
    )
    if task.training.method == "fsps":
        fsps = parse(FSPSConfig, given.more["fsps"], "ssp.fsps")
        task = dataclasses.replace(task, sps_home=str(data_folder(fsps, args.fsps_data)))
    grid = load(args.ssp, SSPGrid)
    origin = provenance(args, {"ssp": args.ssp}, grid.source, chunk=args.chunk)
    with one_writer(args.partial):
        make_chunk(task, grid, args.output, args.partial, origin)


def run_index(args: argparse.Namespace) -> None:
    """Gather chunks into an index."""
    from popsed_core.emulator.training_index import make_index
    from popsed_core.files.artefacts import load_provenance, save

    n_validation = args.settings.more["n_validation"]
    index = make_index(args.chunks, n_validation, args.output.parent)
    first = load_provenance(args.chunks[0])
    origin = provenance(args, numbered("chunk", args.chunks), first.source)
    save(index, args.output, dataclasses.replace(origin, config=first.config, seed=first.seed))


def run_basis(args: argparse.Namespace) -> None:
    """Find and write the components of a segment."""
    from popsed_core.config.base import parse
    from popsed_core.config.emulator import EmulatorConfig
    from popsed_core.emulator.pca import fit_basis
    from popsed_core.emulator.training_index import TrainingSet
    from popsed_core.files.artefacts import load_provenance, save
    from popsed_core.running.runtime import set_threads

    set_threads(args.n_threads)
    config = parse(EmulatorConfig, args.settings.section, "emulator")
    basis = fit_basis(TrainingSet(args.training_set), args.segment, config)
    source = load_provenance(args.training_set).source
    basis = dataclasses.replace(basis, source=source)
    inputs = {"training_set": args.training_set}
    save(basis, args.output, provenance(args, inputs, source, segment=args.segment))
