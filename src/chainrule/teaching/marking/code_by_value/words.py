"""Names, operators and short functions in the syntax tree of code."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.naming import Names

SIGNS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.Gt: "greater", ast.GtE: "greater_equal", ast.Lt: "less",
    ast.LtE: "less_equal", ast.Eq: "equal", ast.NotEq: "not_equal", ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder", ast.BitAnd: "multiply",
}  # fmt: skip
"""Operators by the names of their operations."""


_VECTORS = re.compile(r"(?i).*(?:vec|vector|idxs?|indices|indexes|ids)")

_SCALARS = re.compile(
    r"(?i)scale|eps\w*|alpha|lr|lam\w*|reg|rate|temp\w*|tau|dk|d|n|m|N|T|"
    r"d_(?:model|k|v|q|head|ff)|\w*_dim|\w*_size|num_\w+|\w*decay|momentum|stride|\w*prob|p"
)
"""Names of numbers."""


_NUMBERS = re.compile(
    r"(?i)eps(?:ilon)?|alpha|lr|lam(?:bda_?|b)?|reg(?:_?lambda|_?strength|ularization)?"
    r"|(?:l|learn\w*)_?rate|eta|tau|temperature|\w*decay|momentum"
)


def is_number_name(name: str) -> bool:
    """Whether a name is one that numbers alone have."""
    return _NUMBERS.fullmatch(name) is not None


def is_scalar_name(name: str) -> bool:
    """Whether a name is one that numbers have, rather than arrays."""
    return _SCALARS.fullmatch(name) is not None


def is_vector_name(name: str) -> bool:
    """Whether a name is one that vectors have: in small letters, or one that says so."""
    return name.islower() or _VECTORS.fullmatch(name) is not None


def is_helper(function: ast.FunctionDef) -> bool:
    """Whether a function is a formula of its arguments: short, and without a matrix product."""
    body = [one for one in function.body
            if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]  # fmt: skip
    if len(body) > 5 or not function.args.args:
        return False
    if not any(isinstance(node, ast.Return) for one in body for node in ast.walk(one)):
        return False
    for one in body:
        for node in ast.walk(one):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                return False
            if isinstance(node, ast.Call) and word_of(node.func) in ("dot", "matmul", "mm"):
                return False
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) \
                    and node.value.id == "self" and isinstance(node.ctx, ast.Store):  # fmt: skip
                return False
            if isinstance(node, ast.For | ast.While):
                return False
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                return False
    return True


def short_functions(statements: Sequence[ast.stmt]) -> dict[str, ast.FunctionDef]:
    """Return the functions of the code that are formulas of their arguments, by their names."""
    return {
        node.name: node
        for whole in statements
        for node in ast.walk(whole)
        if isinstance(node, ast.FunctionDef) and is_helper(node)
    }


def word_of(node: ast.expr) -> str:
    """Return the last part of the name of a function; empty for another expression."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def table_entry(table: str, key: str, names: Names) -> str:
    """Return the name of an entry: ``grads["W1"]`` is the gradient of W1, a table's is its own."""
    of_gradients = table.lower().startswith(("grad", "dparam", "d_param", "nabla"))
    return f"d{key}" if of_gradients and not names.is_gradient(key) else key


def is_new_axis(node: ast.expr) -> bool:
    """Whether a part of an index adds an axis: ``None`` or ``np.newaxis``."""
    if isinstance(node, ast.Constant) and node.value is None:
        return True
    return isinstance(node, ast.Attribute) and node.attr == "newaxis"


def names_in(node: ast.AST) -> set[str]:
    """Return all names in an expression."""
    return {sub.id for sub in ast.walk(node) if isinstance(sub, ast.Name)}


def of_numbers(sign: str, one: float, other: float) -> object:
    """Return an operation on two numbers."""
    try:
        match sign:
            case "add":
                return one + other
            case "subtract":
                return one - other
            case "multiply":
                return one * other
            case "divide":
                return one / other
            case "power":
                return float(one) ** float(other)
            case "floor_divide":
                return one // other
            case "remainder":
                return one % other
            case "greater":
                return int(one > other)
            case "greater_equal":
                return int(one >= other)
            case "less":
                return int(one < other)
            case "less_equal":
                return int(one <= other)
            case "equal":
                return int(one == other)
            case "not_equal":
                return int(one != other)
    except (OverflowError, ZeroDivisionError, ValueError) as error:
        raise Misfit("a number out of range") from error
    raise Misfit("a comparison that is not read")


def of_one_number(node: ast.expr) -> ast.expr:
    """Return a list such as ``[[0]]``, whose entries are all 0 or all 1, as a call of NumPy."""
    sizes: list[ast.expr] = []
    inner = node
    while isinstance(inner, ast.List) and inner.elts:
        if len({ast.dump(one) for one in inner.elts}) > 1:
            return node
        sizes.append(ast.Constant(len(inner.elts)))
        inner = inner.elts[0]
    if not sizes or not isinstance(inner, ast.Constant) or inner.value not in (0, 1):
        return node
    word = ast.Attribute(ast.Name("np", ast.Load()), "ones" if inner.value else "zeros", ast.Load())
    call = ast.Call(word, [ast.Tuple(sizes, ast.Load())], [])
    return ast.fix_missing_locations(ast.copy_location(call, node))


__all__ = [
    "SIGNS",
    "is_helper",
    "is_new_axis",
    "is_number_name",
    "is_scalar_name",
    "is_vector_name",
    "names_in",
    "of_numbers",
    "of_one_number",
    "short_functions",
    "table_entry",
    "word_of",
]
