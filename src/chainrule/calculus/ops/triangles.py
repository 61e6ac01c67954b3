"""Triangles of ones, and what is a product with one: tril, triu, masks of the past, running sums.

A triangular part is an entrywise product and a running sum a matrix product, so neither needs a
rule of its own: the gradient of a running sum is a running sum from the other end, since the
transpose of a lower triangle is an upper one.
"""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.dims import Dim, Index, Shape, written
from chainrule.calculus.graph.node import Applied, Apply, Expr, Number, Positions, entry
from chainrule.calculus.graph.op import Layout, Notation, Op
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.probability import softmax
from chainrule.calculus.ops.reduction import COLUMNS, ROWS
from chainrule.errors import ShapeError

HIDDEN_SCORE = 10**9
"""What is taken off a score that a mask hides: e^(-10^9) is 0 in every floating-point format."""


def lower(rows: Dim, columns: Dim | None = None, offset: int = 0) -> Expr:
    """Return ones on and below a diagonal: the entry (r, c) is 1 where c - r <= offset."""
    return Apply(LOWER, (), (rows, rows if columns is None else columns, offset))


def upper(rows: Dim, columns: Dim | None = None, offset: int = 0) -> Expr:
    """Return ones on and above a diagonal: the entry (r, c) is 1 where c - r >= offset."""
    return transpose(lower(rows if columns is None else columns, rows, -offset))


def tril(x: Expr, offset: int = 0) -> Expr:
    """Keep what stands on and below a diagonal; zeros above."""
    rows, columns = x.shape[-2:]
    return x * lower(rows, columns, offset)


def triu(x: Expr, offset: int = 0) -> Expr:
    """Keep what stands on and above a diagonal; zeros below."""
    rows, columns = x.shape[-2:]
    return x * upper(rows, columns, offset)


def cumsum(x: Expr, axis: int | None = None) -> Expr:
    """Return running sums down the columns (axis 0) or along the rows (axis 1).

    Raises
    ------
    ShapeError
        When no axis is given and `x` is a matrix.
    """
    if axis is None:
        if 1 not in x.shape:
            raise ShapeError("a running sum of a matrix goes along an axis: axis=0 or axis=1")
        axis = ROWS if x.shape[1] == 1 else COLUMNS
    if x.shape[axis] == 1:
        return x
    if axis == ROWS:
        return matmul(lower(x.shape[0]), x)
    return matmul(x, upper(x.shape[1]))


def masked_softmax(x: Expr, mask: Expr, axis: int = ROWS) -> Expr:
    """Return the softmax of the scores that a mask keeps; what it hides has probability 0."""
    return softmax(x - HIDDEN_SCORE * (1 - mask), axis)


def causal_softmax(x: Expr, axis: int = ROWS) -> Expr:
    """Return the softmax of scores in which no time sees a later one.

    With axis 0 every column is a query and its scores stand below each other, so that the upper
    triangle is kept; with axis 1 every row is a query, and the lower one is. In a tensor these are
    the last two dimensions.

    Raises
    ------
    ShapeError
        When the scores are not square, or the axis is neither of their two.
    """
    behind = axis - len(x.shape)
    if x.shape[-1] != x.shape[-2] or behind not in (-2, -1):
        raise ShapeError(
            f"scores of every time for every time are a square matrix in the last two dimensions, "
            f"and {written(x.shape)} has none along axis {axis}"
        )
    dim = x.shape[-1]
    return masked_softmax(x, upper(dim) if behind == -2 else lower(dim), axis)


def _triangle(xp: Any, shape: Shape, offset: int) -> Any:  # noqa: ANN401
    rows, columns = shape
    behind = xp.arange(rows).reshape((rows, 1)) - xp.arange(columns).reshape((1, columns)) + offset
    return -((xp.sign(xp.sign(behind) * 2 + 1) - 1) ** 2) / 4 + 1


def _cell(read: Any, node: Applied, places: Positions, fresh: Any) -> Expr:  # noqa: ANN401
    """Return 1 on the main diagonal, where it is kept; the triangle's entry elsewhere."""
    row, col = places
    same = isinstance(row, Index) and row == col
    if same:
        return Number(1 if node.attrs[2] >= 0 else 0)
    return entry(node, row, col)


def _written(attrs: tuple[Any, ...]) -> str:
    rows, columns, offset = attrs
    sizes = f"{rows}" if rows == columns and not offset else f"{rows}, {columns}"
    return f"{sizes}, {offset}" if offset else sizes


LOWER: Op = Op(
    name="lower",
    shape=lambda shapes, attrs: (attrs[0], attrs[1]),
    value=lambda xp, *, out_shape, attrs: _triangle(xp, out_shape, attrs[2]),
    vjp=lambda g, out, args, attrs: (),
    index=_cell,
    notation=Notation(
        Layout.FUNCTION,
        "lower",
        r"\operatorname{lower}",
        spoken="the lower triangle of ones",
        options=_written,
    ),
    code=lambda *, attrs: f"np.tril(np.full(({attrs[0]}, {attrs[1]}), 1.0), {attrs[2]})",
    rule="constant rule",
    because="a triangle of ones does not depend on any variable",
    domain=(),
)

ROWS_HERE = (LOWER,)
"""The rows of this file, for the table."""

__all__ = [
    "LOWER",
    "ROWS_HERE",
    "causal_softmax",
    "cumsum",
    "lower",
    "masked_softmax",
    "tril",
    "triu",
    "upper",
]
