"""``popsed ensemble sample``: draw the population from all members alike."""

import argparse
from dataclasses import replace
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_members,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
    check_bands,
    worst_source,
)
from popsed_core.commands.emulator import add_emulator, read_emulator
from popsed_core.provenance.verbs import numbered, provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``ensemble``."""
    verbs = add_noun(nouns, "ensemble", "all trained members together")
    sample = add_verb(verbs, "sample", run_sample, "draw equal numbers of galaxies per member")
    sample.add_argument("--survey", required=True, metavar="NAME", help="names the random stream")
    add_section(sample, "section", "spectra", "parameters")
    add_seed(sample)
    add_inputs(sample, "ssp", "catalogue", "noise")
    add_emulator(sample)
    add_members(sample)
    add_threads(sample)
    sample.add_argument("output", type=Path, help="samples to write (HDF5)")
    sample.set_defaults(label="{survey}: ")


def run_sample(args: argparse.Namespace) -> None:
    """Draw and write the population samples."""
    from popsed_core.config.base import from_json
    from popsed_core.config.fit import FitConfig
    from popsed_core.config.parameters import parameters_from_json
    from popsed_core.config.products import ProductsConfig
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.files.artefacts import load, save
    from popsed_core.inference.ensemble import load_member, sample_ensemble
    from popsed_core.inference.task import FitTask, Survey
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.catalogue import Catalogue

    set_threads(args.n_threads)
    products = from_json(ProductsConfig, args.section, "--section")
    members = [load_member(path) for path in args.members]
    task = FitTask(
        survey=args.survey,
        member=0,
        seed=args.seed,
        fit=from_json(FitConfig, members[0]["config"], str(args.members[0])),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=parameters_from_json(args.parameters, "--parameters"),
    )
    grid, catalogue = load(args.ssp, SSPGrid), load(args.catalogue, Catalogue)
    noise = load(args.noise, NoiseTable)
    check_bands(args, catalogue=catalogue, noise=noise)
    emulator = read_emulator(args, task)
    survey = Survey(grid, catalogue, noise, emulator)
    samples = sample_ensemble(task, products, survey, members)
    samples = replace(samples, source=worst_source(grid.source, catalogue.source))
    save(samples, args.output, provenance(args, _inputs(args), samples.source))


def _inputs(args: argparse.Namespace) -> dict[str, Path]:
    fixed = {"ssp": args.ssp, "catalogue": args.catalogue, "noise": args.noise}
    fixed |= {} if args.emulator is None else {"emulator": args.emulator}
    return fixed | numbered("member", args.members)
