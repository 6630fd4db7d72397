"""``popsed config check|describe``: what the configuration may say, and whether it does."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_verb, say
from popsed_core.errors import InputError


def register(nouns: Subparsers) -> None:
    """Add the noun ``config``."""
    verbs = add_noun(nouns, "config", "the configuration")
    check = add_verb(verbs, "check", run_check, "validate a configuration with its overlays")
    check.add_argument(
        "config", type=Path, nargs="+", metavar="FILE", help="each is merged over those before it"
    )
    describe = add_verb(
        verbs, "describe", run_describe, "print every key: type, value, unit, meaning"
    )
    describe.add_argument(
        "config", type=Path, nargs="*", metavar="FILE", help="each is merged over those before it"
    )
    describe.add_argument(
        "--defaults", action="store_true", help="instead all kinds of all sections, with defaults"
    )
    describe.add_argument(
        "--survey", metavar="NAME", help="whose values, its own changes included [the default's]"
    )


def run_check(args: argparse.Namespace) -> None:
    """Validate and say what would be fitted."""
    from popsed_core.config.read import read_config

    config = read_config(*args.config)
    files = " ".join(map(str, args.config))
    say(f"{files}: OK; fits {config.survey} with {config.fit.n_members} members")


def run_describe(args: argparse.Namespace) -> None:
    """Print every key."""
    from popsed_core.config.describe import describe
    from popsed_core.config.read import read_config

    if not args.defaults:
        say(describe(read_config(*args.config), args.survey))
    elif args.survey is None:
        say(describe())
    else:
        raise InputError(f"--survey: {args.survey} of which configuration? leave --defaults out")
