"""The rules of CONTRIBUTING.md, checked on the syntax trees of the package."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from popsed_core.provenance.code_version import PACKAGE, imports

ROOT = Path(__file__).resolve().parent.parent
# each package imports only from those before it; modules at the root may be imported by all
ROOMS = (
    "vocabulary", "files", "config", "running", "downloads", "stellar", "emulator", "photometry",
    "surveys", "inference", "diagnostics", "provenance", "costs", "figures", "api", "commands",
    "cli",
)  # fmt: skip
DOORWAYS = {  # foreign library: the only places that import it
    "fsps": ("stellar/ssp/fsps.py",),
    "speclite": ("photometry/filters.py",),
    "sedpy": ("photometry/filters.py",),
    "geomloss": ("inference/distances/build.py",),
    "pykeops": ("inference/distances/build.py",),
    "h5py": ("files/artefacts.py", "files/hdf5.py"),
    "pyarrow": ("surveys/table_files.py",),
    "matplotlib": ("figures/",),
    "sklearn": ("diagnostics/classifier.py",),
    "threadpoolctl": ("diagnostics/classifier.py",),
    "rocrate": ("provenance/crate.py",),
    "rocrate_validator": (),
    "yaml": ("config/base.py", "config/read.py"),
    "pydantic": ("config/",),
    "snakemake": (),
}
MAX_FILE, MAX_FUNCTION, MAX_ARGUMENTS = 300, 40, 7

PATHS = sorted((ROOT / PACKAGE).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT / PACKAGE)) for path in PATHS]
TREES = dict(zip(NAMES, (ast.parse(path.read_text()) for path in PATHS), strict=True))


def test_every_folder_is_a_room():
    folders = {name.split("/")[0] for name in NAMES if "/" in name}
    assert folders - set(ROOMS) == set()


def room(module: str) -> int:
    first = module.removeprefix(PACKAGE).lstrip(".").split(".")[0].split("/")[0]
    return ROOMS.index(first.removesuffix(".py")) if first.removesuffix(".py") in ROOMS else 0


def module_of(name: str) -> str:
    return f"{PACKAGE}.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")


def functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def definitions(owner: ast.Module | ast.ClassDef) -> list[ast.FunctionDef | ast.ClassDef]:
    return [node for node in owner.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def is_public(node: ast.FunctionDef | ast.ClassDef) -> bool:
    return not node.name.startswith("_")


def upward_imports() -> list[tuple[str, str]]:
    return [
        (name, module)
        for name in NAMES
        for module in imports(module_of(name))
        if room(module) > room(name)
    ]


def circle() -> list[str]:
    """Return the modules of one circle of imports, or none."""
    graph = {
        module_of(name): set(imports(module_of(name))) - {PACKAGE, module_of(name)}
        for name in NAMES
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def test_a_module_imports_only_from_its_room_and_those_before():
    assert upward_imports() == []


def test_no_module_imports_itself_through_others():
    assert circle() == []


def imported_libraries(tree: ast.Module) -> set[str]:
    names = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names}


def test_a_foreign_library_enters_by_its_doorway_only():
    assert [
        (library, name)
        for library, doors in DOORWAYS.items()
        for name, tree in TREES.items()
        if library in imported_libraries(tree) and not name.startswith(doors or "nowhere")
    ] == []


def test_every_doorway_is_there():
    doors = {door for each in DOORWAYS.values() for door in each}
    assert [door for door in doors if not (ROOT / PACKAGE / door).exists()] == []


def test_files_are_short():
    lines = {name: (ROOT / PACKAGE / name).read_text().count("\n") for name in NAMES}
    assert {name: n for name, n in lines.items() if n > MAX_FILE} == {}


def length(node: ast.FunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def n_arguments(node: ast.FunctionDef) -> int:
    arguments = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
    return len([argument for argument in arguments if argument not in ("self", "cls")])


def test_functions_are_short_and_take_few_arguments():
    every = [(name, node) for name, tree in TREES.items() for node in functions(tree)]
    assert len(every) > 1000
    assert [(name, node.name) for name, node in every if length(node) > MAX_FUNCTION] == []
    assert [(name, node.name) for name, node in every if n_arguments(node) > MAX_ARGUMENTS] == []


def test_everything_public_is_documented():
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []
    assert [
        (name, node.name)
        for name, tree in TREES.items()
        for owner in (tree, *(x for x in tree.body if isinstance(x, ast.ClassDef) and is_public(x)))
        for node in filter(is_public, definitions(owner))
        if not ast.get_docstring(node)
    ] == []


def test_nothing_prints():
    calls = [
        (name, node.func)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]
    assert [name for name, f in calls if isinstance(f, ast.Name) and f.id == "print"] == []


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


def test_no_test_reads_what_a_run_has_left_in_the_checkout():
    """Otherwise a demo could change the outcome of the tests."""
    found = {str(path): RUN.findall(path.read_text()) for path in TESTS}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_such_a_line_is_noticed():
    for line in (
        'x = ROOT / "results" / "ssp.h5"',
        'x = ROOT / "results/sdss_demo/catalogue.h5"',
        'x = Path(__file__).resolve().parents[2] / "resources" / "bc03.fits"',
        'x = Path("resources/bc03.fits")',
    ):
        assert RUN.search(line), line
