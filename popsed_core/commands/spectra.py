"""``popsed spectra chunk``: the training set of the emulator, chunk by chunk."""

import argparse
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
    provenance,
)


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
        help="go on with and save to this file, which goes when the chunk is complete",
    )
    add_threads(chunk)
    chunk.add_argument("output", type=Path, help="chunk to write (HDF5)")
    chunk.set_defaults(label="chunk {chunk}: ")


def run_chunk(args: argparse.Namespace) -> None:
    """Make and write one chunk."""
    from popsed_core.artefacts import load
    from popsed_core.config import ParameterConfig, SpectraConfig, TrainingSetConfig, from_json
    from popsed_core.runtime import set_threads
    from popsed_core.spectra.ssp import SSPGrid
    from popsed_core.spectra.training_set import ChunkTask, make_chunk

    set_threads(args.n_threads)
    task = ChunkTask(
        chunk=args.chunk,
        seed=args.seed,
        training=from_json(TrainingSetConfig, args.section, "--section"),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=from_json(dict[str, ParameterConfig], args.parameters, "--parameters"),
    )
    grid = load(args.ssp, SSPGrid)
    make_chunk(
        task, grid, args.output, args.partial, provenance(args, {"ssp": args.ssp}, grid.source)
    )
