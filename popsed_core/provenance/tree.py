"""The provenance tree of a file: its inputs, their inputs, back to the first ones.

An input is looked for where it was and, if it is missing or has changed, by its sha256 among
all files of the ``results`` and ``resources`` folders.  Each file is followed once.
"""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, sha256
from popsed_core.provenance.sidecars import read_record

FOLDERS = ("results", "resources")
HERE, ABOVE, GONE, CHANGED = "here", "see above", "not here", "changed since"
WIDTH, INDENT = 100, 4
LONG = 60  # characters of a value that is printed only once


@dataclass
class Node:
    """A file of the tree.

    Attributes:
        file: where it is, relative to the folder that holds ``results``; where it was, if it is
            not here.
        sha256: of the bytes that were used.
        state: ``here``, ``see above`` (its inputs are listed there), ``not here``, or ``changed
            since``: another file is there now.
        provenance: its record; None for an external file or one that is no longer here.
        inputs: by role.
    """

    file: str
    sha256: str
    state: str = HERE
    provenance: Provenance | None = None
    inputs: dict[str, "Node"] = field(default_factory=dict)

    def walk(self) -> Iterator["Node"]:
        """Yield this file and all below it."""
        yield self
        for node in self.inputs.values():
            yield from node.walk()


class Files:
    """The files of a working folder, found by path or by checksum."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._known: dict[Path, str] = {}
        self._by_sha256: dict[str, Path] | None = None

    def sha256(self, path: Path) -> str:
        """Return the checksum of a file, which is read once."""
        if path not in self._known:
            self._known[path] = sha256(path)
        return self._known[path]

    def find(self, was_at: str, wanted: str) -> tuple[Path | None, str]:
        """Return where a file is, and its state.

        Args:
            was_at: its path when it was read, or only its name.
            wanted: its sha256.
        """
        path = self.base / was_at
        is_there = path.is_file()
        if is_there and self.sha256(path) == wanted:
            return path, HERE
        if self._by_sha256 is None:
            every = [path for name in FOLDERS for path in (self.base / name).rglob("*")]
            real = [path for path in every if path.is_file() and not path.is_symlink()]
            self._by_sha256 = {self.sha256(path): path for path in sorted(real, reverse=True)}
        moved = self._by_sha256.get(wanted)
        if moved is not None:
            return moved, HERE
        return (path, CHANGED) if is_there else (None, GONE)

    def name(self, path: Path) -> str:
        """Return a path relative to the working folder."""
        return (
            path.relative_to(self.base).as_posix() if path.is_relative_to(self.base) else path.name
        )


def tree_of(path: Path) -> Node:
    """Return the tree of a file.

    Raises:
        InputError: the file is missing or unreadable, or has no record.
    """
    return trees_of([path])[0]


def trees_of(paths: Sequence[Path]) -> list[Node]:
    """Return the trees of files of one run; what one tree lists is not repeated in the next.

    Raises:
        InputError: a file is missing or unreadable, or has no record.
    """
    files = Files(working_folder(paths[0].absolute()))
    seen: set[str] = set()
    return [_root(path, files, seen) for path in paths]


def _root(path: Path, files: Files, seen: set[str]) -> Node:
    record = read_record(path)
    if record is None:
        raise InputError(
            f"{path}: has neither embedded provenance nor a sidecar: not made by popsed, "
            "or the record is lost; delete it and rerun"
        )
    path = path.absolute()
    if record.sha256 not in (None, files.sha256(path)):
        return Node(files.name(path), str(record.sha256), CHANGED)
    root = Node(files.name(path), files.sha256(path))
    _follow(root, path, files, seen)
    return root


def _follow(node: Node, path: Path, files: Files, seen: set[str]) -> None:
    """Read a file's record and follow its inputs, each before the next."""
    if node.file in seen:
        node.state = ABOVE
        return
    seen.add(node.file)
    record = read_record(path)
    if record is None:
        return
    node.provenance = record.provenance
    for role, wanted in sorted(record.provenance.inputs.items()):
        was_at = record.provenance.paths.get(role, role)
        found, state = files.find(was_at, wanted)
        name = was_at if found is None else files.name(found)
        child = node.inputs[role] = Node(name, wanted, state)
        if found is not None and state == HERE:
            _follow(child, found, files, seen)


def working_folder(path: Path) -> Path:
    """Return the folder that holds the ``results`` or ``resources`` in which a file lies."""
    above = [folder.parent for folder in path.parents if folder.name in FOLDERS]
    return above[0] if above else Path.cwd()


def as_plain(node: Node) -> dict[str, Any]:
    """Return a tree as plain types, for JSON."""
    told: dict[str, Any] = {"file": node.file, "sha256": node.sha256, "state": node.state}
    origin = node.provenance
    if origin is not None:
        told |= {
            "source": origin.source,
            "command": origin.command,
            "section": json.loads(origin.config),
            "arguments": json.loads(origin.arguments),
            "seed": origin.seed,
            "code": origin.code,
            "versions": dict(origin.versions),
        }
        told["inputs"] = {role: as_plain(child) for role, child in node.inputs.items()}
    return told


def as_text(node: Node) -> str:
    """Return a tree as human-readable lines.

    Versions are repeated only where they differ; a long value refers to the file that has it.
    """
    return "\n".join(_lines(node, "", 0, {}))


def _lines(node: Node, role: str, depth: int, told: dict[str, str]) -> Iterator[str]:
    mark = "" if node.state == HERE else f"  [{node.state}]"
    yield f"{' ' * INDENT * depth}{role}{node.file}{mark}"
    if node.state != ABOVE:
        yield from _row("sha256", node.sha256, depth)
    if (origin := node.provenance) is not None:
        code = f", code {origin.code}" if origin.code else ""
        made = (
            f"{origin.command or 'popsed'}{code}, seed {origin.seed or '-'}, source {origin.source}"
        )
        yield from _row("made by", made, depth)
        new = {name: text for name, text in origin.versions.items() if told.get(name) != text}
        told |= new
        yield from _row("versions", ", ".join(map(" ".join, new.items())), depth)
        yield from _row("section", _once(json.loads(origin.config), node.file, told), depth)
        for name, value in json.loads(origin.arguments).items():
            yield from _row(name, _once(value, node.file, told), depth)
    for name, child in node.inputs.items():
        yield from _lines(child, f"{name}: ", depth + 1, told)


def _once(value: Any, file: str, told: dict[str, str]) -> str:
    """Return a value as text, or which file above has the same."""
    text = json.dumps(value, sort_keys=True) if value != {} else ""
    if len(text) < LONG:
        return text
    owner = told.setdefault(text, file)
    return text if owner == file else f"as of {owner}"


def _row(name: str, text: str, depth: int) -> list[str]:
    first = " " * (INDENT * depth + 2)
    return textwrap.wrap(
        f"{name:<12}{text}", max(WIDTH, len(first) + 76), initial_indent=first,
        subsequent_indent=first + 12 * " ", break_long_words=False, break_on_hyphens=False,
    ) if text else []  # fmt: skip
