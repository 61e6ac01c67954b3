"""Side relations: what a forward pass knows of its own values, as rules for sums.

The probabilities of a softmax add to one along its axis. Labels add to one in every column where
the author says that they are one-hot, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

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
from chainrule.calculus.rewriting.rule import Label, Rule, is_op

ROWS, COLUMNS = 0, 1


SUM_TO_ONE = frozenset(TABLE[name] for name in ("softmax", "argmax", "argmin", "onehot"))
"""Rows whose values add to one along their axis."""

LABELS = Label(
    "one-hot labels add to one",
    "one label of every example is 1 and the others are 0, as the forward pass declares",
)
PROBABILITIES = Label(
    "probabilities add to one",
    "a softmax divides by the sum of its exponentials, so its values add to one",
)
MARKS = Label("marks add to one", "one place along the axis is marked with 1 and the others with 0")
SHARES = Label("shares add to one", "entries that are divided by their sum add to one")
MIXTURES = Label(
    "a mixture adds to one",
    "its parts add to one, each with its weight, and so do the weights",
)


def side_relations(model: Model) -> tuple[Rule, ...]:
    """Return the rules that hold in a forward pass, one for each kind of relation."""
    known: dict[Label, dict[Expr, int | None]] = {
        LABELS: {label.symbol: label.axis for label in model.onehot},
        **{kind: {} for kind in (PROBABILITIES, MARKS, SHARES, MIXTURES)},
    }
    for target, axis in adding_to_one(model).items():
        known[_kind(model.values[target])][target] = axis

    def rule(kind: Label) -> Rule:
        def axis_of(matrix: Expr) -> tuple[int | None, ...]:
            if isinstance(matrix, Apply) and matrix.op in SUM_TO_ONE and _kind(matrix) is kind:
                return (matrix.attrs[0],)
            return (known[kind][matrix],) if matrix in known[kind] else ()

        weighs = kind is not LABELS
        return Rule(
            kind.name,
            kind.because,
            lambda expr: (
                _total_of_one(expr, axis_of) or (_out_of_mean(expr, axis_of) if weighs else None)
            ),
        )

    return (*map(rule, known), *deviations(model))


AxisOf: TypeAlias = Callable[[Expr], tuple[int | None, ...]]


def _kind(value: Expr) -> Label:
    """Return why values that add to one do so."""
    if isinstance(value, Apply) and value.op in SUM_TO_ONE:
        return PROBABILITIES if is_op(value, "softmax") else MARKS
    return MIXTURES if _share_axis(value) is None else SHARES


def _total_of_one(expr: Expr, axis_of: AxisOf) -> Expr | None:
    """Add up, over the index of a sum, what adds to one; sums inside may stand first."""
    if isinstance(expr, Total) and isinstance(expr.body, Total):
        inner = _total_of_one(Total(expr.index, expr.body.body), axis_of)
        return None if inner is None else Total(expr.body.index, inner)
    if not (isinstance(expr, Total) and isinstance(expr.body, Entry)):
        return None
    cell = expr.body
    for axis in axis_of(cell.matrix):
        along = range(len(cell.places)) if axis is None else (axis,)
        runs = [a for a, dim in enumerate(cell.matrix.shape) if a in along and dim != 1]
        if len(runs) == 1 and cell.places[runs[0]] == expr.index:
            return Number(1)
    return None


def _out_of_mean(expr: Expr, axis_of: AxisOf) -> Expr | None:
    """Take what does not run out of a mean that is weighted by probabilities."""
    if not (isinstance(expr, Total) and is_op(expr.body, "mul") and len(expr.body.args) == 2):
        return None
    for weight, body in (expr.body.args, expr.body.args[::-1]):
        alone = _total_of_one(Total(expr.index, weight), axis_of)
        if alone is None or not is_op(body, "add"):
            continue
        still = [term for term in body.args if expr.index not in running(term)]
        moving = [term for term in body.args if expr.index in running(term)]
        if still and moving:
            return add(*still, Total(expr.index, mul(add(*moving), weight)))
    return None


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
        if symbols(value) and not symbols(value) & known.keys():
            continue  # no part of it adds to one
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
    if (cell := _constant(value)) is not None:
        return mul(size(value.shape[axis]), cell)
    if is_op(value, "add"):
        parts = [_total(arg, axis, known) for arg in value.args]
        return None if None in parts else add(*(part for part in parts if part is not None))
    if is_op(value, "neg"):
        negative = _total(value.args[0], axis, known)
        return None if negative is None else -negative
    if is_op(value, "div") and (below := _constant(value.args[1])) is not None:
        above = _total(value.args[0], axis, known)
        return None if above is None else above / below
    if is_op(value, "mul"):
        others = [arg for arg in value.args if _constant(arg) is None]
        total = _total(others[0], axis, known) if len(others) == 1 else None
        if total is None:
            return None
        return mul(total, *(cell for arg in value.args if (cell := _constant(arg)) is not None))
    return None


def _constant(value: Expr) -> Expr | None:
    """Return what a constant matrix holds everywhere."""
    if isinstance(value, Number):
        return Number(value.value)
    if is_op(value, "broadcast"):
        return _constant(value.args[0])
    return value if value.shape == SCALAR else None
