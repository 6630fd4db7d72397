"""``popsed bench``: what training costs, by the samples of a step and by the galaxies."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from popsed_core.commands.common import (
    Subparsers,
    add_inputs,
    add_noun,
    add_verb,
    positive,
    say,
    write_json,
    write_text,
)
from popsed_core.commands.plan import galaxies
from popsed_core.errors import InputError

SIZES = (500, 1000, 2000)
GALAXIES = (10_000, 100_000, 1_000_000)
TOGETHER = (1, 2, 10)


def register(nouns: Subparsers) -> None:
    """Add the noun ``bench``."""
    verbs = add_noun(nouns, "bench", "what training costs on this machine")
    step = add_verb(verbs, "step", run_step, "time the parts of a step against its samples")
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
    _add_common(step)
    text = "time a fit against the number of galaxies; `popsed plan` reads it"
    fits = add_verb(verbs, "galaxies", run_galaxies, text)
    fits.add_argument(
        "--config",
        type=Path,
        nargs="+",
        default=[Path("config.yaml")],
        metavar="FILE",
        help="a configuration and its overlays [config.yaml]",
    )
    fits.add_argument(
        "--sizes",
        type=galaxies,
        nargs="+",
        default=GALAXIES,
        metavar="N",
        help="galaxies, drawn from the catalogue's [1e4 1e5 1e6]",
    )
    fits.add_argument(
        "--together",
        type=positive,
        nargs="+",
        default=TOGETHER,
        metavar="K",
        help="members in one job [1 2 10]",
    )
    _add_common(fits)


def _add_common(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--survey", required=True, metavar="NAME", help="whose settings count")
    verb.add_argument("--repeats", type=positive, default=5, metavar="N", help="steps timed [5]")
    verb.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train [auto]"
    )
    add_inputs(verb, "ssp", "catalogue", "noise", is_required=True)
    verb.add_argument("--n-threads", type=positive, default=1, metavar="N", help="CPU threads [1]")
    verb.add_argument(
        "--markdown", type=Path, metavar="OUT", help="human-readable table (Markdown)"
    )
    verb.add_argument("output", type=Path, help="costs to write (JSON)")


def run_step(args: argparse.Namespace) -> None:
    """Time, tell and write."""
    from popsed_core.costs.recipes import Bench, as_markdown, measure

    recipes = dict(_recipe(text) for text in args.recipe)
    costs = measure(Bench(**_bench(args)), recipes)
    _tell(args, costs, as_markdown(costs))


def run_galaxies(args: argparse.Namespace) -> None:
    """Time, tell and write."""
    from popsed_core.costs.galaxies import as_markdown, measure
    from popsed_core.costs.recipes import Bench

    costs = measure(Bench(**_bench(args)), args.config, args.together, args.output.parent)
    _tell(args, costs, as_markdown(costs))


def _bench(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "survey": args.survey,
        "inputs": {name: getattr(args, name) for name in ("ssp", "catalogue", "noise")},
        "sizes": tuple(args.sizes),
        "n_repeats": args.repeats,
        "device": args.device,
        "n_threads": args.n_threads,
    }


def _tell(args: argparse.Namespace, costs: Mapping[str, Any], table: str) -> None:
    write_json(costs, args.output)
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
