"""Reading a configuration as people write it.

A file that has all required sections is a configuration; any other is merged over the packaged
defaults, so that five lines are enough.
"""

import dataclasses
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from popsed_core.config.base import merge, parse, read_yaml
from popsed_core.config.root import Config
from popsed_core.files.packaged import packaged

DEFAULTS = "config.yaml"
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
    if not trees or not trees[0].keys() >= REQUIRED:
        trees.insert(0, read_yaml(packaged(DEFAULTS)))
    return parse_merged(trees, ", ".join(names) or DEFAULTS)


def parse_merged(trees: Sequence[dict[str, Any]], source: str) -> Config:
    """Return the configuration of trees of plain values, each merged over those before it.

    Raises:
        InputError: a key is unknown, missing or wrong.
    """
    return parse(Config, reduce(merge, trees), source)
