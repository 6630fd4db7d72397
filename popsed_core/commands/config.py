"""``popsed config check|describe``: what the configuration may say, and whether it does."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_verb, say
from popsed_core.errors import InputError

DEFAULT = Path("config.yaml")


def register(nouns: Subparsers) -> None:
    """Add the noun ``config``."""
    verbs = add_noun(nouns, "config", "the configuration")
    check = add_verb(verbs, "check", run_check, "validate a configuration with its overlays")
    check.add_argument("config", type=Path, metavar="CONFIG", help="config.yaml")
    check.add_argument("overlays", type=Path, nargs="*", metavar="OVERLAY", help="merged over it")
    describe = add_verb(
        verbs, "describe", run_describe, "print every key: type, value, unit, meaning"
    )
    describe.add_argument(
        "config",
        type=Path,
        nargs="?",
        metavar="CONFIG",
        help="whose values [config.yaml, if there is one; else the defaults]",
    )
    describe.add_argument("overlays", type=Path, nargs="*", metavar="OVERLAY", help="merged over")
    describe.add_argument(
        "--defaults", action="store_true", help="instead all kinds of all sections, with defaults"
    )
    describe.add_argument(
        "--survey", metavar="NAME", help="whose values, its own changes included [the default's]"
    )


def run_check(args: argparse.Namespace) -> None:
    """Validate and say what would be fitted."""
    from popsed_core.config.root import load

    config = load(args.config, *args.overlays)
    say(f"{args.config}: OK; fits {config.survey} with {config.fit.n_members} members")


def run_describe(args: argparse.Namespace) -> None:
    """Print every key."""
    from popsed_core.config.describe import describe
    from popsed_core.config.root import load

    path = args.config or (DEFAULT if DEFAULT.is_file() else None)
    if args.defaults or path is None:
        if args.survey is not None:
            raise InputError(f"--survey: {args.survey} of which configuration? name its file")
        say(describe())
    else:
        say(describe(load(path, *args.overlays), args.survey))
