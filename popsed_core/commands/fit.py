"""``popsed fit member``: train one flow of the ensemble."""

import argparse
from dataclasses import asdict
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_section,
    add_seed,
    add_threads,
    add_verb,
    check_bands,
    positive,
    provenance,
    worst_source,
    write_json,
)
from popsed_core.commands.emulator import add_emulator, read_emulator


def register(nouns: Subparsers) -> None:
    """Add the noun ``fit``."""
    verbs = add_noun(nouns, "fit", "population flows")
    member = add_verb(verbs, "member", run_member, "train one flow; resumes from its checkpoint")
    member.add_argument("--survey", required=True, metavar="NAME", help="names the random stream")
    member.add_argument("--member", type=positive, required=True, metavar="K", help="counts from 1")
    add_section(member, "section", "spectra", "parameters")
    add_seed(member)
    add_inputs(member, "ssp", "catalogue", "noise")
    add_emulator(member)
    member.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="PATH",
        help="resume from and save to this file, which goes when the flow is trained",
    )
    member.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_threads(member)
    member.add_argument(
        "--cost", type=Path, required=True, metavar="OUT", help="time [s] and memory [MB] (JSON)"
    )
    member.add_argument("output", type=Path, help="trained flow to write (.pt)")
    member.set_defaults(label="{survey} member {member}: ")


def run_member(args: argparse.Namespace) -> None:
    """Train and write one member."""
    from popsed_core.artefacts import load
    from popsed_core.config import FitConfig, SpectraConfig, from_json, parameters_from_json
    from popsed_core.inference.fit import FitTask, Survey, fit_member
    from popsed_core.loop import save_plain
    from popsed_core.photometry.catalogue import Catalogue
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.runtime import set_threads
    from popsed_core.spectra.ssp import SSPGrid

    set_threads(args.n_threads)
    task = FitTask(
        survey=args.survey,
        member=args.member,
        seed=args.seed,
        fit=from_json(FitConfig, args.section, "--section"),
        spectra=from_json(SpectraConfig, args.spectra, "--spectra"),
        parameters=parameters_from_json(args.parameters, "--parameters"),
        device=args.device,
    )
    grid, catalogue = load(args.ssp, SSPGrid), load(args.catalogue, Catalogue)
    noise = load(args.noise, NoiseTable)
    check_bands(args, catalogue=catalogue, noise=noise)
    emulator = read_emulator(args, task)
    survey = Survey(grid, catalogue, noise, emulator)
    member, cost = fit_member(task, survey, args.checkpoint)
    inputs = {"ssp": args.ssp, "catalogue": args.catalogue, "noise": args.noise}
    inputs |= {} if emulator is None else {"emulator": args.emulator}
    source = worst_source(grid.source, catalogue.source)
    origin = asdict(provenance(args, inputs, source))
    save_plain({**member, "source": source, "provenance": origin}, args.output)
    write_json(cost, args.cost)
    args.checkpoint.unlink(missing_ok=True)  # or it would stop the next, changed configuration
