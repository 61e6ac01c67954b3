"""The derivative of any value with respect to any other, through all paths between them.

This is the reverse sweep alone, without the steps of a lecture: the reference when a line of an
answer is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import (
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    replaced,
    symbols,
    walk,
)
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_entry
from chainrule.calculus.ops import add, delta, rebuild


class Pull(Protocol):
    """Pulls an upstream gradient back through one definition to one of its symbols."""

    def __call__(self, definition: Definition, wrt: Symbol, cotangent: Expr, /) -> Expr:
        """Return the part of the gradient for `wrt` through the definition."""


def _pull(definition: Definition, wrt: Symbol, cotangent: Expr) -> Expr:
    return pullback(definition.value, wrt, definition.target, cotangent)[0]


def pulled(
    model: Model,
    of: Symbol,
    wrt: Symbol,
    cotangent: Expr,
    *,
    known: Mapping[Symbol, Expr] | None = None,
    pull: Pull = _pull,
) -> Expr:
    """Pull a cotangent of one value back to another.

    Parameters
    ----------
    model : Model
        The forward pass.
    of, wrt : Symbol
        From which value to which.
    cotangent : Expr
        The upstream gradient, of the shape of `of`; 1 for the objective.
    known : mapping of Symbol to Expr, optional
        What stands for the gradient at a symbol in place of what arrives there: somebody's claim.
    pull : callable, optional
        The pullback of one definition; a wrong one injects an error.

    Returns
    -------
    Expr
        Of the shape of `wrt`; a zero when `of` does not depend on it.
    """
    if of is wrt:
        return cotangent
    between = on_paths(model, of, wrt)
    arrived: dict[Symbol, list[Expr]] = {of: [cotangent]}
    claims = {} if known is None else known
    for definition in reversed(model.definitions):
        target = definition.target
        if target not in between or target is wrt or target not in arrived:
            continue
        upstream = claims.get(target) or add(*arrived[target])
        for symbol in sorted(symbols(definition.value) & between, key=lambda s: s.name):
            arrived.setdefault(symbol, []).append(pull(definition, symbol, upstream))
    found = arrived.get(wrt)
    return add(*found) if found else Number(0, wrt.shape)


def entry_by_entry(
    model: Model,
    of: Symbol,
    of_at: tuple[Position, Position],
    wrt: Symbol,
    wrt_at: tuple[Position, Position],
    letters: Letters,
) -> Expr:
    """Return the derivative of one entry with respect to another, as an index form."""
    seed = Symbol("seed", of.shape)
    form = read_entry(pulled(model, of, wrt, seed), *wrt_at, letters)
    chosen: dict[Expr, Expr] = {}
    for node in walk(form):
        if node is seed:
            chosen[node] = Number(1)
        elif isinstance(node, Entry) and node.matrix is seed:
            chosen[node] = _same(of.shape[0], node.row, of_at[0]) * _same(
                of.shape[1], node.col, of_at[1]
            )
    return replaced(form, chosen, rebuild)


def _same(dim: Dim, one: Position, other: Position) -> Expr:
    if one is None or other is None or one == other:
        return Number(1)
    if isinstance(one, int) and isinstance(other, int):
        return Number(0)
    return delta(dim, one, other)


def on_paths(model: Model, of: Symbol, wrt: Symbol) -> set[Symbol]:
    """Return the symbols on the paths from one value to another."""
    depends = {wrt}
    for definition in model.definitions:
        if definition.target is not wrt and symbols(definition.value) & depends:
            depends.add(definition.target)
    needed = {of}
    for definition in reversed(model.definitions):
        if definition.target in needed:
            needed |= symbols(definition.value)
    return depends & needed
