"""From index form to matrix form, by eliminating indices one named step at a time.

A term is a product of pieces. A piece is a matrix of which one cell stands in the product: an
index sits along its rows, another along its columns. Five firings reduce the pieces to one of the
wanted shape. All orders are searched, and the cheapest by a display cost is kept, so that neither
ones-vectors nor double transposes appear where a person would write none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from chainrule.errors import DerivationError
from chainrule.graph.dims import SCALAR, Index, Shape
from chainrule.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    Total,
    entry,
    running,
    symbols,
    transform,
)
from chainrule.ops import (
    TABLE,
    add,
    broadcast,
    diag,
    matmul,
    mul,
    norm,
    rebuild,
    reduce_mean,
    reduce_sum,
    size,
    trace,
    transpose,
)

SEARCH_LIMIT = 7
"""Above this many pieces, pieces that share their indices are merged before the search."""


LARGEST_SEARCH = 3000
"""Above this many states, the first way that works is taken."""


@dataclass(frozen=True)
class Firing:
    """One step of a collapse: the rule and its reason, and the index form after it."""

    rule: str
    because: str
    after: Expr


@dataclass(frozen=True)
class Piece:
    """A matrix and the indices along its rows and columns; `order` is its place in the term."""

    matrix: Expr
    row: Index | None
    col: Index | None
    order: int

    @property
    def indices(self) -> frozenset[Index]:
        """The indices that sit on this piece."""
        return frozenset(i for i in (self.row, self.col) if i is not None)

    def turned(self) -> Piece:
        """See the same cell in the transposed matrix."""
        return Piece(transpose(self.matrix), self.col, self.row, self.order)

    def cell(self) -> Expr:
        """Return the cell as an index form, read through everything that acts entry by entry."""
        return cell_of(self.matrix, self.row, self.col)


def cell_of(matrix: Expr, row: Position, col: Position) -> Expr:
    """Return a cell of a matrix form, leaving matrix products closed."""
    if isinstance(matrix, Apply):
        if matrix.op.elementwise:
            return rebuild(matrix, tuple(cell_of(arg, row, col) for arg in matrix.args))
        if matrix.op is TABLE["transpose"]:
            return cell_of(matrix.args[0], col, row)
        if matrix.op is TABLE["broadcast"]:
            rows, columns = matrix.args[0].shape
            return cell_of(
                matrix.args[0], None if rows == 1 else row, None if columns == 1 else col
            )
    return entry(matrix, row, col)


@dataclass(frozen=True)
class Plan:
    """The firings that are still to come from a state, and what they cost to read."""

    cost: float
    firings: tuple[tuple[str, str, tuple[Piece, ...], frozenset[Index]], ...]
    result: Expr


ELEMENTWISE = (
    "same indices: elementwise product",
    "both factors carry the same index, so their entries meet one by one",
)
PRODUCT = (
    "sum over two factors: matrix product",
    "the summed index sits on exactly two factors, which is what a matrix product adds up; the "
    "transpose goes where the index sits on the wrong side",
)
ONES = (
    "sum over one factor: times a vector of ones",
    "the summed index sits on one factor alone; multiplying by a column of ones adds its entries",
)
EVERYTHING = (
    "sum over both indices: all entries",
    "both summed indices sit on one factor alone, so all its entries are added",
)
TRACE = (
    "sum over a diagonal: trace",
    "the summed index sits on both places of one matrix: its diagonal entries add to the trace",
)
OUTER = (
    "two different indices: outer product",
    "one factor runs along the rows, the other along the columns, and nothing is summed",
)
SCALING = (
    "a vector meets a matrix: scaling",
    "the vector's index also sits on the matrix, so every row or column is scaled by its entry",
)
MISSING = (
    "an index that nobody carries: repeat",
    "the result has this index and the factors do not, so the value is repeated",
)
STACK = (
    "all entries at once",
    "the gradient has the shape of its variable: entry by entry, this is one matrix",
)


def collapse(
    form: Expr,
    shape: Shape,
    row: Position,
    col: Position,
    behind: frozenset[Symbol] = frozenset(),
) -> tuple[Expr, list[Firing]]:
    """Collapse an index form to a matrix of `shape` whose entry (row, col) it is.

    Parameters
    ----------
    form : Expr
        The index form.
    shape : Shape
        The shape of the result.
    row, col : Position
        Which entry `form` is.
    behind : frozenset of Symbol, optional
        Scalars that are written behind a transposed matrix, as in ``W^T dz``, and not in front.

    Returns
    -------
    matrix : Expr
        The matrix form.
    firings : list of Firing
        The named steps; each holds the index form after it.

    Raises
    ------
    DerivationError
        When the form has no matrix form among the ops that chainrule knows.
    """
    places = tuple(p if isinstance(p, Index) else None for p in (row, col))
    negated, terms = _terms(form)
    # In a sum, a term may be repeated in silence as long as another one has the whole shape.
    plans = [_plan(term, shape, places, silent=len(terms) > 1) for term in terms]
    if len(terms) > 1 and all(_unspread(plan.result).shape != shape for plan, _ in plans):
        plans = [_plan(term, shape, places) for term in terms]
    done: list[Expr] = []
    firings: list[Firing] = []
    for number, (plan, front) in enumerate(plans):
        for rule, because, pieces, still in plan.firings:
            now = _unfinished(front, pieces, still)
            whole = [*done, now, *terms[number + 1 :]]
            firings.append(Firing(rule, because, _signed(add(*whole), negated)))
        done.append(cell_of(plan.result, row, col))
    matrix = _signed(add(*(plan.result for plan, _ in plans)), negated)
    matrix = broadcast(transform(matrix, _with_mean), shape)
    return _with_behind(matrix, behind), firings


def _with_behind(matrix: Expr, behind: frozenset[Symbol]) -> Expr:
    """Write a layer's gradient behind its transposed weights even when it is a scalar."""
    shown = matrix.args if isinstance(matrix, Apply) and matrix.op is TABLE["mul"] else ()
    scalars = [arg for arg in shown if _unspread(arg) in behind]
    turned = [arg for arg in shown if isinstance(arg, Apply) and arg.op is TABLE["transpose"]]
    if len(scalars) != 1 or not turned or turned[0].shape[1] != 1:
        return matrix
    product = Apply(TABLE["matmul"], (turned[0], _unspread(scalars[0])))
    rest = [product if arg is turned[0] else arg for arg in shown if arg is not scalars[0]]
    return mul(*rest)


def _unspread(expr: Expr) -> Expr:
    spread = isinstance(expr, Apply) and expr.op is TABLE["broadcast"]
    return expr.args[0] if spread else expr


def _signed(expr: Expr, negated: bool) -> Expr:
    return -expr if negated else expr


def _terms(form: Expr) -> tuple[bool, list[Expr]]:
    negated = isinstance(form, Apply) and form.op is TABLE["neg"]
    body = form.args[0] if negated else form
    if isinstance(body, Apply) and body.op is TABLE["add"] and any(_sums(t) for t in body.args):
        return negated, list(body.args)
    return negated, [body]


def _sums(form: Expr) -> bool:
    return isinstance(form, Total) or any(_sums(arg) for arg in form.args)


def _plan(
    term: Expr, shape: Shape, places: tuple[Index | None, ...], *, silent: bool = False
) -> tuple[Plan, Expr]:
    bound, factors = _flatten(term)
    front: Expr = Number(1)
    pieces: list[Piece] = []
    for factor in factors:
        indices = running(factor)
        if not indices and isinstance(factor, Number):
            front = front * factor
        else:
            pieces.append(_piece(factor, indices, len(pieces), places))
    if len(pieces) > SEARCH_LIMIT:
        pieces = _merged(pieces)
    carried = frozenset(index for piece in pieces for index in piece.indices)
    for index in bound:
        if index not in carried:  # the same again and again: as often as there are places
            front = front * size(index.dim)
    bound = [index for index in bound if index in carried]
    plan = _search(tuple(pieces), frozenset(bound), shape, places, {}, silent)
    if plan is None:
        raise DerivationError("no matrix form: an index sits on more than two factors")
    return Plan(plan.cost, plan.firings, _scaled_by(front, plan.result)), front


def _flatten(term: Expr, summed: frozenset[Index] = frozenset()) -> tuple[list[Index], list[Expr]]:
    """Pull sums and signs out of a product: bound indices, then factors in reading order."""
    if isinstance(term, Total):
        bound, factors = _flatten(term.body, summed | {term.index})
        return [term.index, *bound], factors
    if isinstance(term, Apply) and term.op is TABLE["neg"]:
        bound, factors = _flatten(term.args[0], summed)
        return bound, [Number(-1), *factors]
    if isinstance(term, Apply) and term.op is TABLE["div"] and not symbols(term.args[1]):
        # A number or a size below stands below the whole product: (A - Y) X^T / m.
        bound, factors = _flatten(term.args[0], summed)
        return bound, [*factors, 1 / term.args[1]]
    if isinstance(term, Apply) and term.op is TABLE["div"]:
        # A vector below a matrix: the sum of A_ji / r_j over j is the product A^T (1/r).
        below = running(term.args[1])
        if below & summed and below < running(term.args[0]):
            bound, factors = _flatten(term.args[0], summed)
            return bound, [*factors, 1 / term.args[1]]
    if isinstance(term, Apply) and term.op is TABLE["mul"]:
        parts = [_flatten(arg, summed) for arg in term.args]
        return [i for bound, _ in parts for i in bound], [f for _, fs in parts for f in fs]
    return [], [term]


def _piece(
    factor: Expr, indices: frozenset[Index], order: int, places: tuple[Index | None, ...]
) -> Piece:
    """See a factor as the cell of a matrix, in the orientation that needs fewer transposes."""
    if len(indices) > 2:
        raise DerivationError("no matrix form: one factor carries more than two indices")
    if not indices:
        return Piece(_lifted(factor, None, None), None, None, order)
    first, *rest = sorted(indices, key=lambda index: (index.name, str(index.dim)))
    second = rest[0] if rest else None
    options = [
        Piece(_lifted(factor, r, c), r, c, order) for r, c in ((first, second), (second, first))
    ]
    against = (places[1], places[0])
    return min(
        options,
        key=lambda p: (_transposes(p.matrix), p.row == against[0] or p.col == against[1]),
    )


def _lifted(cell: Expr, row: Index | None, col: Index | None) -> Expr:
    """Return the matrix whose entry (row, col) is the given cell."""
    shape: Shape = (row.dim if row else 1, col.dim if col else 1)
    if isinstance(cell, Number):
        return Number(cell.value, shape)
    if isinstance(cell, Entry):
        if (cell.row, cell.col) == (row, col):
            return cell.matrix
        if (cell.row, cell.col) == (col, row):
            return transpose(cell.matrix)
        if isinstance(cell.row, Index) and cell.row == cell.col:
            column = diag(cell.matrix)
            return broadcast(column if cell.row == row else transpose(column), shape)
        if isinstance(cell.row, int) or isinstance(cell.col, int):
            raise DerivationError("no matrix form: a fixed entry of a matrix")
        turned = cell.row == col or cell.col == row
        matrix = transpose(cell.matrix) if turned else cell.matrix
        return broadcast(matrix, shape)
    if isinstance(cell, Total):
        return _repeat(_summed(cell, row, col), shape)
    if isinstance(cell, Apply) and cell.op is TABLE["mul"] and row and col:
        standing = [arg for arg in cell.args if running(arg) == {row}]
        lying = [arg for arg in cell.args if running(arg) == {col}]
        if standing and lying:
            return _outer_product(cell, standing, lying, row, col)
    if isinstance(cell, Apply) and cell.op is TABLE["div"] and isinstance(cell.args[0], Total):
        mean = _averaged(_summed(cell.args[0], row, col), cell.args[1])
        if mean is not None:
            return broadcast(mean, shape)
    if isinstance(cell, Apply) and cell.op.elementwise:
        own = [_lifted(arg, row, col) for arg in cell.args]
        return rebuild(cell, tuple(broadcast(arg, shape) for arg in own))
    return broadcast(cell, shape)


def _outer_product(
    cell: Apply, standing: list[Expr], lying: list[Expr], row: Index, col: Index
) -> Expr:
    """Return a product of entries of a column and of a row as an outer product."""
    column = mul(*(_lifted(arg, row, None) for arg in standing))
    line = mul(*(_lifted(arg, None, col) for arg in lying))
    rest = [arg for arg in cell.args if arg not in standing and arg not in lying]
    shape: Shape = (row.dim, col.dim)
    others = (broadcast(_lifted(arg, row, col), shape) for arg in rest)
    return mul(*others, matmul(column, line))


def _summed(cell: Total, row: Index | None, col: Index | None) -> Expr:
    """Return a sum inside an elementwise function: along an axis, or as a matrix product."""
    kept = running(cell)
    _, factors = _flatten(cell)
    alone = sum(cell.index in running(factor) for factor in factors) == 1
    if alone and not kept:
        both = (_lifted(cell.body, cell.index, None), _lifted(cell.body, None, cell.index))
        return reduce_sum(min(both, key=_transposes))
    if alone and kept <= {col}:
        return reduce_sum(_lifted(cell.body, cell.index, col), 0)
    if alone and kept <= {row}:
        return reduce_sum(_lifted(cell.body, row, cell.index), 1)
    row, col = (row if row in kept else None), (col if col in kept else None)
    shape: Shape = (row.dim if row else 1, col.dim if col else 1)
    return collapse(cell, shape, row, col)[0]


def _with_mean(node: Expr) -> Expr:
    """Write a mean for a sum over as many entries as it is divided by, a norm for its root."""
    if isinstance(node, Apply) and node.op is TABLE["sqrt"]:
        return _with_norm(node)
    if not (isinstance(node, Apply) and node.op is TABLE["div"]):
        return node
    top, count = node.args
    factors = top.args if isinstance(top, Apply) and top.op is TABLE["mul"] else (top,)
    for factor in factors:
        mean = _averaged(_unspread(factor), _unspread(count))
        if mean is not None:
            return mul(*(broadcast(mean, f.shape) if f is factor else f for f in factors))
    return node


def _with_norm(root: Apply) -> Expr:
    (total,) = root.args
    if not (isinstance(total, Apply) and total.op is TABLE["sum"] and total.attrs[0] is None):
        return root
    (squares,) = total.args
    squared = isinstance(squares, Apply) and squares.op is TABLE["power"] and squares.attrs[0] == 2
    return norm(squares.args[0]) if squared else root


def _averaged(summed: Expr, count: Expr) -> Expr | None:
    """Return a mean for a sum over as many entries as it is divided by."""
    if not (isinstance(summed, Apply) and summed.op is TABLE["sum"]):
        return None
    (inner,), (axis,) = summed.args, summed.attrs
    dims = [d for a, d in enumerate(inner.shape) if axis in (None, a) and d != 1]
    counted = len(dims) == 1 and count is size(dims[0])
    return reduce_mean(inner, axis) if counted else None


def _repeat(matrix: Expr, shape: Shape) -> Expr:
    """Repeat what was summed along an axis: written as a sum, not as a product with ones."""
    if matrix.shape == shape:
        return matrix
    if isinstance(matrix, Apply) and matrix.op is TABLE["matmul"]:
        left, right = matrix.args
        if isinstance(right, Number) and right.value == 1 and right.shape[1] == 1:
            matrix = reduce_sum(left, 1)
        elif isinstance(left, Number) and left.value == 1 and left.shape[0] == 1:
            matrix = reduce_sum(right, 0)
    return broadcast(matrix, shape)


def _transposes(expr: Expr) -> int:
    own = isinstance(expr, Apply) and expr.op is TABLE["transpose"]
    return own + sum(_transposes(arg) for arg in expr.args)


def _merged(pieces: list[Piece]) -> list[Piece]:
    groups: dict[frozenset[Index], list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(piece.indices, []).append(piece)
    return [reduce(_multiplied, group) for group in groups.values()]


def _multiplied(a: Piece, b: Piece) -> Piece:
    same = (b.row, b.col) == (a.row, a.col)
    return Piece(mul(a.matrix, (b if same else b.turned()).matrix), a.row, a.col, a.order)


def _search(
    pieces: tuple[Piece, ...],
    bound: frozenset[Index],
    shape: Shape,
    places: tuple[Index | None, ...],
    known: dict[tuple[tuple[Piece, ...], frozenset[Index]], Plan | None],
    silent: bool,
) -> Plan | None:
    key = (pieces, bound)
    if key not in known:
        known[key] = None
        finished = _finished(pieces, bound, shape, places, silent)
        best = finished
        if finished is None:
            tight = len(known) > LARGEST_SEARCH
            for cost, rule, after, still in _firings(pieces, bound, places):
                rest = _search(after, still, shape, places, known, silent)
                if rest is not None and (best is None or cost + rest.cost < best.cost - 1e-9):
                    step = (rule[0], rule[1], after, still)
                    best = Plan(cost + rest.cost, (step, *rest.firings), rest.result)
                if tight and best is not None:
                    break
        known[key] = best
    return known[key]


def _finished(
    pieces: tuple[Piece, ...],
    bound: frozenset[Index],
    shape: Shape,
    places: tuple[Index | None, ...],
    silent: bool,
) -> Plan | None:
    """Recognise the end: scalars, and one piece that carries exactly the wanted indices."""
    if bound:
        return None
    scalars = [piece for piece in pieces if not piece.indices]
    others = [piece for piece in pieces if piece.indices]
    if len(others) > 1:
        return None
    body: list[Expr] = []
    cost = 0.0
    for piece in others:
        placed = piece if (piece.row, piece.col) == places else piece.turned()
        if (placed.row, placed.col) != places:
            placed = piece if _fits(piece, places) else piece.turned()
            if not (silent and _fits(placed, places)):
                return None
        body.append(_repeat(placed.matrix, shape))
        cost += 0.3 * _transposes(body[-1])
    if not body and shape != SCALAR:
        if not silent:
            return None
        body.append(Number(1, shape))
    scale = mul(Number(1), *(piece.matrix for piece in scalars))
    return Plan(cost, (), _scaled_by(scale, mul(*body)) if body else scale)


def _scaled_by(scale: Expr, matrix: Expr) -> Expr:
    """Scale a matrix, keeping a denominator below the whole: 2 (A - Y) X^T / m."""
    if isinstance(scale, Apply) and scale.op is TABLE["neg"]:
        return -_scaled_by(scale.args[0], matrix)
    if isinstance(scale, Apply) and scale.op is TABLE["div"] and not symbols(scale.args[1]):
        return _scaled_by(scale.args[0], matrix) / scale.args[1]
    if isinstance(matrix, Apply) and matrix.op is TABLE["div"] and not symbols(matrix.args[1]):
        return _scaled_by(scale, matrix.args[0]) / matrix.args[1]
    scalars = scale.args if isinstance(scale, Apply) and scale.op is TABLE["mul"] else (scale,)
    return mul(*scalars, matrix)


def _fits(piece: Piece, places: tuple[Index | None, ...]) -> bool:
    return all(
        own in (None, place) for own, place in zip((piece.row, piece.col), places, strict=True)
    )


def _firings(
    pieces: tuple[Piece, ...], bound: frozenset[Index], places: tuple[Index | None, ...]
) -> Iterator[tuple[float, tuple[str, str], tuple[Piece, ...], frozenset[Index]]]:
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
                added = Piece(reduce_sum(here[0].matrix), None, None, here[0].order)
                yield 3.0, EVERYTHING, _with(rest, added), bound - whole
            yield from _ones(pieces, here[0], index, bound)
        elif len(here) == 2:
            yield from _products(pieces, here[0], here[1], index, bound)
    vectors = [p for p in pieces if p.indices]
    for k, a in enumerate(vectors):
        for b in vectors[k + 1 :]:
            rest = tuple(p for p in pieces if p not in (a, b))
            if a.indices == b.indices:
                for first in (a, a.turned()):
                    yield 1.0, ELEMENTWISE, _with(rest, _multiplied(first, b)), bound
            elif b.indices < a.indices or a.indices < b.indices:
                yield 2.0, SCALING, _with(rest, _scaled(a, b)), bound
            elif len(a.indices | b.indices) == 2 and not bound & (a.indices | b.indices):
                yield 1.0, OUTER, _with(rest, _outer(a, b, places)), bound


def _missing(
    pieces: tuple[Piece, ...], places: tuple[Index | None, ...]
) -> Iterator[tuple[float, tuple[str, str], tuple[Piece, ...], frozenset[Index]]]:
    """Repeat along a wanted index that nobody carries, by a vector of ones."""
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
        yield 1.0, MISSING, (*pieces, Piece(ones, row, col, len(pieces))), frozenset()
    elif len(vectors[0].indices) == 1:
        (vector,) = vectors
        rest = tuple(piece for piece in pieces if piece is not vector)
        if standing:
            line = vector if vector.row is None else vector.turned()
            after = Piece(matmul(ones, line.matrix), index, line.col, vector.order)
        else:
            column = vector if vector.col is None else vector.turned()
            after = Piece(matmul(column.matrix, ones), column.row, index, vector.order)
        yield 2.0, MISSING, _with(rest, after), frozenset()


def _with(rest: tuple[Piece, ...], piece: Piece) -> tuple[Piece, ...]:
    return tuple(sorted((*rest, piece), key=lambda p: p.order))


def _ones(
    pieces: tuple[Piece, ...], piece: Piece, index: Index, bound: frozenset[Index]
) -> Iterator[tuple[float, tuple[str, str], tuple[Piece, ...], frozenset[Index]]]:
    rest = tuple(p for p in pieces if p is not piece)
    if isinstance(piece.matrix, Apply) and piece.matrix.op is TABLE["diagonal"]:
        added = Piece(trace(piece.matrix.args[0]), None, None, piece.order)
        yield 1.0, TRACE, _with(rest, added), bound - {index}
        return
    # The ones stand on the side where the index sits, so that nothing is transposed for them.
    if piece.col == index:
        summed = matmul(piece.matrix, Number(1, (index.dim, 1)))
        after = Piece(summed, piece.row, None, piece.order)
    else:
        summed = matmul(Number(1, (1, index.dim)), piece.matrix)
        after = Piece(summed, None, piece.col, piece.order)
    yield 3.0, ONES, _with(rest, after), bound - {index}


def _products(
    pieces: tuple[Piece, ...], a: Piece, b: Piece, index: Index, bound: frozenset[Index]
) -> Iterator[tuple[float, tuple[str, str], tuple[Piece, ...], frozenset[Index]]]:
    if len((a.indices | b.indices) - {index}) > 2 or len(a.indices & b.indices) > 1:
        return
    rest = tuple(p for p in pieces if p not in (a, b))
    order = min(a.order, b.order)
    for left, right in ((a, b), (b, a)):
        first = left if left.col == index else left.turned()
        second = right if right.row == index else right.turned()
        product = Piece(matmul(first.matrix, second.matrix), first.row, second.col, order)
        cost = 1.0 + 0.3 * (_transposes(product.matrix))
        cost += 0.01 * (left.order > right.order)
        yield cost, PRODUCT, _with(rest, product), bound - {index}


def _scaled(a: Piece, b: Piece) -> Piece:
    big, small = (a, b) if b.indices < a.indices else (b, a)
    placed = small if _fits(small, (big.row, big.col)) else small.turned()
    if isinstance(big.matrix, Apply) and big.matrix.op is TABLE["eye"]:
        return Piece(diag(small.matrix), big.row, big.col, min(a.order, b.order))
    spread = _repeat(placed.matrix, big.matrix.shape)
    factors = (spread, big.matrix) if small.order < big.order else (big.matrix, spread)
    return Piece(mul(*factors), big.row, big.col, min(a.order, b.order))


def _outer(a: Piece, b: Piece, places: tuple[Index | None, ...]) -> Piece:
    first, second = (b, a) if places[0] in b.indices else (a, b)
    column = first if first.col is None else first.turned()
    line = second if second.row is None else second.turned()
    product = matmul(column.matrix, line.matrix)
    return Piece(product, column.row, line.col, min(a.order, b.order))


def _unfinished(front: Expr, pieces: tuple[Piece, ...], still: frozenset[Index]) -> Expr:
    """Write a state as an index form: cells of what has been collapsed, sums that remain."""
    form = mul(front, *(piece.cell() for piece in pieces))
    for index in sorted(still, key=lambda i: i.name):
        form = Total(index, form)
    return form


__all__ = ["STACK", "Firing", "collapse"]
