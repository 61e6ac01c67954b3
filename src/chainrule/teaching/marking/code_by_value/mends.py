"""Small changes of a row whose shapes do not meet: a transpose, an order, an axis, a sum.

The shapes of posted code are inferred, so that two of them may differ for a reason outside of the
row. A row is wrong by its shape only where one small change of it gives the gradient.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event
from chainrule.teaching.marking.code_by_value.gradients import Backward, Slopes
from chainrule.teaching.marking.code_by_value.readings import FAULTS
from chainrule.teaching.marking.code_by_value.words import word_of

MOST_CHANGES = 80
"""The number of changes that are tried."""

_PRODUCTS = ("dot", "matmul", "mm", "mtimes", "outer")
_SUMS = ("sum", "mean")


def is_mended(
    event: Event, places: Sequence[int], backward: Backward, slopes: Slopes, loss: str
) -> bool:
    """Return whether a small change of a row makes it a multiple of the gradient.

    Parameters
    ----------
    event : Event
        The row.
    places : sequence of int
        The values of which it may be the gradient.
    backward : Backward
        The gradients of the code before it.
    slopes : Slopes
        The true derivatives.
    loss : str
        The term that is the loss.
    """
    for value in _changed(event.value):
        try:
            found = np.asarray(backward.walk.lifted(backward.apply(replace(event, value=value))))
            ratios = [slopes.ratio(found, place, loss, event) for place in places]
        except FAULTS:
            continue
        if any(ratio is not None for ratio in ratios):
            return True
    return False


def _changed(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the changed expressions; two transposes at once too."""
    once = list(_once(value))
    twice = (again for first in once for again in _once(first))
    for one in itertools.islice(itertools.chain(once, twice), MOST_CHANGES):
        yield ast.fix_missing_locations(ast.copy_location(one, value))


def _once(value: ast.expr) -> Iterator[ast.expr]:
    yield _transposed(value)
    for axis in (0, 1):
        for keeps in (False, True):
            sums = ast.Attribute(ast.Name("np", ast.Load()), "sum", ast.Load())
            yield ast.Call(
                sums, [copy.deepcopy(value)],
                [ast.keyword("axis", ast.Constant(axis)),
                 ast.keyword("keepdims", ast.Constant(keeps))],
            )  # fmt: skip
    for at, node in enumerate(ast.walk(value)):
        for kind in _kinds(node):
            again = copy.deepcopy(value)
            _change(next(itertools.islice(ast.walk(again), at, None)), kind)
            yield again


def _kinds(node: ast.AST) -> tuple[str, ...]:
    """Return the kinds of change that fit a node."""
    match node:
        case ast.BinOp(op=ast.MatMult()):
            return "left", "right", "order", "elementwise"
        case ast.BinOp(op=ast.Mult()):
            return "left", "right", "matrix"
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return "left", "right"
        case ast.Call(func=func) if word_of(func) in _PRODUCTS:
            return () if _factors(node) is None else ("left", "right", "order")
        case ast.Call(func=func) if word_of(func) in _SUMS:
            axis = _axis_of(node)
            if axis is None:
                return ()
            return ("axis", "sum") if isinstance(axis.value, ast.Constant) else ("sum",)
    return ()


def _factors(product: ast.Call) -> list[ast.expr] | None:
    """Return the two factors of ``np.dot(a, b)`` or ``a.dot(b)``."""
    if len(product.args) == 2:
        return product.args
    if isinstance(product.func, ast.Attribute) and len(product.args) == 1:
        return [product.func.value, product.args[0]]
    return None


def _axis_of(call: ast.Call) -> ast.keyword | None:
    return next((k for k in call.keywords if k.arg in ("axis", "dim")), None)


def _change(node: ast.AST, kind: str) -> None:
    """Change a node in place, by a kind of change that fits it."""
    if isinstance(node, ast.BinOp):
        if kind == "order":
            node.left, node.right = node.right, node.left
        elif kind == "elementwise":
            node.op = ast.Mult()
        elif kind == "matrix":
            node.op = ast.MatMult()
        else:
            setattr(node, kind, _transposed(getattr(node, kind)))
    elif isinstance(node, ast.Call) and kind in ("axis", "sum"):
        axis = _axis_of(node)
        if axis is not None and kind == "sum":
            node.keywords.remove(axis)
        elif axis is not None and isinstance(axis.value, ast.Constant):
            axis.value = ast.Constant(0 if axis.value.value else 1)
    elif isinstance(node, ast.Call) and (factors := _factors(node)) is not None:
        one, other = factors
        if word_of(node.func) == "mtimes":
            node.func = ast.Name("mtimes", ast.Load())
        else:
            node.func = ast.Attribute(ast.Name("np", ast.Load()), "dot", ast.Load())
        node.args = {
            "left": [_transposed(one), other],
            "right": [one, _transposed(other)],
            "order": [other, one],
        }[kind]


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.copy_location(ast.Attribute(copy.deepcopy(node), "T", ast.Load()), node)


__all__ = ["is_mended"]
