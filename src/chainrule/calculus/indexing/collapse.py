"""From index form to matrix form, by eliminating indices one named step at a time.

A term is a product of pieces. A piece is a matrix of which one cell stands in the product: an
index sits along its rows, another along its columns. Five firings reduce the pieces to one of the
wanted shape. All orders are searched, and the cheapest by a display cost is kept, so that neither
ones-vectors nor double transposes appear where a person would write none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

from chainrule.calculus.graph.dims import Index, Shape
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Position,
    Symbol,
    Total,
    running,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.graph.replacement import Around, Replacement
from chainrule.calculus.indexing.indexed_factors import (
    IndexedFactor,
    cell_of,
    multiplied,
    repeated,
    transposes,
)
from chainrule.calculus.indexing.rules import ALONG, ELEMENTWISE, PRODUCT, SPREAD, STACK
from chainrule.calculus.indexing.search import CollapsePlan, scaled_by, search
from chainrule.calculus.ops import (
    TABLE,
    add,
    broadcast,
    diag,
    matmul,
    mul,
    norm,
    power,
    rebuild,
    reduce_mean,
    reduce_sum,
    size,
    transpose,
)
from chainrule.calculus.ops.reduction import axes_of
from chainrule.errors import DerivationError

SEARCH_LIMIT = 7
"""With more factors than this, those with equal indices are merged before the search."""

FEW = 4
"""With more factors than this, those that leave no choice are merged."""


@dataclass(frozen=True)
class CollapseStep:
    """One step of a collapse: the rule, its reason, and the index form after it.

    `replacement` is the term that changed, where the form is a sum of several.
    """

    rule: str
    because: str
    after: Expr
    replacement: Replacement | None = field(default=None, compare=False, repr=False)


def collapse(
    form: Expr,
    shape: Shape,
    row: Position,
    col: Position,
    behind: frozenset[Symbol] = frozenset(),
) -> tuple[Expr, list[CollapseStep]]:
    """Collapse an index form, entry (row, col) of a matrix of `shape`, to that matrix.

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
    firings : list of CollapseStep
        The named steps; each holds the index form after it.

    Raises
    ------
    DerivationError
        When the form has no matrix form among the registered operations.
    """
    try:
        return _collapsed(form, shape, row, col, behind)
    except DerivationError:
        spread = _spread_out(form)
        if spread is None:
            raise
    matrix, firings = _collapsed(spread, shape, row, col, behind)
    return matrix, [CollapseStep(*SPREAD, spread), *firings]


def _collapsed(
    form: Expr, shape: Shape, row: Position, col: Position, behind: frozenset[Symbol]
) -> tuple[Expr, list[CollapseStep]]:
    places = tuple(p if isinstance(p, Index) else None for p in (row, col))
    negated, terms = _terms(form)
    # In a sum, a term may be repeated in silence as long as another one has the whole shape.
    plans = [_plan(term, shape, places, silent=len(terms) > 1) for term in terms]
    if len(terms) > 1 and all(_unspread(plan.result).shape != shape for plan, _ in plans):
        plans = [_plan(term, shape, places) for term in terms]
    done: list[Expr] = []
    firings: list[CollapseStep] = []
    for number, (plan, front) in enumerate(plans):
        around = _beside(tuple(done), tuple(terms[number + 1 :]), negated)
        part = terms[number]
        for rule, because, pieces, still in plan.firings:
            now = _unfinished(front, pieces, still)
            if rule == ELEMENTWISE.name:
                # Entries of a product are products of entries: the line is the same, unless sums
                # inside the factors are closed by the way.
                if _count_sums(now) == _count_sums(part):
                    continue
                rule, because = PRODUCT if _products(now) > _products(part) else ALONG
            changed = Replacement(part, now, around)
            firings.append(CollapseStep(rule, because, around(now), changed))
            part = now
        done.append(cell_of(plan.result, row, col))
    matrix = _signed(add(*(plan.result for plan, _ in plans)), negated)
    matrix = broadcast(transform(matrix, with_means), shape)
    return _with_behind(matrix, behind), firings


def _count_sums(form: Expr) -> int:
    return sum(isinstance(node, Total) for node in walk(form))


def _products(form: Expr) -> int:
    return sum(isinstance(n, Apply) and n.op is TABLE["matmul"] for n in walk(form))


def _beside(done: tuple[Expr, ...], waiting: tuple[Expr, ...], negated: bool) -> Around:
    """Return what puts a term between those that are collapsed and those that are not."""
    return lambda term: _signed(add(*done, term, *waiting), negated)


def _spread_out(form: Expr) -> Expr | None:
    """Multiply brackets out that carry more than two indices; None where there are none."""
    negated, terms = _terms(form)
    done = [_spread_term(term) for term in terms]
    if done == [[term] for term in terms]:
        return None
    return _signed(add(*(part for parts in done for part in parts)), negated)


def _spread_term(term: Expr) -> list[Expr]:
    bound, factors = _flatten(term)
    for k, factor in enumerate(factors):
        if len(running(factor)) <= 2:
            continue
        parts = _bracket(factor)
        if parts is None:
            return [term]
        found = []
        for part in parts:
            product = mul(*factors[:k], part, *factors[k + 1 :])
            for index in reversed(bound):
                product = Total(index, product)
            found += _spread_term(product)
        return found
    return [term]


def _bracket(factor: Expr) -> list[Expr] | None:
    """Return the terms of a bracket, of a power of one, or of one over a line."""
    if isinstance(factor, Apply) and factor.op is TABLE["add"]:
        return list(factor.args)
    if isinstance(factor, Apply) and factor.op is TABLE["div"]:
        above = _bracket(factor.args[0])
        return None if above is None else [part / factor.args[1] for part in above]
    if isinstance(factor, Apply) and factor.op is TABLE["power"] and factor.attrs[0] == 2:
        parts = _bracket(factor.args[0])
        return None if parts is None else [_squared(a, b) for a in parts for b in parts]
    return None


def _squared(a: Expr, b: Expr) -> Expr:
    return power(a, 2) if a is b else mul(a, b)


def _with_behind(matrix: Expr, behind: frozenset[Symbol]) -> Expr:
    """Write a layer's gradient after its transposed weights, even when it is a scalar."""
    shown = matrix.args if isinstance(matrix, Apply) and matrix.op is TABLE["mul"] else ()
    scalars = [arg for arg in shown if _unspread(arg) in behind]
    transposed = [arg for arg in shown if isinstance(arg, Apply) and arg.op is TABLE["transpose"]]
    if len(scalars) != 1 or not transposed or transposed[0].shape[1] != 1:
        return matrix
    product = Apply(TABLE["matmul"], (transposed[0], _unspread(scalars[0])))
    rest = [product if arg is transposed[0] else arg for arg in shown if arg is not scalars[0]]
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
) -> tuple[CollapsePlan, Expr]:
    bound, factors = _flatten(term)
    front: Expr = Number(1)
    pieces: list[IndexedFactor] = []
    for factor in factors:
        indices = running(factor)
        if not indices and isinstance(factor, Number):
            front = front * factor
        else:
            pieces.append(_piece(factor, indices, len(pieces), places))
    if len(pieces) > FEW:
        pieces = _merged_alike(pieces, frozenset(bound))
    if len(pieces) > SEARCH_LIMIT:
        pieces = _merged(pieces)
    carried = frozenset(index for piece in pieces for index in piece.indices)
    for index in bound:
        if index not in carried:  # the same again and again: as often as there are places
            front = front * size(index.dim)
    bound = [index for index in bound if index in carried]
    plan = search(tuple(pieces), frozenset(bound), shape, places, {}, silent)
    if plan is None:
        raise DerivationError("no matrix form: an index sits on more than two factors")
    return CollapsePlan(plan.cost, plan.firings, scaled_by(front, plan.result)), front


def _flatten(
    term: Expr, summed: frozenset[Index] = frozenset(), *, whole: bool = True
) -> tuple[list[Index], list[Expr]]:
    """Pull sums and signs out of a product: bound indices, then factors in order.

    `whole` says that the term is not a factor of another.
    """
    if isinstance(term, Total):
        bound, factors = _flatten(term.body, summed | {term.index}, whole=False)
        return [term.index, *bound], factors
    if isinstance(term, Apply) and term.op is TABLE["neg"]:
        bound, factors = _flatten(term.args[0], summed, whole=whole)
        return bound, [Number(-1), *factors]
    if isinstance(term, Apply) and term.op is TABLE["div"] and _below_all(term, summed, whole):
        # A number, a size or a value below stands below the whole product: (A - Y) X^T / m.
        bound, factors = _flatten(term.args[0], summed, whole=False)
        return bound, [*factors, 1 / term.args[1]]
    if isinstance(term, Apply) and term.op is TABLE["div"]:
        # A vector below a matrix: the sum of A_ji / r_j over j is the product A^T (1/r).
        below = running(term.args[1])
        if below & summed and below < running(term.args[0]):
            bound, factors = _flatten(term.args[0], summed, whole=False)
            return bound, [*factors, 1 / term.args[1]]
    if isinstance(term, Apply) and term.op is TABLE["mul"]:
        parts = [_flatten(arg, summed, whole=False) for arg in term.args]
        return [i for bound, _ in parts for i in bound], [f for _, fs in parts for f in fs]
    return [], [term]


def _below_all(quotient: Apply, summed: frozenset[Index], whole: bool) -> bool:
    """Whether a fraction line leaves a product: what is below has no index that is summed over."""
    above, below = quotient.args
    if not symbols(below):
        return True
    free = running(above)
    # A number such as sum((x - u)^2)/s^3 is shorter as a sum than as 1^T (x - u)^2/s^3.
    total = isinstance(above, Total) and (free or not whole)
    return bool(len(free) > 2 or total or free & summed) and not running(below)


def _piece(
    factor: Expr, indices: frozenset[Index], order: int, places: tuple[Index | None, ...]
) -> IndexedFactor:
    """See a factor as the cell of a matrix, in the orientation that needs fewer transposes."""
    if len(indices) > 2:
        raise DerivationError("no matrix form: one factor carries more than two indices")
    if not indices:
        return IndexedFactor(lifted(factor, None, None), None, None, order)
    first, *rest = sorted(indices, key=lambda index: (index.name, str(index.dim)))
    second = rest[0] if rest else None
    options = [
        IndexedFactor(lifted(factor, r, c), r, c, order)
        for r, c in ((first, second), (second, first))
    ]
    against = (places[1], places[0])
    return min(
        options,
        key=lambda p: (transposes(p.matrix), p.row == against[0] or p.col == against[1]),
    )


def lifted(cell: Expr, row: Index | None, col: Index | None) -> Expr:
    """Return the matrix of which the given cell is entry (row, col)."""
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
        transposed = cell.row == col or cell.col == row
        matrix = transpose(cell.matrix) if transposed else cell.matrix
        return broadcast(matrix, shape)
    if isinstance(cell, Total):
        return repeated(_summed(cell, row, col), shape)
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
        own = [lifted(arg, row, col) for arg in cell.args]
        return rebuild(cell, tuple(broadcast(arg, shape) for arg in own))
    return broadcast(cell, shape)


def _outer_product(
    cell: Apply, standing: list[Expr], lying: list[Expr], row: Index, col: Index
) -> Expr:
    """Return a product of entries of a column and of a row as an outer product."""
    column = mul(*(lifted(arg, row, None) for arg in standing))
    line = mul(*(lifted(arg, None, col) for arg in lying))
    rest = [arg for arg in cell.args if arg not in standing and arg not in lying]
    shape: Shape = (row.dim, col.dim)
    others = (broadcast(lifted(arg, row, col), shape) for arg in rest)
    return mul(*others, matmul(column, line))


def _summed(cell: Total, row: Index | None, col: Index | None) -> Expr:
    """Return a sum inside an elementwise function: along an axis, or as a matrix product."""
    kept = running(cell)
    _, factors = _flatten(cell)
    alone = sum(cell.index in running(factor) for factor in factors) == 1
    if alone and not kept:
        both = (lifted(cell.body, cell.index, None), lifted(cell.body, None, cell.index))
        return reduce_sum(min(both, key=transposes))
    if alone and kept <= {col}:
        return reduce_sum(lifted(cell.body, cell.index, col), 0)
    if alone and kept <= {row}:
        return reduce_sum(lifted(cell.body, row, cell.index), 1)
    row, col = (row if row in kept else None), (col if col in kept else None)
    shape: Shape = (row.dim if row else 1, col.dim if col else 1)
    return collapse(cell, shape, row, col)[0]


def with_means(node: Expr) -> Expr:
    """Write sums divided by their number of terms as means, and roots of squares as norms."""
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
    """Return a mean for a sum that is divided by its number of terms."""
    if not (isinstance(summed, Apply) and summed.op is TABLE["sum"]):
        return None
    (inner,), axis = summed.args, summed.attrs[0]
    along = axes_of(axis, len(inner.shape))
    dims = [d for a, d in enumerate(inner.shape) if a in along and d != 1]
    counted = len(dims) == 1 and count is size(dims[0])
    return reduce_mean(inner, axis) if counted else None


def _merged(pieces: list[IndexedFactor]) -> list[IndexedFactor]:
    groups: dict[frozenset[Index], list[IndexedFactor]] = {}
    for piece in pieces:
        groups.setdefault(piece.indices, []).append(piece)
    return [reduce(multiplied, group) for group in groups.values()]


def _merged_alike(pieces: list[IndexedFactor], bound: frozenset[Index]) -> list[IndexedFactor]:
    """Merge factors with equal indices, unless their product alone ends a sum.

    In whatever order such pieces are multiplied, the same is read: only the search takes longer.
    Where nothing else carries an index that is summed over, ``a^T b`` is shorter than a sum of
    products, and the search has to see both.
    """
    groups: dict[tuple[Index | None, Index | None], list[IndexedFactor]] = {}
    for piece in pieces:
        groups.setdefault((piece.row, piece.col), []).append(piece)
    found: list[IndexedFactor] = []
    for place, group in groups.items():
        others = {
            i for at, rest in groups.items() if at != place for piece in rest for i in piece.indices
        }
        open_sum = any(index in bound and index not in others for index in place)
        found += group if open_sum else [_all_multiplied(group)]
    return sorted(found, key=lambda piece: piece.order)


def _all_multiplied(group: list[IndexedFactor]) -> IndexedFactor:
    """Return the elementwise product of factors with equal places: at once, since it may be long.

    With fractions the order decides what stands over which line.
    """
    first, *others = group
    if not others or any(_divides(piece.matrix) for piece in group):
        return reduce(multiplied, group)
    return IndexedFactor(mul(*(p.matrix for p in group)), first.row, first.col, first.order)


def _divides(matrix: Expr) -> bool:
    return any(isinstance(node, Apply) and node.op is TABLE["div"] for node in walk(matrix))


def _unfinished(front: Expr, pieces: tuple[IndexedFactor, ...], still: frozenset[Index]) -> Expr:
    """Return a state as an index form: cells of collapsed matrices, and the remaining sums."""
    form = mul(front, *(piece.cell() for piece in pieces))
    for index in sorted(still, key=lambda i: i.name):
        form = Total(index, form)
    return form


__all__ = ["STACK", "CollapseStep", "collapse", "lifted"]
