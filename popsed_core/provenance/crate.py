"""A finished run as an RO-Crate: a folder that records which job made each file, from what.

Follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profiles Process Run Crate and Workflow
Run Crate 0.5 (https://w3id.org/ro/wfrun): a CreateAction for each job, with its program as
instrument, its inputs and settings as objects and its files as results; and one for the whole.
The crate holds links to the files, not copies: a zip or a copy that follows links is complete.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from popsed_core.errors import InputError
from popsed_core.files.artefacts import Provenance, atomic_path, record, sha256
from popsed_core.files.version import __version__
from popsed_core.provenance.tree import ABOVE, CHANGED, GONE, Node, trees_of

METADATA = "ro-crate-metadata.json"
SPECIFICATION = "1.1"  # which the profiles below extend
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}  # not of RO-Crate 1.1
LICENCE = "https://spdx.org/licenses/MIT"
PROFILES = {  # rocrate adds that of Workflow RO-Crate
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
}
DONE = "http://schema.org/CompletedActionStatus"
FORMATS = {
    "": "text/plain",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".fits": "application/fits",
    ".h5": "application/x-hdf5",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".pt": "application/zip",
    ".smk": "text/plain",
    ".yaml": "application/yaml",
}
UNKNOWN_FORMAT = "application/octet-stream"


@dataclass(frozen=True)
class Run:
    """Contents of a crate; paths are relative to the working folder.

    Attributes:
        survey: its name.
        products: files of the run; their inputs are found through their records.
        workflow: the main file of the workflow, then the files it includes.
        citation: the content of CITATION.cff.
    """

    survey: str
    products: Sequence[Path]
    workflow: Sequence[Path]
    citation: Mapping[str, Any]


def write_crate(run: Run, folder: Path) -> None:
    """Write the crate of a run into a folder: links to all files, then the description of them.

    Args:
        run: what it is made of.
        folder: created if needed; existing links are replaced.

    Raises:
        InputError: a file has no record, or one of its inputs has changed since.
    """
    described = _Description(run, _nodes(run.products))
    _link(described.places, folder)
    with atomic_path(folder / METADATA) as partial:
        plain = described.crate.metadata.generate()
        partial.write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n")


def _nodes(products: Sequence[Path]) -> dict[str, Node]:
    """Return all files of a run, without duplicates, by their paths."""
    nodes: dict[str, Node] = {}
    for node in (node for root in trees_of(products) for node in root.walk()):
        if node.state == CHANGED:
            raise InputError(
                f"{node.file}: has changed since it was made or used; run the workflow again first"
            )
        if node.state != ABOVE:
            nodes.setdefault(node.file, node)
    return nodes


class _Description:
    """Gathers the entities of a crate."""

    def __init__(self, run: Run, nodes: Mapping[str, Node]) -> None:
        self.crate = ROCrate(version=SPECIFICATION)
        self.crate.metadata.extra_terms = TERMS
        self.nodes = nodes
        self.places: dict[str, Path] = {}  # of all files, by their paths within the crate
        self.files = {path: self._add(path, node) for path, node in nodes.items()}
        self._describe_root(run)
        main = self._add_workflow(run.workflow)
        actions = [self._add_job(nodes_of) for nodes_of in self._jobs()]
        first = [file for path, file in self.files.items() if nodes[path].provenance is None]
        products = [path.as_posix() for path in run.products]
        name, text = (
            f"run of {run.survey}",
            "all jobs of the workflow, from the inputs to the report",
        )
        whole = self._add_action("#run", main, first, products, {"name": name, "description": text})
        self.crate.root_dataset["mentions"] = [whole, *actions]
        self.crate.root_dataset["datePublished"] = whole["endTime"]

    def _describe_root(self, run: Run) -> None:
        root, paper = self.crate.root_dataset, run.citation["preferred-citation"]
        root["name"] = f"PopSED run: {run.survey}"
        root["description"] = f"The population of galaxies in {run.survey}, and how we know"
        root["license"] = self._entity(
            LICENCE, "CreativeWork", name="MIT License", identifier="MIT",
            description="do what you like, keep the notice",
        )  # fmt: skip
        root["conformsTo"] = [
            self._entity(profile, "CreativeWork", name=name, version=number)
            for profile, (name, number) in PROFILES.items()
        ]
        makers = [
            self._entity(f"#{author['name']}", "Organization", name=author["name"])
            for author in run.citation["authors"]
        ]
        root["author"] = self.makers = _one(makers)
        names = [f"{author['given-names']} {author['family-names']}" for author in paper["authors"]]
        persons = [self._entity(f"#{name}", "Person", name=name) for name in names]
        root["citation"] = self._entity(
            f"https://doi.org/{paper['doi']}", "ScholarlyArticle", name=paper["title"],
            author=persons, datePublished=str(paper["year"]),
        )  # fmt: skip

    def _add(self, path: str, node: Node) -> Entity:
        """Add a file; if it is not here, only what is known of it."""
        known = {"name": path, "sha256": node.sha256}
        if node.state == GONE:
            text = "an input that is not part of this crate"
            return self._entity(f"#{node.sha256}", "CreativeWork", description=text, **known)
        made = node.provenance
        text = "an input from outside" if made is None else f"made by popsed {made.command}"
        properties = self._properties(Path(path), known | {"description": text})
        return self.crate.add_file(dest_path=quote(path), properties=properties)

    def _properties(self, path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return the description of a file that is here."""
        self.places[known["name"]] = path
        kind = FORMATS.get(path.suffix, UNKNOWN_FORMAT)
        return {**known, "contentSize": str(path.stat().st_size), "encodingFormat": kind}

    def _add_workflow(self, paths: Sequence[Path]) -> Entity:
        # a workflow may lie outside the working folder; within the crate it has its own path
        names = ["/".join(part for part in path.parts if part != os.pardir) for path in paths]
        main, *parts = (
            (quote(name), self._properties(path, {"name": name, "sha256": sha256(path)}))
            for name, path in zip(names, paths, strict=True)
        )
        flow = self.crate.add_workflow(
            dest_path=main[0], properties=main[1] | {"version": __version__}, main=True,
            lang="snakemake", lang_version=version("snakemake"),
        )  # fmt: skip
        flow["author"] = self.makers
        flow["hasPart"] = [
            self.crate.add_file(dest_path=name, properties=known) for name, known in parts
        ]
        return flow

    def _jobs(self) -> list[list[str]]:
        """Return the files that one job made together, job by job."""
        jobs: dict[str, list[str]] = {}
        for path, node in self.nodes.items():
            if node.provenance is not None:
                jobs.setdefault(record(node.provenance), []).append(path)
        return list(jobs.values())

    def _add_job(self, results: list[str]) -> Entity:
        node = self.nodes[results[0]]
        made = node.provenance
        assert made is not None
        number = hashlib.sha256(record(made).encode()).hexdigest()[:16]
        settings = {"section": json.loads(made.config), "seed": made.seed, "source": made.source}
        settings |= json.loads(made.arguments)
        objects = [self.files[child.file] for child in node.inputs.values()]
        objects += [
            self._entity(f"#{number}-{name}", "PropertyValue", name=name,
                         value=value if isinstance(value, str) else json.dumps(value))
            for name, value in settings.items()
        ]  # fmt: skip
        known = {
            "name": f"popsed {made.command}: {results[0]}",
            "description": f"made {', '.join(results)} with code {made.code}",
        }
        return self._add_action(f"#job-{number}", self._program(made), objects, results, known)

    def _program(self, made: Provenance) -> Entity:
        """Return the program of a job, with the libraries that it used."""
        libraries = [
            self._entity(f"#{name}-{number}", "SoftwareApplication", name=name, version=number)
            for name, number in made.versions.items()
        ]
        number = f"{made.versions.get('popsed', __version__)}, code {made.code}"
        name = f"popsed {made.command}"
        return self._entity(
            f"#{name} {made.code}", "SoftwareApplication", name=name, version=number,
            softwareRequirements=libraries,
        )  # fmt: skip

    def _add_action(
        self,
        name: str,
        program: Entity,
        objects: list[Entity],
        results: list[str],
        known: Mapping[str, Any],
    ) -> Entity:
        end = max(Path(path).stat().st_mtime for path in results)
        when = datetime.fromtimestamp(int(end), UTC).isoformat()
        made = [self.files[path] for path in results]
        properties = {**known, "endTime": when, "actionStatus": DONE}
        return self.crate.add_action(program, name, _one(objects), _one(made), properties)

    def _entity(self, at: str, kind: str, **known: Any) -> Entity:
        """Return an entity that is not a file; created when first used."""
        whole = f"#{quote(at[1:])}" if at.startswith("#") else at
        found = self.crate.get(whole)
        if found is not None:
            return found
        entity = self.crate.add(ContextEntity(self.crate, whole, properties={"@type": kind}))
        for key, value in known.items():
            entity[key] = value
        return entity


def _one(entities: list[Entity]) -> Entity | list[Entity]:
    """Return a single entity without a list, as RO-Crate requires."""
    return entities[0] if len(entities) == 1 else entities


def _link(places: Mapping[str, Path], folder: Path) -> None:
    """Link files into a folder under their own paths; earlier links are removed."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            path.unlink()
    for name, path in places.items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(path, link.parent))
