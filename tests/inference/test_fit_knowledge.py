"""A fit uses photometry and its errors, never a redshift or a truth."""

import ast
from collections.abc import Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

from popsed_core import inference
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.inference.task import FitInputs, FitTask
from popsed_core.photometry.noise import NoiseTable
from popsed_core.provenance import code_version
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.surveys.catalogue import Catalogue


def test_a_fit_is_given_no_reference():
    assert {item.name: item.type for item in fields(FitInputs)} == {
        "grid": SSPGrid,
        "catalogue": Catalogue,
        "noise": NoiseTable,
        "emulator": Sequence[EmulatorSegment] | None,  # trained on the SSP table alone
    }
    names = {item.name for item in fields(FitTask)}
    assert names == {"survey", "member", "seed", "fit", "spectra", "parameters", "device"}
    assert not {"redshift", "reference", "truth"} & {item.name for item in fields(Catalogue)}


def test_no_code_of_the_fit_uses_a_reference():
    home = "popsed_core.surveys.catalogue"  # defines it, and the selection that makes one
    folder = Path(inference.__file__).parent
    roots = [f"popsed_core.inference.{path.stem}" for path in folder.glob("[!_]*.py")]
    closure = set().union(*map(code_version.import_closure, roots))
    assert {home, "popsed_core.photometry.noise", "popsed_core.inference.fit"} <= closure
    for module in sorted(closure - {home}):
        tree = ast.parse(Path(find_spec(module).origin).read_text())
        assert "Reference" not in {name for node in ast.walk(tree) for name in _names(node)}, module


def _names(node):
    if isinstance(node, ast.ImportFrom):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Name):
        return [node.id]
    return [node.attr] if isinstance(node, ast.Attribute) else []
