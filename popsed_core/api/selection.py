"""Conditions as people write them, such as ``redshift < 0.1 and log_sfr > -1``, evaluated safely.

Names of columns, numbers, comparisons, ``and``, ``or``, ``not`` and ``+ - * / **``: nothing else is
understood, and nothing is called.
"""

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from popsed_core.errors import InputError

Columns = Callable[[str], np.ndarray]
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.BitAnd: np.logical_and, ast.BitOr: np.logical_or,
    ast.And: np.logical_and, ast.Or: np.logical_or,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: np.logical_not,
    ast.Invert: np.logical_not,
}  # fmt: skip


def evaluate(condition: str, column: Columns) -> np.ndarray:
    """Return where a condition holds.

    Args:
        condition: such as ``0.1 < redshift < 0.2``.
        column: returns the values of a column; raises InputError for an unknown one.

    Raises:
        InputError: the condition is no condition, or asks for more than is understood.
    """
    try:
        tree = ast.parse(condition.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise InputError(f"condition {condition!r}: not understood ({error})") from error
    found = np.asarray(_value(tree, column, condition))
    if found.dtype != bool:
        raise InputError(f"condition {condition!r}: is no condition, expected a comparison")
    return found


def _value(node: ast.AST, column: Columns, whole: str) -> Any:
    if isinstance(node, ast.Name):
        return column(node.id)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = (_value(part, column, whole) for part in (node.left, node.right))
        return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.UnaryOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.operand, column, whole))
    if isinstance(node, ast.BoolOp):
        parts = [_value(part, column, whole) for part in node.values]
        return OPERATORS[type(node.op)].reduce(np.broadcast_arrays(*parts))
    if isinstance(node, ast.Compare) and all(type(op) in OPERATORS for op in node.ops):
        values = [_value(part, column, whole) for part in (node.left, *node.comparators)]
        pairs = zip(node.ops, values[:-1], values[1:], strict=True)
        return np.logical_and.reduce([OPERATORS[type(op)](a, b) for op, a, b in pairs])
    raise InputError(
        f"condition {whole!r}: {ast.unparse(node)!r} is not understood; expected columns, numbers, "
        "comparisons, and, or, not, + - * / **"
    )
