"""``popsed bench step``: what a training step costs, of several recipes side by side."""

import argparse
from pathlib import Path

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_threads,
    add_verb,
    positive,
    say,
    write_json,
    write_text,
)
from popsed_core.errors import InputError

SIZES = (500, 1000, 2000)


def register(nouns: Subparsers) -> None:
    """Add the noun ``bench``."""
    verbs = add_noun(nouns, "bench", "what training costs on this machine")
    step = add_verb(verbs, "step", run_step, "time the parts of a step against its samples")
    step.add_argument("--survey", required=True, metavar="NAME", help="whose settings count")
    step.add_argument(
        "--recipe",
        action="append",
        required=True,
        metavar="NAME=FILE[,FILE...]",
        help="a configuration and its overlays, under a name; may be given several times",
    )
    step.add_argument(
        "--sizes", type=positive, nargs="+", default=SIZES, metavar="N", help="samples per step"
    )
    step.add_argument("--repeats", type=positive, default=5, metavar="N", help="steps timed [5]")
    step.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_inputs(step, "ssp", "catalogue", "noise")
    add_threads(step)
    step.add_argument("--markdown", type=Path, metavar="OUT", help="a table for people")
    step.add_argument("output", type=Path, help="costs to write (JSON)")


def run_step(args: argparse.Namespace) -> None:
    """Time, tell and write."""
    from popsed_core.products.step_costs import Bench, as_markdown, measure

    recipes = dict(_recipe(text) for text in args.recipe)
    inputs = {name: getattr(args, name) for name in ("ssp", "catalogue", "noise")}
    bench = Bench(args.survey, inputs, tuple(args.sizes), args.repeats, args.device, args.n_threads)
    costs = measure(bench, recipes)
    write_json(costs, args.output)
    table = as_markdown(costs)
    if args.markdown is not None:
        write_text(table, args.markdown)
    say(table)


def _recipe(text: str) -> tuple[str, tuple[Path, ...]]:
    name, _, files = text.partition("=")
    paths = tuple(Path(file) for file in files.split(",") if file)
    if not name or not paths:
        raise InputError(f"--recipe: got {text!r}, expected NAME=config.yaml,OVERLAY...")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"--recipe: no such file {', '.join(missing)}")
    return name, paths
