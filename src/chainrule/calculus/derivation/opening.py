"""A gradient in the letters of the forward pass: the names of other gradients are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from chainrule.calculus.derivation.steps import Gradient
from chainrule.calculus.graph.node import Expr, Symbol, symbols, walk
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_cell
from chainrule.calculus.indexing.tensors import collapse_entry
from chainrule.calculus.ops import replace
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.layout import laid_out
from chainrule.calculus.rewriting.rule import is_op
from chainrule.errors import DerivationError

SHORT = 26
"""The display cost up to which a gradient is written without names for its parts."""


def in_own_letters(
    gradient: Gradient, names: Mapping[Symbol, Expr | None], shorten: Callable[[Expr], Expr]
) -> Expr | None:
    """Return the matrix form of a gradient with the names of other gradients opened.

    Parameters
    ----------
    gradient : Gradient
        The gradient, with a matrix form.
    names : mapping of Symbol to Expr or None
        The matrix forms of the gradients with names, in order; None where there is none.
    shorten : callable
        Shortens an index form.

    Returns
    -------
    Expr or None
        The shortest form found; None where it is long, or a name cannot be opened.
    """
    matrix = opened = gradient.matrix
    assert matrix is not None
    assert opened is not None
    for name, value in reversed(list(names.items())):
        if name in symbols(opened):
            if value is None:
                return None
            opened = replace(opened, {name: value})
            if display_cost(opened) > 3 * SHORT:
                return None
    used = len(symbols(matrix) & set(names))
    best = min(_forms(gradient, opened, used, shorten), key=display_cost)
    return best if display_cost(best) <= SHORT else None


def _forms(
    gradient: Gradient, opened: Expr, used: int, shorten: Callable[[Expr], Expr]
) -> Iterator[Expr]:
    """Yield the opened form as it is, and by way of one of its entries, shortened."""
    plain = laid_out(opened)
    yield plain
    exponentials = any(is_op(node, "exp") for node in walk(opened))
    if display_cost(plain) > 2 * SHORT or not (exponentials or used > 1):
        return  # nothing would cancel that is apart in the layers
    shape, places = gradient.variable.shape, gradient.places
    dims = {dim for symbol in symbols(opened) for dim in symbol.shape} | set(shape)
    names = [symbol.name for symbol in symbols(opened)]
    letters = Letters(dims, [*names, *map(str, dims), *places])
    try:
        form = shorten(read_cell(opened, places, letters))
        yield laid_out(collapse_entry(form, shape, places)[0])
    except DerivationError:
        return


__all__ = ["in_own_letters"]
