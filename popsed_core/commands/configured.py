"""Verbs that read the configuration: ``--config``, ``--survey``, and the paths they leave out.

A verb says in its ``paths`` where its files lie when nobody names them, so that
``popsed noise fit --survey mine --config mine.yaml`` is a whole command.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from popsed_core.commands.common import NONE
from popsed_core.errors import InputError

Paths = Callable[[Any, argparse.Namespace], Mapping[str, Any]]


def add_config(
    parser: argparse.ArgumentParser,
    paths: Paths,
    *,
    has_survey: bool = True,
    only_if_named: bool = False,
) -> None:
    """Add ``--config`` and ``--survey`` to a verb.

    Args:
        parser: the verb's.
        paths: of configuration and arguments: where the files of options lie that are not given.
        has_survey: whether the verb works on one survey.
        only_if_named: whether nothing is filled in unless one of the two options is given.
    """
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="FILE",
        help="configuration (YAML), or what differs from the defaults; may be given again, each "
        "over those before",
    )
    if has_survey:
        parser.add_argument(
            "--survey", metavar="NAME", help="which survey [the configuration's `survey`]"
        )
    parser.set_defaults(paths=paths, only_if_named=only_if_named)


def prepare(args: argparse.Namespace) -> None:
    """Read the configuration of a verb, and complete its arguments.

    Afterwards ``args.settings`` is what the verb is given of the configuration.

    Raises:
        InputError: the configuration is wrong, or has no such survey.
    """
    if "paths" not in args:
        return
    if not args.only_if_named or args.config or args.survey:
        _complete(args)
    for name, value in vars(args).items():
        if value is NONE:
            setattr(args, name, None)


def _complete(args: argparse.Namespace) -> None:
    from popsed_core.config.read import read_config
    from popsed_core.config.settings import settings_of

    config = read_config(*(args.config or ()))
    names = {"download": getattr(args, "download", None), "engine": _engine(args)}
    if "survey" in args:
        args.survey = _known(args.survey or config.survey, config.surveys, "survey")
        names["survey"] = args.survey
    if names["download"] is not None:
        _known(names["download"], config.downloads, "download")
    args.settings = settings_of(args.verb, config, **names)
    defaults = {"device": config.runtime.device, "n_threads": config.runtime.n_threads}
    for name, value in (defaults | _as_paths(args.paths(config, args))).items():
        if name in args and getattr(args, name) is None:
            setattr(args, name, value)


def _engine(args: argparse.Namespace) -> str | None:
    """Return the engine that an option ``--emulator`` asks for; None: the configured one."""
    given = getattr(args, "emulator", None)
    return None if given is None else "exact" if given is NONE else "emulator"


def _known(name: str, section: Iterable[str], what: str) -> str:
    if name not in section:
        raise InputError(
            f"{what}: got {name}, which the configuration lacks; it has {', '.join(section)}"
        )
    return name


def _as_paths(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _as_path(value) for name, value in found.items()}


def _as_path(value: Any) -> Any:
    """Return a path, several, or None; an empty list is no path at all."""
    if isinstance(value, list):
        return [Path(each) for each in value]
    return None if value is None else Path(value)
