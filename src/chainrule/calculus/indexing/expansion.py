"""Expansion of a matrix form to its entries, one operation at a time: the inverse of a collapse."""

from __future__ import annotations

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Position,
    Positions,
    Total,
    entry,
    walk,
)
from chainrule.calculus.indexing.collapse import CollapseStep
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.rules import ENTRYWISE, PLACES, SUMMED, CollapseRule
from chainrule.calculus.ops import rebuild, replace


def expand(matrix: Expr, places: Positions, letters: Letters) -> tuple[Expr, list[CollapseStep]]:
    """Return one entry of a matrix or tensor form as an index form, with the steps.

    Parameters
    ----------
    matrix : Expr
        The matrix form or the tensor form.
    places : tuple of Position
        Which entry.
    letters : Letters
        The source of names for running indices.

    Returns
    -------
    form : Expr
        The index form; collapsed again, it is the matrix form.
    firings : list of CollapseStep
        The named steps; each holds the form after it.

    Examples
    --------
    >>> from chainrule.calculus.graph.dims import Index
    >>> from chainrule.calculus.graph.node import Symbol
    >>> from chainrule.language.typeset import plain
    >>> a, X = Symbol("a", (1, "m")), Symbol("X", ("n", "m"))
    >>> p, i = Index("p", "n"), Index("i", "m")
    >>> form, firings = expand(a @ X.T, (None, p), Letters(["n", "m"], [p]))
    >>> [f"{step.rule}: {plain(step.after)}" for step in firings][-1]
    'entries by their places: sum_i a_i X_pi'
    """
    form, firings = entry(matrix, *places), list[CollapseStep]()
    while (cell := _closed(form)) is not None:
        opened = _opened(cell, letters)
        form = replace(form, {cell: opened})
        rule = _rule(cell, opened)
        firings.append(CollapseStep(rule.name, rule.because, form))
    return form, firings


def _closed(form: Expr) -> Expr | None:
    """Return the first entry of a matrix operation that can be expanded."""
    waiting = [form]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Entry):
            if isinstance(node.matrix, Apply) and _opened(node, _Unused()) is not node:
                return node
            continue
        if _is_scalar_of_matrices(node) and _opened(node, _Unused()) is not node:
            return node
        waiting.extend(reversed(node.args))
    return None


def _is_scalar_of_matrices(node: Expr) -> bool:
    return isinstance(node, Apply) and any(arg.shape != SCALAR for arg in node.args)


class _Unused(Letters):
    """Letters for a trial expansion."""

    def __init__(self) -> None:
        super().__init__([])


def _opened(cell: Expr, letters: Letters) -> Expr:
    """Return one entry in terms of the entries of its operands."""
    matrix, places = (cell.matrix, cell.places) if isinstance(cell, Entry) else (cell, (None, None))
    assert isinstance(matrix, Apply)
    args = matrix.args
    if matrix.op.index is None:
        return rebuild(matrix, tuple(entry(arg, *places) for arg in args))

    def read(arg: int, /, *at: Position) -> Expr:
        return entry(args[arg], *at)

    return matrix.op.index(read, matrix, places, letters.bound)


def _rule(cell: Expr, opened: Expr) -> CollapseRule:
    matrix = cell.matrix if isinstance(cell, Entry) else cell
    if isinstance(matrix, Apply) and matrix.op.elementwise:
        return ENTRYWISE
    return SUMMED if any(isinstance(node, Total) for node in walk(opened)) else PLACES


__all__ = ["expand"]
