"""The factors of an index term: matrices of which one cell is in the product."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.calculus.graph.dims import Index, Shape
from chainrule.calculus.graph.node import Apply, Expr, Number, Position, entry
from chainrule.calculus.ops import (
    TABLE,
    broadcast,
    diag,
    matmul,
    mul,
    rebuild,
    reduce_sum,
    transpose,
)


@dataclass(frozen=True)
class IndexedFactor:
    """A matrix and the indices of its rows and columns; `order` is its position in the term."""

    matrix: Expr
    row: Index | None
    col: Index | None
    order: int

    @property
    def indices(self) -> frozenset[Index]:
        """The indices of this factor."""
        return frozenset(i for i in (self.row, self.col) if i is not None)

    def transposed(self) -> IndexedFactor:
        """Return the same cell of the transposed matrix."""
        return IndexedFactor(transpose(self.matrix), self.col, self.row, self.order)

    def cell(self) -> Expr:
        """Return the cell as an index form, through entrywise operations."""
        return cell_of(self.matrix, self.row, self.col)


def cell_of(matrix: Expr, row: Position, col: Position) -> Expr:
    """Return a cell of a matrix form, with matrix products closed."""
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


def multiplied(a: IndexedFactor, b: IndexedFactor) -> IndexedFactor:
    """Return the elementwise product of two factors with the same indices."""
    same = (b.row, b.col) == (a.row, a.col)
    return IndexedFactor(
        mul(a.matrix, (b if same else b.transposed()).matrix), a.row, a.col, a.order
    )


def repeated(matrix: Expr, shape: Shape) -> Expr:
    """Return a broadcast for what was summed along an axis, not a product with ones."""
    if matrix.shape == shape:
        return matrix
    if isinstance(matrix, Apply) and matrix.op is TABLE["matmul"]:
        left, right = matrix.args
        if isinstance(right, Number) and right.value == 1 and right.shape[1] == 1:
            matrix = reduce_sum(left, 1)
        elif isinstance(left, Number) and left.value == 1 and left.shape[0] == 1:
            matrix = reduce_sum(right, 0)
    return broadcast(matrix, shape)


def transposes(expr: Expr) -> int:
    """Return the number of visible transposes."""
    own = isinstance(expr, Apply) and expr.op is TABLE["transpose"]
    return own + sum(transposes(arg) for arg in expr.args)


def fits(piece: IndexedFactor, places: tuple[Index | None, ...]) -> bool:
    """Whether a factor has all, or some, of the given indices."""
    return all(
        own in (None, place) for own, place in zip((piece.row, piece.col), places, strict=True)
    )


def scaled(a: IndexedFactor, b: IndexedFactor) -> IndexedFactor:
    """Return the larger factor with its rows or columns scaled by the smaller one."""
    big, small = (a, b) if b.indices < a.indices else (b, a)
    placed = small if fits(small, (big.row, big.col)) else small.transposed()
    if isinstance(big.matrix, Apply) and big.matrix.op is TABLE["eye"]:
        return IndexedFactor(diag(small.matrix), big.row, big.col, min(a.order, b.order))
    spread = repeated(placed.matrix, big.matrix.shape)
    factors = (spread, big.matrix) if small.order < big.order else (big.matrix, spread)
    return IndexedFactor(mul(*factors), big.row, big.col, min(a.order, b.order))


def outer_piece(
    a: IndexedFactor, b: IndexedFactor, places: tuple[Index | None, ...]
) -> IndexedFactor:
    """Return the outer product of a column and a row, with the wanted row index first."""
    first, second = (b, a) if places[0] in b.indices else (a, b)
    column = first if first.col is None else first.transposed()
    line = second if second.row is None else second.transposed()
    product = matmul(column.matrix, line.matrix)
    return IndexedFactor(product, column.row, line.col, min(a.order, b.order))
