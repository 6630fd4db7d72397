"""``popsed provenance FILE``: the tree of what a file was made from."""

import argparse
import json
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_verb, say


def register(nouns: Subparsers) -> None:
    """Add the verb ``provenance``."""
    text = "print what a file was made from, down to the first inputs"
    verb = add_verb(nouns, "provenance", run_provenance, text)
    verb.add_argument("file", type=Path, metavar="FILE", help="any file of the workflow")
    verb.add_argument("--json", action="store_true", help="the tree for machines")


def run_provenance(args: argparse.Namespace) -> None:
    """Print the tree of a file."""
    from popsed_core.provenance.tree import as_plain, as_text, tree_of

    tree = tree_of(args.file)
    say(json.dumps(as_plain(tree), indent=1) if args.json else as_text(tree))
