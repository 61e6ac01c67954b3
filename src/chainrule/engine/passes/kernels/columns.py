"""Products with rows of an array in Fortran order, column by column, in place.

Numbers of one column follow each other in memory, so a few columns at a time are multiplied over a
few hundred rows, which stay in the cache for the way back.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from chainrule.engine.losses.vectorised import Vector, exact, summing
from chainrule.engine.passes.kernels.lanes import dot, four_dots

Matrix = npt.NDArray[Any]


@intrinsic
def _as_pointer(_: Any, address: Any) -> Any:  # noqa: ANN401
    """Return an integer as a pointer."""

    def build(_: Any, builder: Any, __: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(address), build


_pointer: Any = _as_pointer


@njit(inline="always")
def _column(X: Matrix, start: int, stop: int, j: int) -> Any:  # noqa: ANN401
    """Return rows of one column as what they are, numbers that follow each other.

    A slice of rows hides that from the compiler, which would then read them one by one.
    """
    part = X[start:stop, j]
    return carray(_pointer(part.ctypes.data), part.shape, X.dtype)


@summing
def column_scores(
    X: Matrix, start: int, stop: int, coef: Vector, intercept: float, out: Vector
) -> None:
    """Put X coef + intercept of some rows into `out`."""
    n_features = X.shape[1]
    count, whole = stop - start, n_features - n_features % 4
    for i in range(count):
        out[i] = intercept
    for j in range(0, whole, 4):
        c0, c1, c2, c3 = coef[j], coef[j + 1], coef[j + 2], coef[j + 3]
        x0, x1 = _column(X, start, stop, j), _column(X, start, stop, j + 1)
        x2, x3 = _column(X, start, stop, j + 2), _column(X, start, stop, j + 3)
        for i in range(count):
            out[i] += (c0 * x0[i] + c1 * x1[i]) + (c2 * x2[i] + c3 * x3[i])
    for j in range(whole, n_features):
        c0, x0 = coef[j], _column(X, start, stop, j)
        for i in range(count):
            out[i] += c0 * x0[i]


@exact
def add_column_sums(X: Matrix, start: int, stop: int, u: Vector, total: Vector) -> None:
    """Add X^T u of some rows to the total."""
    n_features = X.shape[1]
    whole = n_features - n_features % 4
    for j in range(0, whole, 4):
        x0, x1 = _column(X, start, stop, j), _column(X, start, stop, j + 1)
        x2, x3 = _column(X, start, stop, j + 2), _column(X, start, stop, j + 3)
        s0, s1, s2, s3 = four_dots(u, x0, x1, x2, x3)
        total[j] += s0
        total[j + 1] += s1
        total[j + 2] += s2
        total[j + 3] += s3
    for j in range(whole, n_features):
        total[j] += dot(_column(X, start, stop, j), u)


@exact
def mirror(half: Matrix) -> None:
    """Fill in the upper half of a symmetric matrix from its lower half."""
    for i in range(half.shape[0]):
        for j in range(i):
            half[j, i] = half[i, j]
