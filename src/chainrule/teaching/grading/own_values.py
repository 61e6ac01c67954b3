"""Values that an author defines in a derivation: matrices by their entries, new variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chainrule.calculus.derivation.sensitivity import on_paths
from chainrule.calculus.graph.dims import SCALAR, Index
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Expr, Position, Symbol, running, symbols
from chainrule.calculus.ops import renamed
from chainrule.language.reading.examples import reference
from chainrule.teaching.marking.line_context import LineContext


def _moved_entries(form: Expr, order: Sequence[Index]) -> Callable[[Position, Position], Expr]:
    """Return the entries of a matrix from one of them, at the given indices."""
    apart = [Index(f"{place.name}'", place.dim) for place in order]

    def recipe(row: Position, col: Position) -> Expr:
        moved, at = form, [place for place in (row, col) if place is not None]
        for old, new in zip(order, apart, strict=True):  # so that no letter meets another
            moved = renamed(moved, old, new)
        for old, now in zip(apart, at, strict=False):
            if not isinstance(now, int):
                moved = renamed(moved, old, now)
        return moved

    return recipe


def defined_by_entries(name: str, value: Expr, context: LineContext) -> tuple[Symbol, Expr] | None:
    """Return a matrix that is defined by its entries, ``G_ij = ∂L/∂O_ij``; None for others."""
    found = reference(name)
    if found is None or value.shape != SCALAR:
        return None
    dims = [context.indices.get(letter) for letter in found.letters]
    if None in dims or context.indices.keys() - set(found.letters):
        return None
    form = context.opened(value, None, None)
    order = [Index(letter, context.indices[letter]) for letter in found.letters]
    rows, columns = (order[0].dim, order[1].dim if len(order) > 1 else 1)
    symbol = Symbol(found.base, (rows, columns))
    return symbol, context.placeholder(found.base, symbol.shape, _moved_entries(form, order))


def redefined(
    author: Model, sides: Sequence[Expr], own: Mapping[Symbol, Expr]
) -> tuple[Model, list[Symbol]] | None:
    """Return a forward pass whose objective is defined by other values; None where it is not.

    Behind ``f = M : M`` people ask for the derivative with respect to M, where f was defined
    without M.

    Parameters
    ----------
    author : Model
        The forward pass.
    sides : sequence of Expr
        The sides of an equation that holds.
    own : mapping of Symbol to Expr
        Names that the author gave to values in the derivation.

    Returns
    -------
    tuple of Model and list of Symbol
        The forward pass, and the own names that are values of it now.
    """
    target, known = sides[0], set(author.symbols)
    if target is not author.objective:
        return None
    inside = {symbol for symbol in author.symbols if on_paths(author, author.objective, symbol)}
    for side in sides[1:]:
        used = _opened_names(side, own)
        apart = (symbols(side) & author.values.keys()) - inside
        if not (used or apart) or any(isinstance(part, Index) for part in running(side)):
            continue
        values = [side, *(own[name] for name in used)]
        if target in symbols(side) or not all(symbols(v) <= known | own.keys() for v in values):
            continue
        others = [d for d in author.definitions if d.target is not target]
        line = next(d.line for d in author.definitions if d.target is target)
        before = [Definition(name, own[name]) for name in used]
        definitions = (*others, *before, Definition(author.objective, side, line))
        return replace(author, definitions=definitions), used
    return None


def _opened_names(side: Expr, own: Mapping[Symbol, Expr]) -> list[Symbol]:
    """Return the author's own names in an expression and in their values, in order of use."""
    found: list[Symbol] = []

    def take(name: Symbol) -> None:
        for inner in symbols(own[name]):
            if inner in own and inner is not name:
                take(inner)
        if name not in found:
            found.append(name)

    for name in sorted(symbols(side) & own.keys(), key=lambda symbol: symbol.name):
        take(name)
    return found


__all__ = ["defined_by_entries", "redefined"]
