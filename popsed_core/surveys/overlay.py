"""The configuration that ``popsed init`` writes: YAML in which each guess says that it is one."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from textwrap import wrap

from popsed_core.surveys.guess import Band, Guess

WIDTH = 96
RESERVED = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
HEAD = """\
# What `popsed init {table}` made of the table's columns.  Check each line that is marked `guess`,
# then:
#   popsed config check {file}
#   popsed catalogue build --config {file}    which galaxies the cuts leave
#   popsed run {file}                         everything
# `popsed config describe {file} --survey {name}` shows every other key with its unit.
"""


def as_yaml(found: Guess, name: str, table: Path, file: Path, key: str | None = None) -> str:
    """Return an overlay of the configuration for a table.

    Args:
        found: what the table holds.
        name: of the survey.
        table: where the table is, relative to where the workflow will run.
        file: where the text goes, for its own instructions.
        key: HDU or group of the table, if it was named.
    """
    lines = [
        *HEAD.format(table=table, file=file, name=name).splitlines(),
        f"survey: {name}",
        "surveys:",
        f"  {name}:",
        "    kind: table",
        f"    path: {_quoted(str(table))}",
        *([f"    key: {_quoted(key)}"] if key else []),
        *_photometry(found),
        "    bands:",
        *_comment(f"guess of the filters: {found.reasons['filters']}", 6),
        *(_comment(found.reasons["notes"], 6) if found.reasons.get("notes") else []),
        *(_band(band) for band in found.bands),
        *_reference(found),
        "    cuts:",
        "      min_snr: 1.  # in every band; galaxies below are not described by the result",
        "      # max_mag: {"
        + f"{found.bands[-1].name}: 22."
        + "}  # [mag] where the survey is complete",
        "# the range must hold all galaxies of the table:",
        "# parameters:",
        "#   redshift: {low: 0.001, high: 1.2}",
        *_unknown(found),
    ]
    return "\n".join(lines) + "\n"


def _photometry(found: Guess) -> list[str]:
    lines = [f"    quantity: {found.quantity}  # guess: {found.reasons['quantity']}"]
    if found.zero_point is not None:
        lines += _comment(f"guess of the zero point: {found.reasons['zero_point']}", 4)
        lines.append(f"    zero_point: {found.zero_point}  # [mag] AB magnitude of flux 1")
    else:
        lines += _comment("the magnitudes are taken for AB; `offset` of a band adds to them", 4)
    if found.missing:
        values = ", ".join(map(str, found.missing))
        lines.append(f"    missing: [{values}]  # guess: values that several rows have")
    return lines


def _band(band: Band) -> str:
    words = {"filter": band.filter, "value": band.value, "error": band.error}
    pairs = [f"{name}: {_quoted(text)}" for name, text in words.items()]
    if band.extinction is not None:
        pairs.append(f"extinction: {_quoted(band.extinction)}")
    if band.offset:
        pairs.append(f"offset: {band.offset}")
    comments = [f"guess: {band.extinction} is subtracted [mag]"] if band.extinction else []
    comments += [band.why] if band.why else []
    end = f"  # {'; '.join(comments)}" if comments else ""
    return f"      {_quoted(band.name)}: {{{', '.join(pairs)}}}{end}"


def _reference(found: Guess) -> list[str]:
    """Return the columns that results are compared with; without one, how to name it."""
    if not found.reference:
        return ["    # reference: {redshift: COLUMN}  # compared with the result, never fitted"]
    return ["    reference:  # compared with the result, never fitted"] + [
        f"      {name}: {_quoted(column)}  # guess: {why}"
        for name, (column, why) in found.reference.items()
    ]


def _unknown(found: Guess) -> list[str]:
    return _comment("columns not used: " + (", ".join(found.unknown) or "none"), 0)


def _comment(text: str, indent: int) -> list[str]:
    start = " " * indent + "# "
    return [start + line for line in wrap(text, WIDTH - len(start))]


def _quoted(text: str) -> str:
    """Return a text as YAML reads it back."""
    is_plain = re.fullmatch(r"[A-Za-z_./][\w./-]*", text) and text.lower() not in RESERVED
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def survey_name(table: Path, taken: Iterable[str]) -> str:
    """Return a name for the survey of a table: its file's, of letters, digits and underscores."""
    stem = re.sub(r"\W+", "_", table.name.split(".")[0], flags=re.ASCII).strip("_") or "mine"
    return f"my_{stem}" if stem in taken or stem[0].isdigit() else stem
