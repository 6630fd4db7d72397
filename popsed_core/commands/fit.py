"""``popsed fit member``: train flows of the ensemble, one or several at once."""

import argparse
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
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
    check_bands,
    positive,
    worst_source,
    write_json,
)
from popsed_core.commands.emulator import add_emulator, read_emulator
from popsed_core.errors import InputError
from popsed_core.provenance.verbs import arguments_of, provenance

log = logging.getLogger(__name__)


def register(nouns: Subparsers) -> None:
    """Add the noun ``fit``."""
    verbs = add_noun(nouns, "fit", "population flows")
    member = add_verb(verbs, "member", run_member, "train flows; resumes from their checkpoint")
    member.add_argument("--survey", required=True, metavar="NAME", help="names the random stream")
    member.add_argument(
        "--member",
        type=positive,
        nargs="+",
        action=Numbers,
        required=True,
        metavar="K",
        help="counts from 1; several are trained together, with one output and cost each",
    )
    add_section(member, "section", "spectra", "parameters")
    add_seed(member)
    add_inputs(member, "ssp", "catalogue", "noise")
    add_emulator(member)
    member.add_argument(
        "--checkpoint",
        type=Path,
        required=True,
        metavar="PATH",
        help="resume from and save to this file, which goes when the flows are trained",
    )
    member.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_threads(member)
    member.add_argument(
        "--cost",
        type=Path,
        action="append",
        required=True,
        metavar="OUT",
        help="time [s] and memory [MB] of a member (JSON); once for each",
    )
    member.add_argument("output", type=Path, nargs="+", help="trained flows to write (.pt)")
    member.set_defaults(label="{survey} member {numbers}: ")


class Numbers(argparse.Action):
    """Keeps several numbers, and how a line of the log names them."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Store them."""
        namespace.member = values
        namespace.numbers = " ".join(map(str, values))


def run_member(args: argparse.Namespace) -> None:
    """Train and write members."""
    from popsed_core.config.base import from_json
    from popsed_core.config.fit import FitConfig
    from popsed_core.config.parameters import parameters_from_json
    from popsed_core.config.spectra import SpectraConfig
    from popsed_core.files.artefacts import load
    from popsed_core.files.lock import one_writer
    from popsed_core.inference.task import FitTask, Survey
    from popsed_core.photometry.noise import NoiseTable
    from popsed_core.running.loop import forget
    from popsed_core.running.runtime import set_threads
    from popsed_core.stellar.ssp.grid import SSPGrid
    from popsed_core.surveys.catalogue import Catalogue

    _check_numbers(args)
    set_threads(args.n_threads)
    task = FitTask(
        survey=args.survey,
        member=args.member[0],
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
    tasks = [replace(task, member=number) for number in args.member]
    inputs = {"ssp": args.ssp, "catalogue": args.catalogue, "noise": args.noise}
    inputs |= {} if emulator is None else {"emulator": args.emulator}
    source = worst_source(grid.source, catalogue.source)
    origin = provenance(args, inputs, source)
    with one_writer(args.checkpoint) as has_waited:
        if has_waited and _are_made(args, tasks, origin):
            log.info("another process has trained the same meanwhile")
        else:
            _train(args, tasks, survey, origin)
        forget(args.checkpoint)


def _train(
    args: argparse.Namespace,
    tasks: Any,
    survey: Any,
    origin: "popsed_core.files.artefacts.Provenance",
) -> None:
    from popsed_core.inference.fit import fit_members
    from popsed_core.running.gpus import one_gpu

    with one_gpu(args.device):
        members, cost = fit_members(tasks, survey, args.checkpoint)
    _write(args, origin, members, cost)


def _own(args: argparse.Namespace, origin: "popsed_core.files.artefacts.Provenance", k: int) -> Any:
    """Return a member's record: the same trained alone or with others."""
    return replace(origin, arguments=arguments_of(args, member=args.member[k]))


def _write(
    args: argparse.Namespace,
    origin: "popsed_core.files.artefacts.Provenance",
    members: Sequence[Mapping[str, Any]],
    cost: Mapping[str, Any],
) -> None:
    """Write members and costs."""
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.running.loop import save_plain

    for k, member in enumerate(members):
        own = _own(args, origin, k)
        save_plain({**member, "source": own.source, "provenance": asdict(own)}, args.output[k])
        write_json(cost, args.cost[k])
        write_beside(own, args.cost[k])


def _are_made(
    args: argparse.Namespace, tasks: Any, origin: "popsed_core.files.artefacts.Provenance"
) -> bool:
    """Say whether all that is to be written is there, from the same data, settings and code."""
    from popsed_core.running.loop import load_plain

    if not all(path.exists() for path in (*args.output, *args.cost)):
        return False
    for k, (task, path) in enumerate(zip(tasks, args.output, strict=True)):
        found = load_plain(path)
        is_mine = (found.get("survey"), found.get("member")) == (task.survey, task.member)
        if not is_mine or found.get("provenance") != asdict(_own(args, origin, k)):
            return False
    return True


def _check_numbers(args: argparse.Namespace) -> None:
    if not len(args.member) == len(args.cost) == len(args.output):
        raise InputError(
            f"--member: got {len(args.member)} members, {len(args.cost)} --cost and "
            f"{len(args.output)} outputs; expected as many of each"
        )
