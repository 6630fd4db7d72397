"""``popsed doctor``: is this installation complete, and how is it mended."""

import argparse

from popsed_core.commands.common import Subparsers, add_verb, say


def register(nouns: Subparsers) -> None:
    """Add the verb ``doctor``."""
    add_verb(nouns, "doctor", run_doctor, "check the installation; exit 1 if it cannot work")


def run_doctor(args: argparse.Namespace) -> int:
    """Print all checks; return 1 if there is a problem."""
    from popsed_core.commands.doctor_checks import examine, format_checks, has_problem

    checks = examine()
    say(format_checks(checks))
    return int(has_problem(checks))
