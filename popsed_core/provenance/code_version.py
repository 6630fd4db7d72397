"""A content hash of package modules and of all package modules that they import.

Snakemake rules put ``code_version("popsed_core.inference.fit")`` in their ``params``: editing a
module reruns exactly the rules that depend on it.  The hash is taken over the syntax tree without
text that only people read: comments, docstrings, the arguments of exceptions that are raised and
of log calls, and descriptions of configuration keys.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "popsed_core"
LOGGERS = ("log", "logger")  # names that modules give to their loggers
LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
SAID = "description"  # keyword argument that is only text
ROOT = Path(__file__).resolve().parents[2]


def code_version(*modules: str) -> str:
    """Return a 16-digit hash of the named modules and their imports within the package.

    Args:
        modules: full names such as ``popsed_core.inference.fit``.

    Raises:
        ValueError: a module does not exist.
    """
    closure = sorted(set().union(*(import_closure(name) for name in modules)))
    digest = hashlib.sha256()
    for name in closure:
        digest.update(f"{name}={_tree_hash(name)};".encode())
    return digest.hexdigest()[:16]


@cache
def import_closure(module: str) -> frozenset[str]:
    """Return the module and, transitively, every package module it imports."""
    if _source(module) is None:
        raise ValueError(f"module: got {module}, expected a module of {PACKAGE}")
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += imports(name)
    return frozenset(seen)


@cache
def imports(module: str) -> tuple[str, ...]:
    """Return the package modules that a module imports directly."""
    names: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    ours = {name for name in names if name == PACKAGE or name.startswith(PACKAGE + ".")}
    return tuple(sorted(name for name in ours if _source(name) is not None))


@cache
def libraries(*modules: str) -> tuple[str, ...]:
    """Return the names of everything that the modules and their package imports import."""
    names: set[str] = set()
    for module in set().union(*(import_closure(name) for name in modules)):
        for node in ast.walk(_tree(module)):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return tuple(sorted(names))


def _source(module: str) -> Path | None:
    base = ROOT / module.replace(".", "/")
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


@cache
def _tree(module: str) -> ast.Module:
    path = _source(module)
    assert path is not None
    return ast.parse(path.read_text())


@cache
def _tree_hash(module: str) -> str:
    bare = _WithoutWords().visit(_tree(module))
    return hashlib.sha256(ast.dump(bare).encode()).hexdigest()


class _WithoutWords(ast.NodeTransformer):
    """Removes text that only people read."""

    def visit(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        elif isinstance(node, ast.Call):
            if _is_log_call(node.func):
                node.args, node.keywords = [], []
            node.keywords = [each for each in node.keywords if each.arg != SAID]
        return node


def _is_log_call(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in LOGGERS
    )


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
