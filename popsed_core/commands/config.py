"""``popsed config check|describe``: what the configuration may say, and whether it does."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_verb, say


def register(nouns: Subparsers) -> None:
    """Add the noun ``config``."""
    verbs = add_noun(nouns, "config", "the configuration")
    check = add_verb(verbs, "check", run_check, "validate a configuration with its overlays")
    check.add_argument("config", type=Path, metavar="CONFIG", help="config.yaml")
    check.add_argument("overlays", type=Path, nargs="*", metavar="OVERLAY", help="merged over it")
    add_verb(verbs, "describe", run_describe, "print every key: type, default, unit, meaning")


def run_check(args: argparse.Namespace) -> None:
    """Validate and say what would be fitted."""
    from popsed_core.config import load

    config = load(args.config, *args.overlays)
    say(f"{args.config}: OK; fits {config.survey} with {config.fit.n_members} members")


def run_describe(args: argparse.Namespace) -> None:
    """Print every key."""
    from popsed_core.config_help import describe

    say(describe())
