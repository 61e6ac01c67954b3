"""Macros: what has a name on the board and no row, because its parts already give the slope."""

from __future__ import annotations

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.ops.elementwise import ADD, NEG, add, power
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.reduction import count, reduce_mean, reduce_sum
from chainrule.errors import ShapeError


def outer(a: Expr, b: Expr) -> Expr:
    """Multiply every entry of one vector by every entry of another.

    Raises
    ------
    ShapeError
        When one of them is a matrix.
    """
    for x in (a, b):
        if 1 not in x.shape:
            raise ShapeError(f"an outer product takes two vectors; one is {written(x.shape)}")
    column = a if a.shape[1] == 1 else transpose(a)
    return matmul(column, b if b.shape[0] == 1 else transpose(b))


def outer_sum(a: Expr, b: Expr) -> Expr:
    """Add every entry of one vector to every entry of another: a table with a row for each of `a`.

    Raises
    ------
    ShapeError
        When one of them is a matrix.
    """
    for x in (a, b):
        if 1 not in x.shape:
            raise ShapeError(f"an outer sum takes two vectors; one is {written(x.shape)}")
    column = a if a.shape[1] == 1 else transpose(a)
    return add(column, b if b.shape[0] == 1 else transpose(b))


def variance(x: Expr, axis: int | None = None, ddof: int = 0) -> Expr:
    """Return the mean of the squared deviations from the mean, over everything or along `axis`.

    `ddof` is taken off the number of entries, as NumPy does: 1 gives the unbiased variance.
    """
    squares = power(x - reduce_mean(x, axis), 2)
    if ddof == 0:
        return reduce_mean(squares, axis)
    return reduce_sum(squares, axis) / (count(x.shape, axis) - ddof)


def where(mask: Expr, yes: Expr, no: Expr) -> Expr:
    """Take `yes` where the mask is one and `no` where it is zero: masks multiply."""
    return mask * yes + _otherwise(mask) * no


def _otherwise(mask: Expr) -> Expr:
    """Return one minus a mask; of a mask that is written so, what it was taken from."""
    if isinstance(mask, Apply) and mask.op is ADD and len(mask.args) == 2:
        one, other = mask.args
        excluded = isinstance(other, Apply) and other.op is NEG and isinstance(one, Number)
        if excluded and one is Number(1, one.shape):
            return other.args[0]
    return 1 - mask
