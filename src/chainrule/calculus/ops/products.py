"""Products of entries along an axis, powers of a square matrix, and the Kronecker product."""

from __future__ import annotations

from functools import reduce
from operator import mul
from typing import Any

from chainrule.calculus.graph.dims import SCALAR, Dim, Shape, times, written
from chainrule.calculus.graph.node import Apply, Expr
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.arrangement import reshape
from chainrule.calculus.ops.elementwise import POSITIVE
from chainrule.calculus.ops.functions import EXP, LOG, apply
from chainrule.calculus.ops.linear import eye, matmul
from chainrule.calculus.ops.reduction import (
    COLUMNS,
    ROWS,
    broadcast,
    normal_axis,
    reduce_sum,
    summed_shape,
)
from chainrule.calculus.ops.square import inverse
from chainrule.errors import ShapeError

MOST_FACTORS = 16
"""Factors of the power of a matrix, which is written out."""


def reduce_prod(x: Expr, axis: int | None = None) -> Expr:
    """Multiply all entries, or along `axis`; the result stays a matrix."""
    if summed_shape(x.shape, axis) == x.shape:
        return x
    return Apply(PROD, (x,), (normal_axis(x.shape, axis),))


def matrix_power(x: Expr, exponent: int) -> Expr:
    """Multiply a square matrix by itself; a negative exponent is that of its inverse.

    Raises
    ------
    ShapeError
        When the matrix is not square, or the product would be too long to write out.
    """
    if x.shape[0] != x.shape[1]:
        raise ShapeError(f"a power of a matrix needs a square one, and {written(x.shape)} is not")
    if abs(exponent) > MOST_FACTORS:
        raise ShapeError(f"a power of a matrix is written out; {MOST_FACTORS} factors are the most")
    if exponent == 0:
        return eye(x.shape[0])
    return reduce(matmul, [x if exponent > 0 else inverse(x)] * abs(exponent))


def kron(a: Expr, b: Expr) -> Expr:
    """Return the Kronecker product: every entry of `a` times the whole of `b`.

    All products of an entry of one and an entry of the other are an outer product; what is left is
    to put them in their places.
    """
    if SCALAR in (a.shape, b.shape):
        return a * b
    every = matmul(
        reshape(a, (times(*a.shape), 1)),
        reshape(b, (1, times(*b.shape))),
    )
    return interleave(every, *a.shape, *b.shape)


def interleave(x: Expr, a: Dim, b: Dim, c: Dim, d: Dim) -> Expr:
    """Put entry (i b + j, k d + l) of an (a b, c d) matrix at (i c + k, j d + l)."""
    return Apply(INTERLEAVE, (x,), (a, b, c, d))


def _multiplied(xp: Any, x: Any, axis: int | None) -> Any:  # noqa: ANN401
    if axis in (None, ROWS):
        x = reduce(mul, (x[k : k + 1] for k in range(x.shape[0])))
    if axis in (None, COLUMNS):
        x = reduce(mul, (x[:, k : k + 1] for k in range(x.shape[1])))
    return x


def _prod_code(x: str, *, attrs: tuple[Any, ...]) -> str:
    if attrs[0] is None:
        return f"np.prod(np.reshape({x}, (1, -1)), axis=1, keepdims=True)"
    return f"np.prod({x}, axis={attrs[0]}, keepdims=True)"


PROD: Op = Op(
    name="prod",
    shape=lambda shapes, attrs: summed_shape(shapes[0], attrs[0]),
    value=lambda xp, x, *, out_shape, attrs: _multiplied(xp, x, attrs[0]).reshape(out_shape),
    vjp=lambda g, out, args, attrs: (broadcast(g * out, args[0].shape) / args[0],),
    index=closed,
    notation=Notation(Layout.FUNCTION, "prod", r"\operatorname{prod}", spoken="the product of"),
    code=_prod_code,
    rule="product of all entries",
    because="an entry is multiplied by all the others, which are the product over the entry",
    domain=(POSITIVE,),
    corner="where an entry is 0; the product over that entry has no value there",
    laws=(
        Law(
            "the order of the two products does not matter",
            lambda x: reduce_prod(reduce_prod(x, ROWS), COLUMNS),
            lambda x: reduce_prod(x),
        ),
        Law(
            "its logarithm is a sum",
            lambda x: reduce_prod(x, ROWS),
            lambda x: apply(EXP, reduce_sum(apply(LOG, x), ROWS)),
        ),
    ),
    mistakes=(
        Mistake(
            "the entry itself not left out",
            "the slope is the product of the others: the product over the entry",
            lambda g, out, args, attrs: (broadcast(g * out, args[0].shape),),
        ),
        Mistake(
            "taken for a sum",
            "in a product every entry is multiplied by the others, so its slope is not 1",
            lambda g, out, args, attrs: (broadcast(g, args[0].shape),),
        ),
    ),
)


def _interleaved_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    a, b, c, d = attrs
    if shapes[0] != (times(a, b), times(c, d)):
        raise ShapeError(f"{written(shapes[0])} is not ({a} {b}, {c} {d})")
    return (times(a, c), times(b, d))


def _interleaved(x: Any, a: int, b: int, c: int, d: int) -> Any:  # noqa: ANN401
    rows = [[i * b + j for j in range(b) for _ in range(d)] for i in range(a) for _ in range(c)]
    columns = [[k * d + r for _ in range(b) for r in range(d)] for _ in range(a) for k in range(c)]
    return x[rows, columns]


def _interleaved_code(x: str, a: object, b: object, c: object, d: object) -> str:
    apart = f"np.swapaxes(np.reshape({x}, ({a}, {b}, {c}, {d})), 1, 2)"
    return f"np.reshape({apart}, (({a}) * ({c}), ({b}) * ({d})))"


def _swapped(x: Expr) -> Expr:
    """Return the transpose as places that are swapped."""
    rows, columns = x.shape
    return interleave(x, 1, rows, columns, 1)


INTERLEAVE: Op = Op(
    name="interleave",
    shape=_interleaved_shape,
    value=lambda xp, x, *, out_shape, attrs: _interleaved(x, *attrs),
    vjp=lambda g, out, args, attrs: (interleave(g, attrs[0], attrs[2], attrs[1], attrs[3]),),
    index=closed,
    notation=Notation(
        Layout.FUNCTION,
        "interleave",
        r"\operatorname{interleave}",
        spoken="the interleaved",
        options=lambda attrs: ", ".join(str(size) for size in attrs),
    ),
    code=lambda x, *, attrs: _interleaved_code(x, *attrs),
    rule="places swapped",
    because="entries change their places without changing, so the gradient goes back to its places",
    moves=True,
    laws=(
        Law(
            "swapping back undoes it",
            lambda x: _swapped(_swapped(x)),
            lambda x: x,
        ),
    ),
)

ROWS_HERE = (PROD, INTERLEAVE)
"""The rows of this file, for the table."""

__all__ = [
    "INTERLEAVE",
    "PROD",
    "ROWS_HERE",
    "interleave",
    "kron",
    "matrix_power",
    "reduce_prod",
]
