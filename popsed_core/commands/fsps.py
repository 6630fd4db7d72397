"""``popsed fsps fetch``: get the data that FSPS needs."""

import argparse
from pathlib import Path
from typing import Any

from popsed_core.commands.common import Subparsers, add_noun, add_verb
from popsed_core.commands.configured import add_config
from popsed_core.provenance.verbs import provenance


def register(nouns: Subparsers) -> None:
    """Add the noun ``fsps``."""
    verbs = add_noun(nouns, "fsps", "the data of FSPS (SPS_HOME)")
    fetch = add_verb(verbs, "fetch", run_fetch, "clone the FSPS repository at one revision")
    add_config(fetch, _paths, has_survey=False)
    fetch.add_argument(
        "record",
        type=Path,
        nargs="?",
        metavar="OUT",
        help="JSON file to write; the data go beside it: fsps.json, fsps/",
    )


def _paths(config: Any, args: argparse.Namespace) -> dict[str, Any]:
    from popsed_core.config.paths import FSPS

    return {"record": FSPS}


def run_fetch(args: argparse.Namespace) -> None:
    """Clone the FSPS data."""
    from popsed_core.config.base import parse
    from popsed_core.config.ssp import FSPSConfig
    from popsed_core.provenance.sidecars import write_beside
    from popsed_core.stellar.ssp.fetch_fsps import fetch_fsps

    fetch_fsps(parse(FSPSConfig, args.settings.section, "ssp.fsps"), args.record)
    write_beside(provenance(args, {}, "real"), args.record)
