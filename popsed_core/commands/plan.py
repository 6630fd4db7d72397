"""``popsed plan``: how long an ensemble will take, before it is started."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_verb, positive, say, write_json

NEEDED = (
    "n_steps",
    *(f"{axis}.{key}" for axis in ("galaxies", "together") for key in ("n", "step_s", "memory_mb")),
    "galaxies.setup_s",
)
COSTS = "results/bars/galaxy_costs.json"


def register(nouns: Subparsers) -> None:
    """Add the verb ``plan``."""
    plan = add_verb(nouns, "plan", run_plan, "time and memory of an ensemble, from measured costs")
    plan.add_argument(
        "--galaxies", type=galaxies, required=True, metavar="N", help="in the catalogue, as 1e8"
    )
    plan.add_argument(
        "--gpus", type=positive, default=1, metavar="N", help="devices, with one job each [1]"
    )
    plan.add_argument(
        "--members", type=positive, default=10, metavar="N", help="flows of the ensemble [10]"
    )
    plan.add_argument(
        "--costs",
        type=Path,
        metavar="PATH",
        help=f"what `popsed bench galaxies` wrote [{COSTS}]",
    )
    plan.add_argument("--json", type=Path, metavar="OUT", help="the plan for machines")


def galaxies(text: str) -> int:
    """Return a number of galaxies, which may be written as 1e8."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < 1e15 or value % 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number such as 1e8")
    return int(value)


def run_plan(args: argparse.Namespace) -> None:
    """Tell, and write if asked."""
    from dataclasses import asdict

    from popsed_core.costs.machine import read_costs
    from popsed_core.costs.plan import as_text, make_plan
    from popsed_core.files.packaged import packaged

    costs = read_costs(args.costs or packaged(COSTS), "popsed bench galaxies", *NEEDED)
    plan = make_plan(costs, args.galaxies, args.members, args.gpus)
    if args.json is not None:
        write_json(asdict(plan) | {"total_s": plan.total_s}, args.json)
    say(as_text(plan, costs))
