"""The content hash that determines what Snakemake reruns."""

import os
import shutil
from pathlib import Path

import pytest

from popsed_core.provenance import code_version as module
from popsed_core.provenance.verbs import CODE, code_of

ROOT = Path(__file__).resolve().parents[2]
FIT = "popsed_core.inference.fit"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package to edit."""
    shutil.copytree(ROOT / "popsed_core", tmp_path / "popsed_core")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    forget()
    yield tmp_path / "popsed_core"
    forget()


def forget():
    for function in (module.import_closure, module.imports, module._tree, module._tree_hash):
        function.cache_clear()


def version(name=FIT):
    forget()
    return module.code_version(name)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def versions():
    forget()
    return {verb: code_of(verb) for verb in CODE}


def changed(before):
    now = versions()
    return {verb for verb in CODE if now[verb] != before[verb]}


REWORDED = {  # what is only said: where it stands, in which words, and in which others
    "a message": ("files/inputs.py", "no such file", "this file does not exist"),
    "a log line": ("running/loop.py", '"resumed from %s', '"goes on from %s'),
    "a description": ("config/emulator.py", 'description="', 'description="In other words: '),
    "a check": ("config/schedules.py", "raise ValueError(", 'raise ValueError("not so: " '),
}


@pytest.mark.parametrize("what", REWORDED)
def test_what_is_only_said_reruns_nothing(package, what):
    path, old, new = REWORDED[what]
    before = versions()
    edit(package / path, old, new)
    assert changed(before) == set()


@pytest.mark.parametrize(
    ("path", "section"),
    [("products", "ProductsConfig"), ("emulator", "EmulatorConfig"), ("noise", "NoiseConfig")],
)
def test_a_new_key_reruns_what_reads_its_section_alone(package, path, section):
    before = versions()
    edit(package / f"config/{path}.py", f"class {section}:", f"class {section}:\n    new: int = 1")
    name = f"popsed_core.config.{path}"
    readers = {
        verb
        for verb, modules in CODE.items()
        if any(name in module.import_closure(each) for each in modules)
    }
    assert changed(before) == readers
    assert ("fit member" in readers) == (path == "emulator")


def test_a_number_reruns_all_that_use_it(package):
    before = versions()
    edit(package / "stellar/dust.py", "WAVE_V = 5500.0", "WAVE_V = 5501.0")
    assert {"fit member", "mock observe", "spectra chunk"} <= changed(before)
    assert "noise fit" not in changed(before)


def test_an_edit_of_the_module_changes_its_version(package):
    before = version()
    edit(package / "inference/fit.py", "import", "EXTRA = 1\nimport")
    assert version() != before


def test_an_edit_of_what_it_imports_indirectly_changes_its_version(package):
    before = version()
    edit(package / "constants.py", "2.99792458e18", "2.99792459e18")
    assert "popsed_core.constants" not in module.imports(FIT)
    assert version() != before


def test_comments_docstrings_and_blank_lines_change_nothing(package):
    before = version()
    for path in package.rglob("*.py"):
        path.write_text("# a comment\n\n" + path.read_text() + "\n\n# another\n")
    edit(package / "inference/fit.py", '"""Fit members', '"""In other words, fit members')
    assert version() == before


def test_a_touch_changes_nothing(package):
    before = version()
    for path in package.rglob("*.py"):
        os.utime(path)
    assert version() == before


def test_code_downstream_of_a_module_is_not_part_of_it(package):
    closure = module.import_closure(FIT)
    downstream = ("figures", "diagnostics", "costs", "commands", "cli")
    assert not [
        name for name in closure if name.split(".")[1:2] and name.split(".")[1] in downstream
    ]
    assert not closure & {"popsed_core.config.root", "popsed_core.config.describe"}


def test_a_figure_does_not_hang_on_the_fit():
    closure = module.import_closure("popsed_core.figures.population")
    assert FIT not in closure
    assert "popsed_core.figures.style" in closure


def test_an_unknown_module_is_refused():
    with pytest.raises(ValueError, match=r"popsed_core\.nowhere"):
        module.code_version("popsed_core.nowhere")
