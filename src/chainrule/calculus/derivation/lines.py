"""The symbols on a line of a derivation, and the same line for one entry."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.calculus.graph.dims import Index, Shape
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Partial,
    Symbol,
    entry,
    partials,
    symbols,
    walk,
)
from chainrule.calculus.ops import replace


def mentioned(form: Expr, known: Iterable[Symbol]) -> tuple[tuple[str, Shape], ...]:
    """Return the matrices on a line with their shapes, in the given order."""
    named = set(symbols(form)).union(
        *(symbols(side) for p in partials(form) for side in (p.of, p.wrt))
    )
    return tuple((s.name, s.shape) for s in known if s in named)


def fixed(form: Expr, index: Index, place: int) -> Expr:
    """Replace a running index by a number."""
    mapping: dict[Expr, Expr] = {
        node: entry(node.matrix, *(place if at == index else at for at in node.places))
        for node in walk(form)
        if isinstance(node, Entry) and index in node.places
    }
    if isinstance(form, Partial):
        return Partial(replace(form.of, mapping), fixed(form.wrt, index, place))
    return replace(form, mapping)
