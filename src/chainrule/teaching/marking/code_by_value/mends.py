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
    count = sum(1 for _ in ast.walk(value))
    for at in range(count):
        for kind in ("left", "right", "order", "elementwise", "matrix", "axis", "sum"):
            again = copy.deepcopy(value)
            node = list(ast.walk(again))[at]
            if _change(node, kind):
                yield again


def _change(node: ast.AST, kind: str) -> bool:
    """Change a node in place; False where this kind of change does not fit it."""
    match node:
        case ast.BinOp(op=ast.MatMult()):
            if kind in ("left", "right"):
                setattr(node, kind, _transposed(getattr(node, kind)))
            elif kind == "order":
                node.left, node.right = node.right, node.left
            elif kind == "elementwise":
                node.op = ast.Mult()
            return kind in ("left", "right", "order", "elementwise")
        case ast.BinOp(op=ast.Mult()) if kind == "matrix":
            node.op = ast.MatMult()
            return True
        case ast.BinOp(op=ast.Mult() | ast.Add() | ast.Sub()) if kind in ("left", "right"):
            setattr(node, kind, _transposed(getattr(node, kind)))
            return True
        case ast.Call(func=func) if word_of(func) in _PRODUCTS:
            held = node.args if len(node.args) == 2 else None
            if held is None and isinstance(func, ast.Attribute) and len(node.args) == 1:
                held = [func.value, node.args[0]]
            if held is None or kind not in ("left", "right", "order"):
                return False
            one, other = held
            pair = {"left": [_transposed(one), other], "right": [one, _transposed(other)],
                    "order": [other, one]}[kind]  # fmt: skip
            name = "mtimes" if word_of(func) == "mtimes" else "dot"
            node.func = ast.Name("mtimes", ast.Load()) if name == "mtimes" else ast.Attribute(
                ast.Name("np", ast.Load()), "dot", ast.Load())  # fmt: skip
            node.args = pair
            return True
        case ast.Call(func=func) if word_of(func) in _SUMS and kind in ("axis", "sum"):
            axis = next((k for k in node.keywords if k.arg in ("axis", "dim")), None)
            if kind == "axis" and axis is not None and isinstance(axis.value, ast.Constant):
                axis.value = ast.Constant(0 if axis.value.value else 1)
                return True
            if kind == "sum" and axis is not None:
                node.keywords.remove(axis)
                return True
    return False


def _transposed(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.copy_location(ast.Attribute(copy.deepcopy(node), "T", ast.Load()), node)


__all__ = ["is_mended"]
