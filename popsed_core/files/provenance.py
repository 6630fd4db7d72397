"""Provenance: what every output file records about its origin."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

SOURCES = ("real", "mock", "stand-in", "toy")  # from best to worst; the worst input decides


@dataclass(frozen=True)
class Provenance:
    """Origin of an artefact, written into its attributes; never a time stamp.

    Attributes:
        source: ``real``, ``mock`` or ``toy``; travels downstream, figures show it.
        config: the configuration section that made it, as JSON.
        seed: the run's seed.
        inputs: sha256 of each input file, by role.
        paths: where the inputs were, by role: relative to the working folder, or only the name
            of a file that lay elsewhere.
        command: the verb of ``popsed`` that made it.
        arguments: of the verb, as JSON: other sections, names and numbers.
        code: hash of the code that ran (:func:`popsed_core.provenance.code_version.code_version`).
        versions: of Python and of the packages that this code imports.
    """

    source: str = "real"
    config: str = "{}"
    seed: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    arguments: str = "{}"
    code: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def worst_source(*sources: str) -> str:
    """Return the least trustworthy of ``SOURCES``."""
    return max(sources, key=SOURCES.index)


def record(provenance: Provenance) -> str:
    """Return a provenance as JSON."""
    return json.dumps(asdict(provenance), sort_keys=True)
