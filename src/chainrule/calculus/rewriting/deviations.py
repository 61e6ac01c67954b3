"""Sums of deviations: what is centred by its mean adds to zero.

``X - mean(X)`` adds to zero along the axis of the mean, and so does what is linear in it: the same
divided by a scale, or multiplied by a matrix from the other side.
"""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.graph.dims import Index, Shape
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Total,
    entry,
    running,
    walk,
)
from chainrule.calculus.ops import add, replace, size
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Rule, is_op
from chainrule.calculus.rewriting.sums import LEAVE, one_letter, split_factors

ROWS, COLUMNS = 0, 1


def deviations(model: Model) -> tuple[Rule, ...]:
    """Return the rule that sums of deviations are zero, where a forward pass has means."""
    means = _means(model)
    centred = _centred_values(model, means)

    def becomes(expr: Expr) -> Expr | None:
        if not isinstance(expr, Total):
            return None
        moving = [f for f in split_factors(expr.body)[1] if expr.index in running(f)]
        if len(moving) != 1:
            return None
        (factor,) = moving
        if isinstance(factor, Entry):
            runs = _axis(factor, expr.index)
            return Number(0) if (factor.matrix, runs) in centred else None
        total = _added(factor, expr.index, means)
        return Number(0) if total is not None and normal_form(total) is Number(0) else None

    nodes = (node for value in model.values.values() for node in walk(value))
    if not any(_mean_of(node, {}) for node in nodes):
        return ()
    rule = Rule(
        "deviations add to zero",
        "the mean is in the middle: what lies above it and what lies below it add to zero",
        becomes,
    )
    return (rule,)


def _means(model: Model) -> dict[Expr, tuple[Expr, int]]:
    """Return the definitions that are means: of which matrix, and along which axis."""
    found: dict[Expr, tuple[Expr, int]] = {}
    for target, value in model.values.items():
        mean = _mean_of(value, {})
        if mean is not None:
            found[target] = mean
    return found


def _mean_of(value: Expr, known: Mapping[Expr, tuple[Expr, int]]) -> tuple[Expr, int] | None:
    """Return what a value is the mean of, and along which axis."""
    if is_op(value, "broadcast"):
        return _mean_of(value.args[0], known)
    if value in known:
        return known[value]
    if isinstance(value, Apply) and is_op(value, "mean"):
        axis = _only_axis(value.args[0].shape, value.attrs[0])
        return None if axis is None else (value.args[0], axis)
    if is_op(value, "div"):
        top, below = value.args
        if isinstance(top, Apply) and is_op(top, "sum"):
            axis = _only_axis(top.args[0].shape, top.attrs[0])
            below = below.args[0] if is_op(below, "broadcast") else below
            if axis is not None and below is size(top.args[0].shape[axis]):
                return top.args[0], axis
    return None


def _only_axis(shape: Shape, axis: int | None) -> int | None:
    """Return the one axis along which a reduction runs; None where it runs along both."""
    if axis is not None:
        return axis
    runs = [a for a, dim in enumerate(shape) if dim != 1]
    return runs[0] if len(runs) == 1 else None


def _centred_values(
    model: Model, means: Mapping[Expr, tuple[Expr, int]]
) -> frozenset[tuple[Expr, int]]:
    """Return the definitions that add to zero along an axis."""
    found: set[tuple[Expr, int]] = set()
    for target, value in model.values.items():
        for axis in (ROWS, COLUMNS):
            if _is_centred(value, axis, means, found):
                found.add((target, axis))
    return frozenset(found)


def _is_centred(
    value: Expr,
    axis: int,
    means: Mapping[Expr, tuple[Expr, int]],
    known: set[tuple[Expr, int]],
) -> bool:
    if value.shape[axis] == 1:
        return False
    if (value, axis) in known:
        return True
    if not isinstance(value, Apply):
        return False

    def inner(part: Expr) -> bool:
        return _is_centred(part, axis, means, known)

    if is_op(value, "neg"):
        return inner(value.args[0])
    if is_op(value, "matmul"):
        return inner(value.args[axis])  # the axis of the rows is that of the left factor
    if is_op(value, "mul") or is_op(value, "div"):
        moving = [arg for arg in value.args if not _is_still(arg, axis)]
        above = is_op(value, "mul") or moving == [value.args[0]]
        return above and len(moving) == 1 and inner(moving[0])
    if is_op(value, "add"):
        if len(value.args) == 2 and _is_less_its_mean(*value.args, axis, means):
            return True
        return all(inner(arg) for arg in value.args)
    return False


def _is_less_its_mean(
    value: Expr, mean: Expr, axis: int, means: Mapping[Expr, tuple[Expr, int]]
) -> bool:
    """Whether two terms are a matrix and minus its mean along an axis."""
    if is_op(mean, "broadcast"):
        mean = mean.args[0]
    return is_op(mean, "neg") and _mean_of(mean.args[0], means) == (value, axis)


def _is_still(value: Expr, axis: int) -> bool:
    """Whether a value is the same everywhere along an axis."""
    if isinstance(value, Number):
        return True
    return is_op(value, "broadcast") and value.args[0].shape[axis] == 1


def _axis(cell: Entry, index: Index) -> int | None:
    """Return the axis along which an index runs over a matrix, if along one alone."""
    runs = [a for a, place in enumerate(cell.places) if place == index]
    return runs[0] if len(runs) == 1 else None


def _added(body: Expr, index: Index, means: Mapping[Expr, tuple[Expr, int]]) -> Expr | None:
    """Return what a bracket adds to, term by term, each mean written as a sum over its number."""
    if not is_op(body, "add"):
        return None
    opened = {
        cell: _as_sum(cell, index, *means[matrix])
        for cell in walk(body)
        if (matrix := cell.matrix if isinstance(cell, Entry) else cell) in means
    }
    terms = replace(body, opened).args
    total = [
        Total(index, term) if index in running(term) else size(index.dim) * term for term in terms
    ]
    return one_letter(add(*(LEAVE.becomes(term) or term for term in total)))


def _as_sum(mean: Expr, index: Index, of: Expr, axis: int) -> Expr:
    """Return an entry of a mean as a sum over its number of terms."""
    if of.shape[axis] != index.dim:
        return mean
    places = list(mean.places if isinstance(mean, Entry) else (None, None))
    places[axis] = index
    return Total(index, entry(of, *places)) / size(index.dim)


__all__ = ["deviations"]
