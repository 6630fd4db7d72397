"""Human-readable provenance of a result: versions, checksums, seeds and the configuration."""

import importlib.metadata
import json
import platform
from collections.abc import Iterator, Mapping
from typing import Any

from popsed_core.diagnostics.markdown import table
from popsed_core.files.artefacts import Provenance
from popsed_core.files.version import __version__

PACKAGES = ("torch", "geomloss", "numpy", "scipy", "speclite", "astro-sedpy", "h5py")


def provenance_report(
    artefacts: Mapping[str, Provenance],
    checksums: Mapping[str, str],
    sections: Mapping[str, str],
    filters: Mapping[str, str],
) -> str:
    """Return the provenance of one survey's result as Markdown.

    Inputs are listed unless they are among the files: tables of the survey and of the SSPs, and
    whatever has changed since.

    Args:
        artefacts: provenance of the files that the result was made from, by role.
        checksums: sha256 of the same files, by role.
        sections: the sections of the configuration that decided the result, as JSON, by name.
        filters: the filter curve of each band.
    """
    files = [
        (name, origin.source, str(origin.seed or "-"), checksums[name])
        for name, origin in artefacts.items()
    ]
    inputs = [
        (name, role, checksum)
        for name, origin in artefacts.items()
        for role, checksum in origin.inputs.items()
        if checksum not in checksums.values()
    ]
    keys = [
        (key, value)
        for name, section in sections.items()
        for key, value in flattened(name, json.loads(section))
    ]
    chapters = {
        "Bands": table(("band", "filter"), filters.items()),
        "Versions": table(("software", "version"), versions()),
        "Files": table(("file", "source", "seed", "sha256"), files),
        "Inputs": table(("of", "input", "sha256"), inputs),
        "Configuration": table(("key", "value"), keys),
    }
    body = (f"## {title}\n\n{text}" for title, text in chapters.items())
    return "\n\n".join(("# Provenance", *body)) + "\n"


def versions() -> list[tuple[str, str]]:
    """Return the versions of PopSED and of the libraries its numbers depend on."""
    others = [(name, importlib.metadata.version(name)) for name in PACKAGES]
    return [("popsed", __version__), ("python", platform.python_version()), *others]


def flattened(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the keys of a section with dots between the levels, and their values as JSON."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from flattened(f"{name}.{key}", item)
    else:
        yield name, json.dumps(value)
