"""Sums of blocks: what several parts of a matrix receive, written as one stack.

A part hands its gradient back between zeros, ``[dU; 0]``. Added to what the other parts hand back,
``[0; dV]``, the zeros fill up: ``[dU; dV]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chainrule.calculus.graph.dims import Dim, Shape, certain, minus, plus
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, entry, transform
from chainrule.calculus.ops import add, stack
from chainrule.calculus.ops.reduction import ROWS
from chainrule.calculus.rewriting.rule import Fired, Rule, is_op

Block: TypeAlias = tuple[Dim, Dim, Expr]
"""Where a block begins, where it ends, and what stands there."""


def filled(form: Expr) -> tuple[Expr, list[Fired]]:
    """Add stacks of zeros and blocks wherever an expression adds them.

    Returns
    -------
    short : Expr
        The expression with one stack in place of several.
    fired : list of Fired
        The steps.
    """
    fired: list[Fired] = []
    while True:
        after = transform(form, lambda node: FILL.becomes(node) or node)
        if after is form:
            return form, fired
        fired.append(Fired(FILL, form, after))
        form = after


def _filled(expr: Expr) -> Expr | None:
    """Add the stacks among the terms of a sum, block by block."""
    if not is_op(expr, "add"):
        return None
    for first in expr.args:
        alike = [term for term in expr.args if _place(term) and _place(term) == _place(first)]
        if len(alike) < 2:
            continue
        matrices = [term.matrix if isinstance(term, Entry) else term for term in alike]
        whole = _added([m for m in matrices if isinstance(m, Apply)])
        if whole is not None:
            at = entry(whole, *first.places) if isinstance(first, Entry) else whole
            return add(
                *(at if t is first else t for t in expr.args if t is first or t not in alike)
            )
    return None


def _place(term: Expr) -> tuple[object, ...]:
    """Return which entries of a stack a term is, and along which axis it is stacked."""
    if isinstance(term, Entry) and is_op(term.matrix, "stack"):
        assert isinstance(term.matrix, Apply)
        return ("entry", *term.places, *term.matrix.attrs)
    if is_op(term, "stack"):
        assert isinstance(term, Apply)
        return ("whole", *term.attrs)
    return ()


def _added(stacks: Sequence[Apply]) -> Expr | None:
    """Add stacks along one axis; nothing where their blocks overlap."""
    (axis,), shape = stacks[0].attrs, stacks[0].shape
    placed: list[Block] = []
    for block in (b for each in stacks for b in _blocks(each, axis)):
        found = _inserted(placed, block)
        if found is None:
            return None
        placed = found
    parts: list[Expr] = []
    at: Dim = 0
    for first, end, value in placed:
        parts += _zeros(minus(first, at), shape, axis)
        parts.append(value)
        at = end
    parts += _zeros(minus(shape[axis], at), shape, axis)
    return stack(parts, axis)


def _zeros(size: Dim, shape: Shape, axis: int) -> list[Expr]:
    """Return the zeros of a gap between blocks, if there is one."""
    block = (size, shape[1]) if axis == ROWS else (shape[0], size)
    return [] if size == 0 else [Number(0, block)]


def _blocks(node: Apply, axis: int) -> list[Block]:
    """Return the blocks of a stack that are not zero."""
    found: list[Block] = []
    first: Dim = 0
    for arg in node.args:
        end = plus(first, arg.shape[axis])
        if not (isinstance(arg, Number) and arg.value == 0):
            found.append((first, end, arg))
        first = end
    return found


def _inserted(placed: list[Block], block: Block) -> list[Block] | None:
    """Put a block among others in order, adding it to one at its place."""
    first, end, value = block
    for k, (begins, ends, here) in enumerate(placed):
        if (begins, ends) == (first, end):
            return [*placed[:k], (first, end, add(here, value)), *placed[k + 1 :]]
        if certain(minus(begins, end)):
            return [*placed[:k], block, *placed[k:]]
        if not certain(minus(first, ends)):
            return None
    return [*placed, block]


FILL = Rule(
    "block by block",
    "stacks are added block by block, and a block that meets zeros stays as it is",
    _filled,
)

__all__ = ["FILL", "filled"]
