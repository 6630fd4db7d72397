"""``popsed fit member``: train flows of the ensemble, one or several at once."""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_device,
    add_noun,
    add_threads,
    add_verb,
    positive,
    write_json,
)
from popsed_core.commands.configured import add_config
from popsed_core.commands.fit_inputs import add_fit_inputs, paths_of_fit, read_inputs, read_task
from popsed_core.errors import InputError
from popsed_core.provenance.verbs import code_of, provenance

log = logging.getLogger(__name__)


def register(nouns: Subparsers) -> None:
    """Add the noun ``fit``."""
    verbs = add_noun(nouns, "fit", "population flows")
    member = add_verb(verbs, "member", run_member, "train flows; resumes from their checkpoint")
    add_config(member, _paths)
    member.add_argument(
        "--member",
        type=positive,
        nargs="+",
        action=Numbers,
        required=True,
        metavar="K",
        help="counts from 1; several are trained together, with one output and cost each",
    )
    add_fit_inputs(member)
    member.add_argument(
        "--checkpoint",
        type=Path,
        metavar="PATH",
        help="resume from and save to this file, which goes when the flows are trained",
    )
    add_device(member)
    add_threads(member)
    member.add_argument(
        "--cost",
        type=Path,
        action="append",
        metavar="OUT",
        help="time [s] and memory [MB] of a member (JSON); once for each [beside the flow]",
    )
    member.add_argument(
        "output", type=Path, nargs="*", action=Several, help="trained flows to write (.pt)"
    )
    member.set_defaults(label="{survey} member {numbers}: ")


class Numbers(argparse.Action):
    """Keeps several numbers, and how a line of the log names them."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Store them."""
        namespace.member = values
        namespace.numbers = " ".join(map(str, values))


class Several(argparse.Action):
    """Keeps the values of an argument, or None where there are none."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: Any = None) -> None:
        """Store them."""
        setattr(namespace, self.dest, values or None)


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import member_file

    numbers = args.member
    outputs = args.output or [Path(member_file(args.survey, number)) for number in numbers]
    # named by the code, so that one training never mixes two versions
    name = f"member_{numbers[0]}" if len(numbers) == 1 else f"members_{numbers[0]}_{numbers[-1]}"
    folder = Path(*outputs[0].parts[:-2], "checkpoints")  # beside that of the flows
    return {
        **paths_of_fit(config, args),
        "output": outputs,
        "cost": [path.with_suffix(".json") for path in outputs],
        "checkpoint": folder / f"{name}_{code_of(args.verb)}.pt",
    }


def run_member(args: argparse.Namespace) -> None:
    """Train and write members."""
    from popsed_core.config.base import parse
    from popsed_core.config.fit import FitConfig
    from popsed_core.files.lock import one_writer
    from popsed_core.running.loop import delete_checkpoints
    from popsed_core.running.runtime import set_threads

    _check_numbers(args)
    set_threads(args.n_threads)
    fit = parse(FitConfig, args.settings.section, "fit")
    task = replace(read_task(args, args.member[0], fit), device=args.device)
    survey, inputs, source = read_inputs(args, task)
    tasks = [replace(task, member=number) for number in args.member]
    origin = provenance(args, inputs, source, survey=args.survey)
    with one_writer(args.checkpoint) as has_waited:
        if has_waited and _are_made(args, tasks, origin):
            log.info("another process has trained the same meanwhile")
        else:
            _train(args, tasks, survey, origin)
        delete_checkpoints(args.checkpoint)


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
    arguments = {**json.loads(origin.arguments), "member": args.member[k]}
    return replace(origin, arguments=json.dumps(arguments, sort_keys=True))


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
