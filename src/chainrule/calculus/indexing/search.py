"""Search over all orders of eliminating indices, for the lowest display cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.calculus.graph.dims import SCALAR, Index, Shape
from chainrule.calculus.graph.node import Apply, Expr, Number, symbols
from chainrule.calculus.indexing.indexed_factors import (
    IndexedFactor,
    fits,
    multiplied,
    outer_piece,
    repeated,
    scaled,
    transposes,
)
from chainrule.calculus.indexing.rules import (
    ELEMENTWISE,
    EVERYTHING,
    MISSING,
    ONES,
    OUTER,
    PRODUCT,
    SCALING,
    TRACE,
    TURNED_PRODUCT,
    CollapseRule,
)
from chainrule.calculus.ops import TABLE, matmul, mul, reduce_sum, trace

LARGEST_SEARCH = 3000
"""With more states than this, the first order that works is taken."""


@dataclass(frozen=True)
class CollapsePlan:
    """The remaining steps of a state, and their display cost."""

    cost: float
    firings: tuple[tuple[str, str, tuple[IndexedFactor, ...], frozenset[Index]], ...]
    result: Expr


def search(
    pieces: tuple[IndexedFactor, ...],
    bound: frozenset[Index],
    shape: Shape,
    places: tuple[Index | None, ...],
    known: dict[tuple[tuple[IndexedFactor, ...], frozenset[Index]], CollapsePlan | None],
    silent: bool,
) -> CollapsePlan | None:
    """Return the cheapest plan to one factor of the wanted shape; None if there is none.

    Parameters
    ----------
    pieces : tuple of IndexedFactor
        What is multiplied.
    bound : frozenset of Index
        What is summed over.
    shape : Shape
        Of the result.
    places : tuple of Index or None
        Which index runs along its rows, which along its columns.
    known : dict
        Plans by state, shared by one search.
    silent : bool
        Whether a result may be smaller than `shape` and be repeated without a word.
    """
    key = (pieces, bound)
    if key not in known:
        known[key] = None
        finished = _finished(pieces, bound, shape, places, silent)
        best = finished
        if finished is None:
            tight = len(known) > LARGEST_SEARCH
            for cost, rule, after, still in _firings(pieces, bound, places):
                rest = search(after, still, shape, places, known, silent)
                if rest is not None and (best is None or cost + rest.cost < best.cost - 1e-9):
                    step = (rule[0], rule[1], after, still)
                    best = CollapsePlan(cost + rest.cost, (step, *rest.firings), rest.result)
                if tight and best is not None:
                    break
        known[key] = best
    return known[key]


def _finished(
    pieces: tuple[IndexedFactor, ...],
    bound: frozenset[Index],
    shape: Shape,
    places: tuple[Index | None, ...],
    silent: bool,
) -> CollapsePlan | None:
    """Return the result of a final state: scalars, and one factor with the wanted indices."""
    if bound:
        return None
    scalars = [piece for piece in pieces if not piece.indices]
    others = [piece for piece in pieces if piece.indices]
    if len(others) > 1:
        return None
    body: list[Expr] = []
    cost = 0.0
    for piece in others:
        placed = piece if (piece.row, piece.col) == places else piece.transposed()
        if (placed.row, placed.col) != places:
            placed = piece if fits(piece, places) else piece.transposed()
            if not (silent and fits(placed, places)):
                return None
        body.append(repeated(placed.matrix, shape))
        cost += 0.3 * transposes(body[-1])
    if not body and shape != SCALAR:
        if not silent:
            return None
        body.append(Number(1, shape))
    over = [piece.matrix for piece in scalars if not _is_reciprocal(piece.matrix)]
    below = [piece.matrix.args[1] for piece in scalars if _is_reciprocal(piece.matrix)]
    scale = mul(Number(1), *over)
    result = scaled_by(scale, mul(*body)) if body else scale
    return CollapsePlan(cost, (), result / mul(*below) if below else result)


def _is_reciprocal(scalar: Expr) -> bool:
    """Whether a number is one over a value, which goes below the whole."""
    if not (isinstance(scalar, Apply) and scalar.op is TABLE["div"] and symbols(scalar)):
        return False
    return isinstance(scalar.args[0], Number) and scalar.args[0].value == 1


def scaled_by(scale: Expr, matrix: Expr) -> Expr:
    """Scale a matrix, with a denominator below the whole: 2 (A - Y) X^T / m."""
    if isinstance(scale, Apply) and scale.op is TABLE["neg"]:
        return -scaled_by(scale.args[0], matrix)
    if isinstance(scale, Apply) and scale.op is TABLE["div"] and not symbols(scale.args[1]):
        return scaled_by(scale.args[0], matrix) / scale.args[1]
    if isinstance(matrix, Apply) and matrix.op is TABLE["div"] and not symbols(matrix.args[1]):
        return scaled_by(scale, matrix.args[0]) / matrix.args[1]
    scalars = scale.args if isinstance(scale, Apply) and scale.op is TABLE["mul"] else (scale,)
    return mul(*scalars, matrix)


def _firings(
    pieces: tuple[IndexedFactor, ...], bound: frozenset[Index], places: tuple[Index | None, ...]
) -> Iterator[tuple[float, CollapseRule, tuple[IndexedFactor, ...], frozenset[Index]]]:
    if not bound:
        yield from _missing(pieces, places)
    # In a fixed order: a set of indices has none, and equal costs are settled by who comes first.
    ordered = sorted(bound, key=lambda index: (index.name, str(index.dim)))
    carriers = {i: [p for p in pieces if i in p.indices] for i in ordered}
    for index, here in carriers.items():
        if len(here) == 1:
            whole = here[0].indices
            if len(whole) == 2 and whole <= bound and all(carriers[i] == here for i in whole):
                rest = tuple(p for p in pieces if p is not here[0])
                added = IndexedFactor(reduce_sum(here[0].matrix), None, None, here[0].order)
                yield 3.0, EVERYTHING, _with(rest, added), bound - whole
            yield from _ones(pieces, here[0], index, bound)
        elif len(here) == 2:
            yield from _products(pieces, here[0], here[1], index, bound)
    vectors = [p for p in pieces if p.indices]
    for k, a in enumerate(vectors):
        for b in vectors[k + 1 :]:
            rest = tuple(p for p in pieces if p not in (a, b))
            if a.indices == b.indices:
                for first in (a, a.transposed()):
                    yield 1.0, ELEMENTWISE, _with(rest, multiplied(first, b)), bound
            elif b.indices < a.indices or a.indices < b.indices:
                yield 2.0, SCALING, _with(rest, scaled(a, b)), bound
            elif len(a.indices | b.indices) == 2 and not bound & (a.indices | b.indices):
                yield 1.0, OUTER, _with(rest, outer_piece(a, b, places)), bound


def _missing(
    pieces: tuple[IndexedFactor, ...], places: tuple[Index | None, ...]
) -> Iterator[tuple[float, CollapseRule, tuple[IndexedFactor, ...], frozenset[Index]]]:
    """Broadcast along a wanted index that no factor has."""
    carried = {index for piece in pieces for index in piece.indices}
    wanted = [index for index in places if index is not None and index not in carried]
    vectors = [piece for piece in pieces if piece.indices]
    if not wanted or len(vectors) > 1:
        return
    index = wanted[0]
    standing = index is places[0]
    ones = Number(1, (index.dim, 1) if standing else (1, index.dim))
    if not vectors:
        row, col = (index, None) if standing else (None, index)
        yield 1.0, MISSING, (*pieces, IndexedFactor(ones, row, col, len(pieces))), frozenset()
    elif len(vectors[0].indices) == 1:
        (vector,) = vectors
        rest = tuple(piece for piece in pieces if piece is not vector)
        if standing:
            line = vector if vector.row is None else vector.transposed()
            after = IndexedFactor(matmul(ones, line.matrix), index, line.col, vector.order)
        else:
            column = vector if vector.col is None else vector.transposed()
            after = IndexedFactor(matmul(column.matrix, ones), column.row, index, vector.order)
        yield 2.0, MISSING, _with(rest, after), frozenset()


def _with(rest: tuple[IndexedFactor, ...], piece: IndexedFactor) -> tuple[IndexedFactor, ...]:
    return tuple(sorted((*rest, piece), key=lambda p: p.order))


def _ones(
    pieces: tuple[IndexedFactor, ...], piece: IndexedFactor, index: Index, bound: frozenset[Index]
) -> Iterator[tuple[float, CollapseRule, tuple[IndexedFactor, ...], frozenset[Index]]]:
    rest = tuple(p for p in pieces if p is not piece)
    if isinstance(piece.matrix, Apply) and piece.matrix.op is TABLE["diagonal"]:
        added = IndexedFactor(trace(piece.matrix.args[0]), None, None, piece.order)
        yield 1.0, TRACE, _with(rest, added), bound - {index}
        return
    # The ones stand on the side where the index sits, so that nothing is transposed for them.
    if piece.col == index:
        summed = matmul(piece.matrix, Number(1, (index.dim, 1)))
        after = IndexedFactor(summed, piece.row, None, piece.order)
    else:
        summed = matmul(Number(1, (1, index.dim)), piece.matrix)
        after = IndexedFactor(summed, None, piece.col, piece.order)
    yield 3.0, ONES, _with(rest, after), bound - {index}


def _products(
    pieces: tuple[IndexedFactor, ...],
    a: IndexedFactor,
    b: IndexedFactor,
    index: Index,
    bound: frozenset[Index],
) -> Iterator[tuple[float, CollapseRule, tuple[IndexedFactor, ...], frozenset[Index]]]:
    if len((a.indices | b.indices) - {index}) > 2 or len(a.indices & b.indices) > 1:
        return
    rest = tuple(p for p in pieces if p not in (a, b))
    order = min(a.order, b.order)
    for left, right in ((a, b), (b, a)):
        first = left if left.col == index else left.transposed()
        second = right if right.row == index else right.transposed()
        product = IndexedFactor(matmul(first.matrix, second.matrix), first.row, second.col, order)
        turned = transposes(product.matrix)
        cost = 1.0 + 0.3 * turned + 0.01 * (left.order > right.order)
        yield cost, TURNED_PRODUCT if turned else PRODUCT, _with(rest, product), bound - {index}
