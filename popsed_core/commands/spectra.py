"""``popsed spectra chunk|index|basis``: training set and principal components of the emulator."""

import argparse
import dataclasses
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
)
from popsed_core.provenance.verbs import numbered, provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``spectra``."""
    verbs = add_noun(nouns, "spectra", "the emulator's training set")
    chunk = add_verb(verbs, "chunk", run_chunk, "make spectra [dex(Lsun/Hz/Msun)]; resumes")
    chunk.add_argument("--chunk", type=int, required=True, metavar="K", help="counts from 1")
    add_section(chunk, "section", "spectra", "parameters")
    add_seed(chunk)
    add_inputs(chunk, "ssp")
    chunk.add_argument(
        "--partial",
        type=Path,
        required=True,
        metavar="PATH",
        help="continue from and save to this folder, which is removed when the chunk is complete",
    )
    add_threads(chunk)
    chunk.add_argument("output", type=Path, help="chunk to write (HDF5)")
    chunk.add_argument(
        "--fsps", default="{}", metavar="JSON", help="section ssp.fsps, for the method fsps"
    )
    chunk.add_argument(
        "--fsps-data", type=Path, metavar="PATH", help="record of `popsed fsps fetch`, likewise"
    )
    chunk.set_defaults(label="chunk {chunk}: ")
    index = add_verb(verbs, "index", run_index, "list the chunks and which are for validation")
    index.add_argument(
        "--chunks", type=Path, nargs="+", required=True, metavar="PATH", help="chunks (HDF5)"
    )
    index.add_argument(
        "--n-validation", type=int, required=True, metavar="N", help="chunks never trained on"
    )
    index.add_argument("output", type=Path, help="index to write (HDF5)")
    basis = add_verb(verbs, "basis", run_basis, "principal components of a segment [dex]")
    basis.add_argument("--segment", type=int, required=True, metavar="K", help="counts from 0")
    add_section(basis, "section")
    basis.add_argument("--training-set", type=Path, required=True, metavar="PATH", help="index")
    add_threads(basis)
    basis.add_argument("output", type=Path, help="components to write (HDF5)")
    basis.set_defaults(label="segment {segment}: ")


def run_chunk(args: argparse.Namespace) -> None:
    """Make and write one chunk."""
    from popsed_core.config.base import from_json
    from popsed_core.config.emulator import TrainingSetConfig
    from popsed_core.config.parameters import parameters_from_json
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.config.ssp import FSPSConfig
    from popsed_core.emulator.training_set import ChunkTask, make_chunk
    from popsed_core.files.artefacts import load
    from popsed_core.files.lock import one_writer
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.fsps_data import data_folder
    from popsed_core.stellar.ssp.grid import SSPGrid

    set_threads(args.n_threads)
    task = ChunkTask(
        chunk=args.chunk,
        seed=args.seed,
        training=from_json(TrainingSetConfig, args.section, "--section"),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=parameters_from_json(args.parameters, "--parameters"),
    )
    if task.training.method == "fsps":
        fsps = from_json(FSPSConfig, args.fsps, "--fsps")
        task = dataclasses.replace(task, sps_home=str(data_folder(fsps, args.fsps_data)))
    grid = load(args.ssp, SSPGrid)
    origin = provenance(args, {"ssp": args.ssp}, grid.source)
    with one_writer(args.partial):
        make_chunk(task, grid, args.output, args.partial, origin)


def run_index(args: argparse.Namespace) -> None:
    """Gather chunks into an index."""
    from popsed_core.emulator.training_index import make_index
    from popsed_core.files.artefacts import load_provenance, save

    index = make_index(args.chunks, args.n_validation, args.output.parent)
    first = load_provenance(args.chunks[0])
    origin = provenance(args, numbered("chunk", args.chunks), first.source)
    save(index, args.output, dataclasses.replace(origin, config=first.config, seed=first.seed))


def run_basis(args: argparse.Namespace) -> None:
    """Find and write the components of a segment."""
    from popsed_core.config.base import from_json
    from popsed_core.config.emulator import EmulatorConfig
    from popsed_core.emulator.pca import fit_basis
    from popsed_core.emulator.training_index import TrainingSet
    from popsed_core.files.artefacts import load_provenance, save
    from popsed_core.running.runtime import set_threads

    set_threads(args.n_threads)
    config = from_json(EmulatorConfig, args.section, "--section")
    basis = fit_basis(TrainingSet(args.training_set), args.segment, config)
    source = load_provenance(args.training_set).source
    basis = dataclasses.replace(basis, source=source)
    save(basis, args.output, provenance(args, {"training_set": args.training_set}, source))
