"""The same formulas with some matrices stored the other way round.

A lecture keeps one example per column, code often one example per row. Nothing is derived again. A
matrix that is stored transposed is replaced by the transpose of its stored form, and the transposes
are moved by the rows below, each an identity such as (AB)^T = B^T A^T, to where they are fewest. So
``(A - Y) X^T``, itself transposed, becomes ``X^T (A - Y)`` in the stored matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from chainrule.calculus.graph.dims import SCALAR, Shape, is_tensor
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Partial, Symbol, Total, walk
from chainrule.calculus.ops import broadcast, rebuild, transpose
from chainrule.errors import DerivationError

Turns: TypeAlias = tuple[bool, ...]
"""Which arguments are to be given transposed."""


@dataclass(frozen=True)
class Way:
    """One way to get an op's value: which arguments it takes transposed, and what it makes of them.

    Parameters
    ----------
    turns : tuple of bool
        Which arguments are taken transposed.
    build : callable
        From the arguments, taken so, to the value.
    """

    turns: Turns
    build: Callable[..., Expr]


Ways: TypeAlias = Callable[[Apply, bool], Iterator[Way]]
"""``ways(node, turned)``: how to get the node's value, or its transpose when `turned`."""


def _elementwise(node: Apply, turned: bool) -> Iterator[Way]:
    """Use (f(A, B))^T = f(A^T, B^T)."""
    yield Way((turned,) * len(node.args), lambda *args: rebuild(node, args))


def _product(node: Apply, turned: bool) -> Iterator[Way]:
    """Use (A B)^T = B^T A^T."""
    build = (lambda a, b: b @ a) if turned else (lambda a, b: a @ b)
    yield Way((turned, turned), build)


def _transpose(node: Apply, turned: bool) -> Iterator[Way]:
    """Use (A^T)^T = A."""
    yield Way((not turned,), lambda a: a)


def _along(node: Apply, turned: bool) -> Iterator[Way]:
    """Go along the rows of A^T where it was the columns of A; to one number, go either way."""
    axis = node.attrs[0]
    for own in (turned, not turned) if node.shape == SCALAR else (turned,):
        there = 1 - axis if axis is not None and own else axis
        yield Way((own,), lambda a, there=there: Apply(node.op, (a,), (there,)))


def _everything(node: Apply, turned: bool) -> Iterator[Way]:
    """Take all entries, wherever they stand."""
    for own in (False, True):
        yield Way((own,), lambda a: Apply(node.op, (a,), node.attrs))


def _repeated(node: Apply, turned: bool) -> Iterator[Way]:
    """Repeat along the rows what was repeated along the columns."""
    shape = _turned_shape(node.shape) if turned else node.shape
    yield Way((turned,), lambda a: broadcast(a, shape))


def _part(node: Apply, turned: bool) -> Iterator[Way]:
    """Take of A^T the columns that were rows of A."""
    attrs = (*node.attrs[2:], *node.attrs[:2]) if turned else node.attrs
    yield Way((turned,), lambda a: Apply(node.op, (a,), attrs))


def _stack(node: Apply, turned: bool) -> Iterator[Way]:
    """Put beside each other what stood below each other."""
    (axis,) = node.attrs
    attrs = (1 - axis,) if turned else (axis,)
    yield Way((turned,) * len(node.args), lambda *args: Apply(node.op, args, attrs))


def _marks(node: Apply, turned: bool) -> Iterator[Way]:
    """Mark rows by a column of numbers where columns were marked by a row of them."""
    axis, count = node.attrs
    attrs = (1 - axis, count) if turned else (axis, count)
    yield Way((turned,), lambda a: Apply(node.op, (a,), attrs))


WAYS: Mapping[str, Ways] = MappingProxyType(
    {
        "matmul": _product,
        "transpose": _transpose,
        "sum": _along,
        "mean": _along,
        "logsumexp": _along,
        "softmax": _along,
        "squared_norm": _everything,
        "broadcast": _repeated,
        "part": _part,
        "stack": _stack,
        "onehot": _marks,
    }
)
"""How a transpose passes through an op; an elementwise one needs no row."""


def turned_symbol(symbol: Symbol) -> Symbol:
    """Return the stored form of a matrix that is stored transposed."""
    return Symbol(symbol.name, _turned_shape(symbol.shape))


def stored(expr: Expr, turned: Mapping[Symbol, Symbol], whole: bool) -> Expr:
    """Write an expression in stored matrices, with as few transposes as can be.

    Parameters
    ----------
    expr : Expr
        A matrix form in the matrices of the board.
    turned : mapping of Symbol to Symbol
        The matrices that are stored transposed, with their stored forms.
    whole : bool
        Whether the transpose of `expr` is wanted.

    Raises
    ------
    DerivationError
        When `expr` is an index form.

    Notes
    -----
    Tensors are stored as they are declared, so a form over them is left as it is.
    """
    if any(is_tensor(node.shape) for node in walk(expr)):
        return expr
    best: dict[tuple[Expr, bool], tuple[int, Expr]] = {}
    for node in walk(expr):
        if isinstance(node, Entry | Total | Partial):
            raise DerivationError("an index form has no transpose; only a matrix form does")
        direct = {turn: _direct(node, turn, turned, best) for turn in (False, True)}
        for turn in (False, True):
            cost, other = direct[not turn]
            around = (cost + 1, transpose(other))
            options = [direct[turn], around]
            if isinstance(node, Apply) and node.op.moves:
                options.reverse()  # a part of V, transposed, and not a part of V^T
            best[node, turn] = min(options, key=lambda found: found[0])
    return best[expr, whole][1]


def _direct(
    node: Expr,
    turn: bool,
    turned: Mapping[Symbol, Symbol],
    best: Mapping[tuple[Expr, bool], tuple[int, Expr]],
) -> tuple[int, Expr]:
    """Return the cheapest form of a node, or of its transpose, with no transpose around it."""
    if isinstance(node, Symbol):
        found: Expr = turned.get(node, node)
        as_it_is = turn == (node in turned) or node.symmetric
        return (0, found) if as_it_is else (_cost(node), transpose(found))
    if isinstance(node, Number):
        return 0, transpose(node) if turn else node
    assert isinstance(node, Apply)
    ways = WAYS.get(node.op.name, _elementwise if node.op.elementwise else _as_it_is)
    options = []
    for way in ways(node, turn):
        parts = [best[arg, own] for arg, own in zip(node.args, way.turns, strict=True)]
        options.append((sum(cost for cost, _ in parts), way, [part for _, part in parts]))
    cost, way, args = min(options, key=lambda option: option[0])
    return cost, way.build(*args)


def _as_it_is(node: Apply, turned: bool) -> Iterator[Way]:
    """Leave an op that no entry covers over its own arguments."""
    yield Way(
        (False,) * len(node.args),
        lambda *args: transpose(rebuild(node, args)) if turned else rebuild(node, args),
    )


def _cost(node: Expr) -> int:
    return 0 if node.shape == SCALAR else 1


def _turned_shape(shape: Shape) -> Shape:
    return shape[1], shape[0]


__all__ = ["WAYS", "Way", "stored", "turned_symbol"]
