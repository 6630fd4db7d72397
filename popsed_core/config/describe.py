"""The help text of every configuration key, generated from the dataclasses.

Given a configuration, each key is listed with its value for a survey, including the survey's
own changes; without one, with its default.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from popsed_core.config.base import to_plain
from popsed_core.config.root import Config
from popsed_core.errors import InputError

Schema = Mapping[str, Any]
BOUNDS = {
    "minimum": ">=",
    "maximum": "<=",
    "exclusiveMinimum": ">",
    "exclusiveMaximum": "<",
    "minItems": "length >=",
    "pattern": "matches",
}
LONGEST = 44  # [letter] of a value; lists of steps are longer
ABSENT = object()  # no value is known


class Key(NamedTuple):
    """One key: dotted path, type with bounds, value or default, description with unit."""

    path: str
    kind: str
    value: str
    description: str


def describe(config: Config | None = None, survey: str | None = None) -> str:
    """Return one aligned line per key: path, type, value, description with its unit.

    Args:
        config: where the values come from; None: defaults.
        survey: the survey whose values they are; None: the one that the configuration fits.

    Raises:
        InputError: the configuration has no such survey.
    """
    tree = ABSENT if config is None else effective(config, survey or config.survey)
    header = Key("key", "type", "default" if config is None else "value", "meaning [unit]")
    rows = [header, *keys(tree)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def effective(config: Config, survey: str) -> dict[str, Any]:
    """Return the configuration as plain values, as it is for one survey alone.

    Raises:
        InputError: there is no such survey.
    """
    if survey not in config.surveys:
        raise InputError(f"survey: got {survey!r}, expected one of {list(config.surveys)}")
    return to_plain(config) | {
        "survey": survey,
        "surveys": {survey: to_plain(config.surveys[survey])},
        "fit": to_plain(config.fit_for(survey)),
        "parameters": to_plain(config.parameters_for(survey)),
    }


def keys(tree: Any = ABSENT) -> list[Key]:
    """Return every key of :class:`popsed_core.config.root.Config`, in the order of the file.

    ``<name>`` stands for a name that the user chooses, ``[kind]`` for one of the variants.

    Args:
        tree: values as :func:`effective` returns them; of variants only the chosen one is listed.
            Without, all are, with defaults.
    """
    schema = TypeAdapter(Config).json_schema()
    return list(_walk("", schema, schema["$defs"], tree))


def _walk(path: str, node: Schema, definitions: Schema, tree: Any) -> Iterator[Key]:
    found = _resolve(node, definitions)
    section = _optional_section(found)
    if section is not None:
        is_below = tree is ABSENT or isinstance(tree, Mapping)
        value = "given below" if is_below else _plain(tree)
        yield Key(path, f"section | {_other(found)}", value, found.get("description", ""))
        yield from _walk(path, section, definitions, tree)
    elif "discriminator" in found:
        yield from _variants(path, found, definitions, tree)
    elif "properties" in found:
        for name, child in found["properties"].items():
            value = tree.get(name, ABSENT) if isinstance(tree, Mapping) else ABSENT
            needed = {"is_required": True} if name in found.get("required", ()) else {}
            yield from _walk(f"{path}.{name}".lstrip("."), {**child, **needed}, definitions, value)
    elif (values := _named_sections(found)) is not None:
        names = tree if isinstance(tree, Mapping) and tree else {"<name>": ABSENT}
        for name, value in names.items():
            yield from _walk(f"{path}.{name}", values, definitions, value)
    else:
        yield Key(path, _kind(found), _value(found, tree), found.get("description", ""))


def _variants(path: str, node: Schema, definitions: Schema, tree: Any) -> Iterator[Key]:
    mapping: dict[str, str] = node["discriminator"]["mapping"]
    meaning = "decides which keys follow"
    if isinstance(tree, Mapping):
        yield Key(f"{path}.kind", " | ".join(mapping), tree["kind"], meaning)
        chosen = {"$ref": mapping[tree["kind"]]}
        below = _walk(path, chosen, definitions, tree)
        yield from (key for key in below if key.path != f"{path}.kind")
        return
    value = "required" if node.get("is_required") else "may be left out"
    yield Key(f"{path}.kind", " | ".join(mapping), value, meaning)
    for reference in dict.fromkeys(mapping.values()):
        kinds = [kind for kind, target in mapping.items() if target == reference]
        label = f"{path}[{'|'.join(kinds)}]"
        below = _walk(label, {"$ref": reference}, definitions, ABSENT)
        yield from (key for key in below if not key.path.endswith("].kind"))


def _optional_section(node: Schema) -> Schema | None:
    """Return the section of ``section | null`` or ``section | number``, if the node is that."""
    choices = node.get("anyOf", ())
    sections = [item for item in choices if "$ref" in item]
    return sections[0] if len(choices) == 2 and len(sections) == 1 else None


def _other(node: Schema) -> str:
    """Return the alternative to the section."""
    return next(_kind(item) for item in node["anyOf"] if "$ref" not in item)


def _value(node: Schema, tree: Any) -> str:
    if tree is not ABSENT:
        return _plain(tree)
    if node.get("is_required"):
        return "required"
    return _plain(node["default"]) if "default" in node else "none"


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _resolve(node: Schema, definitions: Schema) -> Schema:
    if "$ref" not in node:
        return node
    target = definitions[node["$ref"].rsplit("/", 1)[-1]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _named_sections(node: Schema) -> Schema | None:
    choices = [node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    sections = (item for item in choices if isinstance(item, Mapping))
    return next((item for item in sections if "$ref" in item or "discriminator" in item), None)


def _kind(node: Schema) -> str:
    if "enum" in node:
        return " | ".join(str(value) for value in node["enum"])
    if "anyOf" in node:
        return " | ".join(_kind(choice) for choice in node["anyOf"])
    if node.get("type") == "array":
        return f"list of {_kind(node.get('items', {'type': 'pairs'}))}"
    bounds = [f"{sign} {node[key]}" for key, sign in BOUNDS.items() if key in node]
    return " ".join([str(node.get("type", "any")), *bounds])
