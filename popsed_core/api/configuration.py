"""Configurations for a notebook: a file over the defaults, or the defaults with a few changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from popsed_core.config.base import read_yaml, to_plain
from popsed_core.config.read import DEFAULTS, parse_merged, read_config
from popsed_core.config.root import Config
from popsed_core.files.packaged import packaged

IN_MEMORY = "(table in memory)"  # the path of a survey whose table is given in Python


def load_config(path: str | Path, *overlays: str | Path) -> Config:
    """Read a configuration.

    Args:
        path: YAML file with what differs from the defaults, or with everything. Paths in it are
            relative to the working folder.
        overlays: files that are merged over it, in order.

    Raises:
        InputError: a file is missing or no YAML, or a key is unknown, missing or wrong; names the
            file and the dotted key.
    """
    return read_config(path, *overlays)


def defaults(
    survey: str | Mapping[str, Any] | None = None, *, name: str = "mine", **sections: Any
) -> Config:
    """Return the default configuration with some changes.

    Args:
        survey: name of a survey of the defaults, such as ``sdss_demo``; or the section of a survey
            of your own, whose table :func:`read_survey` is then given: ``{"bands": {"g": {"filter":
            "sdss2010-g", "value": "flux_g", "error": "flux_g_error"}, ...}, "quantity": "flux"}``.
        name: of your own survey; it names the random streams, and the folders of its fits.
        sections: changes of other sections, such as ``fit={"n_epochs": 5}``.

    Raises:
        InputError: a key is unknown, missing or wrong; names the dotted key.
    """
    trees = [read_yaml(packaged(DEFAULTS)), _plain(sections)]
    if isinstance(survey, str):
        trees.append({"survey": survey})
    elif survey is not None:
        own = {"kind": "table", "path": IN_MEMORY} | _plain(survey)
        trees.append({"survey": name, "surveys": {name: own}})
    return parse_merged(trees, "defaults")


def _plain(section: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_plain(value) for key, value in section.items()}
