"""From the formula on the board to the line a person would write in code.

On the board a sum over examples is a product with a vector of ones; in code it is a sum. And a cost
is written as minus a sum of negative terms, which the stable form of its logarithms leaves with
signs that cancel.
"""

from __future__ import annotations

from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.ops import add, broadcast, mul, rebuild, reduce_sum, transpose
from chainrule.calculus.ops.lookup import scattered, taken
from chainrule.calculus.ops.reduction import COLUMNS, ROWS
from chainrule.calculus.rewriting.rule import Rule, is_op
from chainrule.calculus.rewriting.stabilisation import stabilise


def _ones(expr: Expr) -> Expr | None:
    """Rewrite ``D 1`` and ``1 D``."""
    if not is_op(expr, "matmul"):
        return None
    left, right = expr.args
    if isinstance(right, Number):
        total = mul(Number(right.value), reduce_sum(left, COLUMNS))
    elif isinstance(left, Number):
        total = mul(Number(left.value), reduce_sum(right, ROWS))
    else:
        return None
    return broadcast(total, expr.shape)


def _looked_up(expr: Expr) -> Expr | None:
    """Rewrite a product with one-hot marks, on whichever side they stand."""
    if not is_op(expr, "matmul"):
        return None
    left, right = expr.args
    for lines, marks, axis in ((left, right, ROWS), (right, left, COLUMNS)):
        turned = is_op(marks, "transpose")
        inner = marks.args[0] if turned else marks
        if not (isinstance(inner, Apply) and is_op(inner, "onehot")):
            continue
        (places,), (own, count) = inner.args, inner.attrs
        if places.shape[axis] != 1:
            places = transpose(places)
        if (own == axis) != turned:  # the product sums over the places: it picks
            return taken(lines, places, axis)
        return scattered(lines, places, axis, count)
    return None


def _signs(expr: Expr) -> Expr | None:
    """Rewrite minus a sum of negative terms, or of their total, mean or quotient."""
    return _negated(expr.args[0]) if is_op(expr, "neg") else None


def _negated(expr: Expr) -> Expr | None:
    """Return minus an expression without a sign in front, if its terms are negative."""
    if is_op(expr, "add"):
        if all(is_op(term, "neg") for term in expr.args):
            return add(*(term.args[0] for term in expr.args))
    elif is_op(expr, "sum") or is_op(expr, "mean") or is_op(expr, "div"):
        first, *rest = expr.args
        inner = _negated(first)
        return None if inner is None else rebuild(expr, (inner, *rest))
    return None


ONES = Rule(
    "a product with ones is a sum",
    "multiplying by a vector of ones adds entries up",
    _ones,
)
SIGNS = Rule(
    "minus signs cancel",
    "minus a sum of negative terms is the sum of the terms",
    _signs,
)

LOOKED_UP = Rule(
    "a product with one-hot columns is a look-up",
    "a one-hot column picks a column of the table, and its transpose adds where it was picked from",
    _looked_up,
)

TIDYING = (ONES, SIGNS, LOOKED_UP)
"""The rows, in the order in which they are tried."""


def tidy(expr: Expr) -> Expr:
    """Write a matrix form the way code is written."""
    tidied, _ = stabilise(expr, TIDYING)
    return tidied


__all__ = ["LOOKED_UP", "ONES", "SIGNS", "TIDYING", "tidy"]
