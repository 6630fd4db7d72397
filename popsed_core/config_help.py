"""Every key of the configuration in words, made from the dataclasses themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from popsed_core.config import Config

Schema = Mapping[str, Any]
BOUNDS = {
    "minimum": ">=",
    "maximum": "<=",
    "exclusiveMinimum": ">",
    "exclusiveMaximum": "<",
    "minItems": "length >=",
    "pattern": "matches",
}


class Key(NamedTuple):
    """One key: dotted path, type with bounds, default, description with unit."""

    path: str
    kind: str
    default: str
    description: str


def describe() -> str:
    """Return one aligned line per key: path, type, default, description with its unit."""
    rows = [Key("key", "type", "default", "meaning [unit]"), *keys()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def keys() -> list[Key]:
    """Return every key of :class:`popsed_core.config.Config`, in the order of the file.

    ``<name>`` stands for a name that the user chooses, ``[kind]`` for one of the variants.
    """
    schema = TypeAdapter(Config).json_schema()
    return list(_walk("", schema, schema["$defs"], is_required=True))


def _walk(path: str, node: Schema, definitions: Schema, is_required: bool) -> Iterator[Key]:
    found = _resolve(node, definitions)
    if "discriminator" in found:
        yield from _variants(path, found, definitions, is_required)
    elif "properties" in found:
        for name, child in found["properties"].items():
            is_needed = name in found.get("required", ())
            yield from _walk(f"{path}.{name}".lstrip("."), child, definitions, is_needed)
    elif (values := _named_sections(found)) is not None:
        yield from _walk(f"{path}.<name>", values, definitions, is_required)
    else:
        default = "required" if is_required else str(found.get("default", "none"))
        yield Key(path, _kind(found), default, found.get("description", ""))


def _variants(path: str, node: Schema, definitions: Schema, is_required: bool) -> Iterator[Key]:
    mapping: dict[str, str] = node["discriminator"]["mapping"]
    default = "required" if is_required else "the section may be left out"
    yield Key(f"{path}.kind", " | ".join(mapping), default, "decides which keys follow")
    for reference in dict.fromkeys(mapping.values()):
        kinds = "|".join(kind for kind, target in mapping.items() if target == reference)
        inside = _walk(f"{path}[{kinds}]", {"$ref": reference}, definitions, is_required)
        yield from (key for key in inside if not key.path.endswith("].kind"))


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
