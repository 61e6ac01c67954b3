"""The mistakes, as changes of a formula's tree: each a row with the words that name it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Change = Callable[[ast.expr], Iterator[ast.expr]]


@dataclass(frozen=True)
class Kind:
    """A kind of mistake.

    Parameters
    ----------
    name : str
        What it is called here.
    words : tuple of str
        One of these must stand in the name that the audit gives.
    change : callable
        Yields what may stand in the place of a part of a formula.
    top : bool
        Whether only the whole formula is changed.
    """

    name: str
    words: tuple[str, ...]
    change: Change
    top: bool = False


def _join(left: ast.expr, operation: ast.operator, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, operation, right)


def _turned(node: ast.expr) -> ast.expr:
    return ast.Attribute(node, "T", ast.Load())


def sign(node: ast.expr) -> Iterator[ast.expr]:
    """Turn the sign of the whole."""
    yield ast.UnaryOp(ast.USub(), node)


def sign_of_a_term(node: ast.expr) -> Iterator[ast.expr]:
    """Take plus for minus, and the reverse."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        turned = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield _join(node.left, turned, node.right)


def term_dropped(node: ast.expr) -> Iterator[ast.expr]:
    """Leave a term of a sum out."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node.left
        yield ast.UnaryOp(ast.USub(), node.right) if isinstance(node.op, ast.Sub) else node.right


def factor_dropped(node: ast.expr) -> Iterator[ast.expr]:
    """Leave a factor out, or a divisor."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield node.left
        yield node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield node.left


def transpose_missing(node: ast.expr) -> Iterator[ast.expr]:
    """Forget a transpose."""
    if isinstance(node, ast.Attribute):
        yield node.value


def transpose_too_many(node: ast.expr) -> Iterator[ast.expr]:
    """Transpose what is not transposed."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        if not isinstance(node.right, ast.Attribute):
            yield _join(node.left, node.op, _turned(node.right))
        if not isinstance(node.left, ast.Attribute):
            yield _join(_turned(node.left), node.op, node.right)


def operands_swapped(node: ast.expr) -> Iterator[ast.expr]:
    """Write the factors of a matrix product in the other order."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield _join(node.right, node.op, node.left)


def entries_for_product(node: ast.expr) -> Iterator[ast.expr]:
    """Multiply entry by entry where a matrix product belongs."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield _join(node.left, ast.Mult(), node.right)


def product_for_entries(node: ast.expr) -> Iterator[ast.expr]:
    """Take the matrix product where factors meet entry by entry."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield _join(node.left, ast.MatMult(), node.right)


def constant(node: ast.expr) -> Iterator[ast.expr]:
    """Be off by a number, or by the number of examples."""
    yield _join(ast.Constant(2), ast.Mult(), node)
    yield _join(node, ast.Div(), ast.Constant(2))
    yield _join(node, ast.Div(), ast.Name("m", ast.Load()))


def number_wrong(node: ast.expr) -> Iterator[ast.expr]:
    """Drop a 2 or a 1/2 of the formula, or double it."""
    if isinstance(node, ast.Constant) and node.value == 2:
        yield ast.Constant(1)
        yield ast.Constant(4)


def square_dropped(node: ast.expr) -> Iterator[ast.expr]:
    """Write a for a^2 in the slope of an activation."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        yield node.left


def sum_missing(node: ast.expr) -> Iterator[ast.expr]:
    """Leave a sum out."""
    match node:
        case ast.Call(func=ast.Name(id="sum"), args=[inner]):
            yield inner
        case ast.Call(func=ast.Name(id="S"), args=[_, inner]):
            yield inner


def sum_along_the_wrong_axis(node: ast.expr) -> Iterator[ast.expr]:
    """Sum over features where examples are meant."""
    if isinstance(node, ast.Call) and node.keywords:
        old = node.keywords[0]
        assert isinstance(old.value, ast.Constant)
        other = ast.keyword(old.arg, ast.Constant(1 - int(str(old.value.value))))
        yield ast.Call(node.func, node.args, [other])


def indices_swapped(node: ast.expr) -> Iterator[ast.expr]:
    """Write X_ip for X_pi."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        yield ast.Subscript(node.value, ast.Tuple(node.slice.elts[::-1], ast.Load()), ast.Load())


def index_wrong(node: ast.expr) -> Iterator[ast.expr]:
    """Let another index run."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name):
        for letter in "pijk":
            if letter != node.slice.id:
                yield ast.Subscript(node.value, ast.Name(letter, ast.Load()), ast.Load())


def mask_turned(node: ast.expr) -> Iterator[ast.expr]:
    """Keep what is negative."""
    if isinstance(node, ast.Compare):
        yield ast.Compare(ast.UnaryOp(ast.USub(), node.left), node.ops, node.comparators)


def variable_wrong(node: ast.expr) -> Iterator[ast.expr]:
    """Take the score for its activation, or one layer for the next."""
    others = {"a": "z", "A": "Z", "A1": "Z1", "A2": "A1", "H": "Z", "h1": "h2", "h2": "h1"}
    others |= {"W2": "W1", "Y": "A", "dZ1": "dZ2", "dZ2": "dA2", "P": "Y", "s": "u", "dP": "dS"}
    if isinstance(node, ast.Name) and node.id in others:
        yield ast.Name(others[node.id], ast.Load())


_DROPPED = ("factor", "dropped", "missing", "half", "forgotten", "derivative", "path", "term")
_CONSTANT = ("constant", "factor", "1/m", "doubled", "half", "exponent")
_TERM = ("term", "path", "dropped", "another variable", "taken off")
_PRODUCTS = ("transpose", "swapped", "order", "matrix product", "elementwise", "wrong variable")
_SUMS = ("sum", "un-broadcast", "missing", "index", "indices", "rows summed")

KINDS = (
    Kind("sign", ("sign",), sign, top=True),
    Kind("sign of a term", ("sign",), sign_of_a_term),
    Kind("term dropped", _TERM, term_dropped),
    Kind("factor dropped", (*_DROPPED, "1/", "another variable", "exponent"), factor_dropped),
    Kind("transpose missing", _PRODUCTS, transpose_missing),
    Kind("transpose too many", _PRODUCTS, transpose_too_many),
    Kind("operands swapped", _PRODUCTS, operands_swapped),
    Kind("entries for product", (*_PRODUCTS, "sum"), entries_for_product),
    Kind("product for entries", _PRODUCTS, product_for_entries),
    Kind("constant", _CONSTANT, constant, top=True),
    Kind("number wrong", ("factor", "2", "doubled", "half", "exponent"), number_wrong),
    Kind("square dropped", ("square", "slope", "derivative", "half", "exponent"), square_dropped),
    Kind("sum missing", _SUMS, sum_missing),
    Kind("wrong axis", ("axis", "sum"), sum_along_the_wrong_axis),
    Kind("indices swapped", ("ind", "transpose"), indices_swapped),
    Kind("index wrong", ("ind", "sum"), index_wrong),
    Kind("mask turned", ("mask",), mask_turned),
    Kind("variable wrong", ("variable", "tensor", "wrong", "layer", "value"), variable_wrong),
)


def changed(root: ast.expr) -> Iterator[tuple[Kind, ast.expr]]:
    """Yield every formula with one mistake in it."""
    parts = [node for node in ast.walk(root) if isinstance(node, ast.expr)]
    for kind in KINDS:
        for part in parts[:1] if kind.top else parts:
            for new in kind.change(part):
                yield kind, replaced(root, part, new)


def replaced(root: ast.expr, old: ast.expr, new: ast.expr) -> ast.expr:
    """Return a formula with one part of it replaced."""
    if root is old:
        return new
    build: Any = type(root)
    fields: dict[str, Any] = {}
    for name, part in ast.iter_fields(root):
        if isinstance(part, list):
            fields[name] = [replaced(p, old, new) if isinstance(p, ast.expr) else p for p in part]
        else:
            fields[name] = replaced(part, old, new) if isinstance(part, ast.expr) else part
    return build(**fields)  # type: ignore[no-any-return]
