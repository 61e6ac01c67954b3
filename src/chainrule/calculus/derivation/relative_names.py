"""Names relative to a round of a loop, and back: ``h_2`` in round 3 is ``h_{t-1}``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from chainrule.calculus.graph.dims import Dim, Shape, Size, minus, plus, times
from chainrule.calculus.graph.loop_indices import counted, in_round, plain_name, with_index
from chainrule.calculus.graph.node import (
    Apply,
    Expr,
    Number,
    Partial,
    RoundSum,
    Symbol,
    transform,
    walk,
)
from chainrule.calculus.ops import add


def at_round(expr: Expr, counter: str, number: int, known: Iterable[Symbol]) -> Expr:
    """Return a general line in one round, in the symbols of the derivation."""
    by_name, counts = _by_name(tuple(known)), {counter: number}

    def named(symbol: Symbol) -> Symbol:
        name = in_round(symbol.name, counts)
        return by_name.get(plain_name(name), symbol)

    return _Renamed(named, lambda dim: in_round(dim, counts)).expr(expr)


@lru_cache(maxsize=4)
def _by_name(known: tuple[Symbol, ...]) -> Mapping[str, Symbol]:
    """Return the symbols of a derivation by their names, which is asked for every round."""
    return {plain_name(symbol.name): symbol for symbol in known}


class _Renamed:
    """Rewrites an expression in other names."""

    def __init__(self, symbol: Callable[[Symbol], Symbol], dim: Callable[[str], str]) -> None:
        self._symbol = symbol
        self._name = dim

    def expr(self, root: Expr) -> Expr:
        if isinstance(root, Partial):
            return Partial(self.expr(root.of), self.expr(root.wrt))
        done: dict[Expr, Expr] = {}
        for node in walk(root):
            if isinstance(node, Symbol):
                done[node] = self._symbol(node)
            elif isinstance(node, Number):
                done[node] = Number(node.value, self.shape(node.shape))
            elif isinstance(node, Apply):
                args = tuple(done[arg] for arg in node.args)
                attrs = tuple(self.dim(a) if isinstance(a, str | Size) else a for a in node.attrs)
                done[node] = Apply(node.op, args, attrs)
            else:
                done[node] = node.rebuilt(tuple(done[arg] for arg in node.args))
        return done[root]

    def shape(self, shape: Shape) -> Shape:
        return (self.dim(shape[0]), self.dim(shape[1]))

    def dim(self, dim: Dim) -> Dim:
        if isinstance(dim, str):
            return self._name(dim)
        if isinstance(dim, int):
            return dim
        total: Dim = 0
        for names, factor in dim.terms:
            term: Dim = abs(factor)
            for name in names:
                term = times(term, self._name(name))
            total = plus(total, term) if factor > 0 else minus(total, term)
        return total


class Relative(_Renamed):
    """Rewrites every index that a loop counts.

    Parameters
    ----------
    known : frozenset of str
        The text before the indices that it counts.
    index : callable
        Returns what stands for a number.
    """

    def __init__(self, known: frozenset[str], index: Callable[[int], str]) -> None:
        def symbol(of: Symbol) -> Symbol:
            name = _gradient_or_value(of.name, known, index)
            return Symbol(name, self.shape(of.shape), symmetric=of.symmetric)

        super().__init__(symbol, lambda text: with_index(text, known, index))


def relative_to(name: str, number: int) -> Callable[[int], str]:
    """Return what writes a number relative to a named one.

    >>> [relative_to("t", 3)(number) for number in (2, 3, 5)]
    ['t-1', 't', 't+2']
    """

    def index(found: int) -> str:
        offset = found - number
        return name + (f"{offset:+d}" if offset else "")

    return index


def _gradient_or_value(name: str, known: frozenset[str], index: Callable[[int], str]) -> str:
    """Replace the index of a name, which may be the name of a gradient: ``dZ^[2]``."""
    found = with_index(name, known, index)
    if found == name and name.startswith("d"):
        return "d" + with_index(name[1:], known, index)
    return found


def with_rounds(expr: Expr, counts: Mapping[str, int], known: Iterable[Symbol]) -> Expr:
    """Return a general line with every sum over rounds written out.

    Parameters
    ----------
    expr : Expr
        The line.
    counts : mapping of str to int
        The last rounds that have names.
    known : iterable of Symbol
        The symbols of the derivation.
    """
    symbols = tuple(known)

    def written_out(node: Expr) -> Expr:
        if not isinstance(node, RoundSum):
            return node
        first, last = (
            int(end) if end.isdecimal() else counted(end, counts) for end in (node.first, node.last)
        )
        assert first is not None
        assert last is not None
        rounds = range(first, last + 1)
        return add(*(at_round(node.body, node.counter, number, symbols) for number in rounds))

    found = transform(expr, written_out)
    for name, value in counts.items():
        found = at_round(found, name, value, symbols)
    return found


__all__ = ["Relative", "at_round", "relative_to", "with_rounds"]
