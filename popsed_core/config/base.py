"""Shared by all sections: strict dataclasses, reading, merging, error messages."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from popsed_core.errors import InputError
from popsed_core.files.inputs import require_file

STRICT = ConfigDict(extra="forbid")
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
ERROR = "sigma with which it is known: each member draws its own"


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read one YAML mapping.

    Raises:
        InputError: missing file, YAML syntax error, or not a mapping.
    """
    require_file(path)
    try:
        tree = yaml.safe_load(Path(path).read_text())
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file ({error})") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(tree, dict):
        raise InputError(f"{path}: expected a mapping of sections, got {type(tree).__name__}")
    return tree


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings; a value of ``over`` wins.

    A mapping with a different ``kind`` replaces the old one, whose keys would not apply.
    """
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        is_nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        if is_nested and value.get("kind", old.get("kind")) == old.get("kind"):
            result[key] = merge(old, value)
        else:
            result[key] = value
    return result


def parse(kind: Any, tree: Any, source: str) -> Any:
    """Validate a tree of plain values as ``kind`` (a class or any type, ``dict[str, X]``).

    Raises:
        InputError: names the source, the dotted key, the value and what is expected.
    """
    try:
        return TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors()[:5]]
        raise InputError(f"{source}: " + "; ".join(lines)) from error


def _explain(item: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "unexpected_keyword_argument":
        return f"{key}: unknown key (value {item['input']!r}); check the spelling or remove it"
    if item["type"] in ("missing", "missing_argument"):
        return f"{key}: missing"
    if item["type"] == "value_error":
        reason = item["msg"].removeprefix("Value error, ")
        return reason if not item["loc"] else f"{key}: {reason}"
    return f"{key}: {item['msg']}, got {_short(item['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def to_json(section: Any) -> str:
    """Return a section (dataclass, mapping or value) as one line of JSON.

    Keys keep the order of the fields and of the file: the order of a survey's
    bands has a meaning.
    """
    return json.dumps(to_plain(section))


def to_plain(section: Any) -> Any:
    """Return a section as plain dicts, lists and values."""
    if dataclasses.is_dataclass(section) and not isinstance(section, type):
        return {
            item.name: to_plain(getattr(section, item.name)) for item in dataclasses.fields(section)
        }
    if isinstance(section, Mapping):
        return {key: to_plain(value) for key, value in section.items()}
    if isinstance(section, list | tuple):
        return [to_plain(value) for value in section]
    return section


def from_json(kind: Any, text: str, source: str = "configuration") -> Any:
    """Parse what :func:`to_json` wrote, validated as ``kind``.

    Raises:
        InputError: the text is not JSON or does not validate.
    """
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{source}: not valid JSON: {error}") from error
    return parse(kind, tree, source)
