"""A gradient in the letters of the forward pass: the names of other gradients are opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


LONG = 3 * SHORT
"""The display cost from which on nothing is opened further: it will not become short."""


class OwnLetters:
    """The named gradients of a derivation, each in the letters of the forward pass."""

    def __init__(self) -> None:
        self._opened: dict[Symbol, Expr | None] = {}

    def add(self, name: Symbol, matrix: Expr | None) -> None:
        """Add the next name, with its matrix form if it has one."""
        self._opened[name] = None if matrix is None else self.opened(matrix)

    def names(self, expr: Expr) -> frozenset[Symbol]:
        """Return the names of gradients in an expression."""
        return symbols(expr) & self._opened.keys()

    def opened(self, expr: Expr) -> Expr | None:
        """Return an expression with all names opened; None where it is long or one has no form."""
        for name in self.names(expr):
            value = self._opened[name]
            if value is None:
                return None
            expr = replace(expr, {name: value})
            if display_cost(expr) > LONG:
                return None
        return expr


def in_own_letters(
    gradient: Gradient, names: OwnLetters, shorten: Callable[[Expr], Expr]
) -> Expr | None:
    """Return the matrix form of a gradient with the names of other gradients opened.

    Parameters
    ----------
    gradient : Gradient
        The gradient, with a matrix form.
    names : OwnLetters
        The gradients with names.
    shorten : callable
        Shortens an index form.

    Returns
    -------
    Expr or None
        The shortest form found; None where it is long, or a name cannot be opened.
    """
    matrix = gradient.matrix
    assert matrix is not None
    opened = names.opened(matrix)
    if opened is None:
        return None
    used = len(names.names(matrix))
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
