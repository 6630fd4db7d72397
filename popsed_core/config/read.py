"""Reading a configuration as people write it, and keeping the one that a run is made with.

A file that has all required sections is a configuration; any other is merged over the packaged
defaults, so that five lines are enough.
"""

import dataclasses
import hashlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from popsed_core.config.base import merge, parse, read_yaml, to_plain
from popsed_core.config.root import Config
from popsed_core.files.atomic import atomic_path
from popsed_core.files.packaged import packaged

DEFAULTS = "config.yaml"
KEPT = Path("results/configs")
HEADER = "# the whole configuration of a run: the defaults and all that was merged over them\n"
REQUIRED = {
    item.name
    for item in dataclasses.fields(Config)
    if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
}


def read_config(*paths: str | Path) -> Config:
    """Read a configuration: each file is merged over those before it, the first over the defaults.

    Args:
        paths: YAML files; without any, the defaults. A first file that has every required section
            stands for itself.

    Raises:
        InputError: a file is missing or no YAML, or a key is unknown, missing or wrong.
    """
    trees = [read_yaml(path) for path in paths]
    names = [str(path) for path in paths]
    if not trees or not _is_complete(trees[0]):
        trees.insert(0, read_yaml(packaged(DEFAULTS)))
    return parse_merged(trees, ", ".join(names) or DEFAULTS)


def parse_merged(trees: Sequence[dict[str, Any]], source: str) -> Config:
    """Return the configuration of trees of plain values, each merged over those before it.

    Raises:
        InputError: a key is unknown, missing or wrong.
    """
    return parse(Config, reduce(merge, trees), source)


def kept_text(config: Config) -> str:
    """Return a configuration as YAML, with every key; the same configuration is the same text."""
    return HEADER + yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True)


def kept_path(config: Config, folder: Path = KEPT) -> Path:
    """Return where a configuration is kept: the name is a hash of its content.

    Runs with different overlays share a folder, and their jobs may start much later; under a name
    of its content no file is ever replaced by another.
    """
    return folder / f"{hashlib.sha256(kept_text(config).encode()).hexdigest()[:8]}.yaml"


def keep(config: Config, folder: Path = KEPT) -> Path:
    """Write a configuration where it is kept, unless it is there, and return the path.

    Raises:
        InputError: the folder cannot be written.
    """
    path, text = kept_path(config, folder), kept_text(config)
    if not (path.is_file() and path.read_text() == text):
        with atomic_path(path) as partial:
            partial.write_text(text)
    return path


def _is_complete(tree: dict[str, Any]) -> bool:
    return tree.keys() >= REQUIRED
