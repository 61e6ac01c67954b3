"""Side relations: what a forward pass knows of its own values, as rules for sums.

The probabilities of a softmax add to one along its axis. Labels add to one in every column where
the author says that they are one-hot, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Symbol,
    Total,
    running,
    symbols,
)
from chainrule.calculus.ops import TABLE, add, mul, size
from chainrule.calculus.rewriting.deviations import deviations
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Rule, is_op

ROWS, COLUMNS = 0, 1


def side_relations(model: Model) -> tuple[Rule, ...]:
    """Return the rules that hold in a forward pass, one for each kind of relation."""
    one_hot = {known.symbol: known.axis for known in model.onehot}
    known = adding_to_one(model)

    def labels(matrix: Expr) -> tuple[int | None, ...]:
        return (one_hot[matrix],) if matrix in one_hot else ()

    def probabilities(matrix: Expr) -> tuple[int | None, ...]:
        if isinstance(matrix, Apply) and matrix.op in SUM_TO_ONE:
            return (matrix.attrs[0],)
        return (known[matrix],) if matrix in known else ()

    def becomes(expr: Expr, axes_of: object) -> Expr | None:
        if not (isinstance(expr, Total) and isinstance(expr.body, Entry)):
            return None
        cell = expr.body
        assert callable(axes_of)
        for axis in axes_of(cell.matrix):
            along = range(len(cell.places)) if axis is None else (axis,)
            runs = [a for a, dim in enumerate(cell.matrix.shape) if a in along and dim != 1]
            if len(runs) == 1 and cell.places[runs[0]] == expr.index:
                return Number(1)
        return None

    def weighted(expr: Expr) -> Expr | None:
        """Take what does not run out of a mean that is weighted by probabilities."""
        if not (isinstance(expr, Total) and is_op(expr.body, "mul") and len(expr.body.args) == 2):
            return None
        for weight, body in (expr.body.args, expr.body.args[::-1]):
            alone = becomes(Total(expr.index, weight), probabilities)
            if alone is None or not is_op(body, "add"):
                continue
            still = [term for term in body.args if expr.index not in running(term)]
            moving = [term for term in body.args if expr.index in running(term)]
            if still and moving:
                return add(*still, Total(expr.index, mul(add(*moving), weight)))
        return None

    return (
        Rule(
            "one-hot labels add to one",
            "one label of every example is 1 and the others are 0, as the forward pass declares",
            lambda expr: becomes(expr, labels),
        ),
        Rule(
            "probabilities add to one",
            "a softmax divides by the sum of its exponentials, so its values add to one",
            lambda expr: becomes(expr, probabilities) or weighted(expr),
        ),
        *deviations(model),
    )


def adding_to_one(model: Model) -> dict[Symbol, int | None]:
    """Return the definitions whose values add to one, each with its axis.

    Those are probabilities, and mixtures: smoothed labels ``0.9 Y + 0.1/k`` add to one as ``Y``
    does.
    """
    found: dict[Symbol, int | None] = {}
    known: dict[Expr, int | None] = {label.symbol: label.axis for label in model.onehot}
    for target, value in model.values.items():
        axis: int | None = None
        if isinstance(value, Apply) and value.op in SUM_TO_ONE:
            found[target] = known[target] = value.attrs[0]
            continue
        if (shared := _share_axis(value)) is not None:
            found[target] = known[target] = shared
            continue
        for axis in (ROWS, COLUMNS):
            total = _total(value, axis, known)
            if total is not None and normal_form(total) is Number(1):
                found[target] = known[target] = axis
    return found


def _share_axis(value: Expr) -> int | None:
    """Return the axis of a definition that divides entries by their sum along an axis."""
    if not is_op(value, "div"):
        return None
    top, below = value.args
    total = below.args[0] if is_op(below, "broadcast") else below
    if not (isinstance(total, Apply) and is_op(total, "sum") and total.args[0] is top):
        return None
    runs = [
        a for a, (one, all_) in enumerate(zip(total.shape, top.shape, strict=True)) if one != all_
    ]
    return runs[0] if len(runs) == 1 else None


def _total(value: Expr, axis: int, known: Mapping[Expr, int | None]) -> Expr | None:
    """Return what a mixture of labels and constants adds to along an axis, if that is a number."""
    if value in known:
        return Number(1) if known[value] == axis else None
    if not symbols(value):
        cell = _constant(value)
        return None if cell is None else mul(size(value.shape[axis]), cell)
    if is_op(value, "add"):
        parts = [_total(arg, axis, known) for arg in value.args]
        return None if None in parts else add(*(part for part in parts if part is not None))
    if is_op(value, "mul"):
        constants = [_constant(arg) for arg in value.args if not symbols(arg)]
        others = [arg for arg in value.args if symbols(arg)]
        total = _total(others[0], axis, known) if len(others) == 1 else None
        if total is None or None in constants:
            return None
        return mul(total, *(constant for constant in constants if constant is not None))
    return None


def _constant(value: Expr) -> Expr | None:
    """Return what a constant matrix holds everywhere."""
    if isinstance(value, Number):
        return Number(value.value)
    if is_op(value, "broadcast"):
        return _constant(value.args[0])
    return value if value.shape == SCALAR else None


SUM_TO_ONE = frozenset(TABLE[name] for name in ("softmax", "argmax", "argmin", "onehot"))
"""Rows whose values add to one along their axis."""
