"""The house rules of CONTRIBUTING.md, read off the syntax trees of the package."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from popsed_core.code_version import PACKAGE, imports

ROOT = Path(__file__).resolve().parent.parent
STAIRS = ("foundation", "spectra", "photometry", "inference", "products", "figures", "cli")
CLI = ("cli", "commands", "doctor")
DOORWAYS = {  # foreign library: the only places that import it
    "fsps": ("spectra/ssp_fsps.py",),
    "speclite": ("photometry/filters.py",),
    "sedpy": ("photometry/filters.py",),
    "nflows": ("inference/flow.py", "inference/spline.py"),
    "geomloss": ("inference/distance.py",),
    "pykeops": ("inference/distance.py",),
    "h5py": ("artefacts.py", "hdf5_files.py"),
    "pyarrow": ("photometry/surveys/table_files.py",),
    "matplotlib": ("figures/",),
    "sklearn": ("products/classifier.py",),
    "threadpoolctl": ("products/classifier.py",),
    "rocrate": ("products/crate.py",),
    "rocrate_validator": (),
    "yaml": ("config.py",),
    "pydantic": ("config.py", "config_help.py"),
    "snakemake": (),
}
MAX_FILE, MAX_FUNCTION, MAX_ARGUMENTS = 300, 40, 7
DECLARATIONS = ("config.py",)  # a table of keys, which may be long

PATHS = sorted((ROOT / PACKAGE).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT / PACKAGE)) for path in PATHS]
TREES = dict(zip(NAMES, (ast.parse(path.read_text()) for path in PATHS), strict=True))


def stair(module: str) -> int:
    part = module.removeprefix(PACKAGE).lstrip(".").split(".")[0].removesuffix(".py")
    part = part.split("/")[0]
    return STAIRS.index("cli" if part in CLI else part if part in STAIRS else "foundation")


def module_of(name: str) -> str:
    return f"{PACKAGE}.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def definitions(owner: ast.Module | ast.ClassDef) -> list[ast.FunctionDef | ast.ClassDef]:
    return [node for node in owner.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def is_public(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return not node.name.startswith("_")


@pytest.mark.parametrize("name", NAMES)
def test_a_module_imports_only_from_its_stair_and_those_below(name):
    above = [module for module in imports(module_of(name)) if stair(module) > stair(name)]
    assert not above


def test_no_module_imports_itself_through_others():
    graph = {
        module_of(name): set(imports(module_of(name))) - {PACKAGE, module_of(name)}
        for name in NAMES
    }
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError


def imported_libraries(tree: ast.Module) -> set[str]:
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("library", DOORWAYS)
def test_a_foreign_library_enters_by_its_doorway_only(library):
    users = [name for name, tree in TREES.items() if library in imported_libraries(tree)]
    assert [name for name in users if not name.startswith(DOORWAYS[library] or "nowhere")] == []


@pytest.mark.parametrize("library", DOORWAYS)
def test_every_doorway_is_there(library):
    assert [door for door in DOORWAYS[library] if not (ROOT / PACKAGE / door).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_files_and_functions_are_short(name):
    lines = (ROOT / PACKAGE / name).read_text().count("\n")
    assert lines <= MAX_FILE or name in DECLARATIONS
    for node in functions(TREES[name]):
        body = node.body[1:] if ast.get_docstring(node) else node.body
        length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert length <= MAX_FUNCTION, f"{node.name}: {length} lines"


@pytest.mark.parametrize("name", NAMES)
def test_functions_take_few_arguments(name):
    for node in functions(TREES[name]):
        arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
        n_arguments = len([argument for argument in arguments if argument not in ("self", "cls")])
        assert n_arguments <= MAX_ARGUMENTS, f"{node.name}: {n_arguments} arguments"


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_is_documented(name):
    assert ast.get_docstring(TREES[name]), "no module docstring"
    classes = [node for node in TREES[name].body if isinstance(node, ast.ClassDef)]
    for owner in (TREES[name], *filter(is_public, classes)):
        for node in filter(is_public, definitions(owner)):
            assert ast.get_docstring(node), f"{node.name}: no docstring"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_prints(name):
    calls = [node.func for node in ast.walk(TREES[name]) if isinstance(node, ast.Call)]
    assert "print" not in [call.id for call in calls if isinstance(call, ast.Name)]


# what a run leaves in the checkout: results/ without the committed bars/ and studies/, resources/
COMMITTED = r'(?:/|"\s*/\s*")(?:bars|studies)'
RUN = re.compile(
    rf'(?:ROOT|parents?(?:\[\d\])?)\s*/\s*"(?:resources|results(?!{COMMITTED}))'
    r'|Path\("resources/(?:bc03|kcorrect_sdss|gama_\w+)\.fits"\)'
)
TESTS = sorted(
    path
    for path in (ROOT / "tests").rglob("*.py")
    if path.parent.name not in ("bars", "studies") and path != Path(__file__).resolve()
)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT / "tests")))
def test_no_test_reads_what_a_run_has_left_in_the_checkout(path):
    """Else the tests after the demo are others than those before it."""
    assert RUN.findall(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        'x = ROOT / "results" / "ssp.h5"',
        'x = ROOT / "results/sdss_demo/catalogue.h5"',
        'x = Path(__file__).resolve().parents[2] / "resources" / "bc03.fits"',
        'x = Path("resources/bc03.fits")',
    ],
)
def test_such_a_line_is_noticed(line):
    assert RUN.search(line)
