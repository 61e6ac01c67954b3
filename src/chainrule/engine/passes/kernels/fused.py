"""Compiled verbs of dense rows: products, sandwiches and sizes, in one read of X each.

They compile at the first use and keep the result on disk. A verb walks over a few rows at a time,
small enough to stay in the L2 cache, so that memory is read once however often the rows are used.
float32 rows are read as they are and computed in float64. An array in Fortran order is read column
by column, a few hundred rows at a time, and copied only where a Hessian is formed.

Sums along a row go in fixed lanes (`lanes`). Sums over rows may be reassociated by the compiler,
which it does alike for every entry; formulas of losses may not, or they would lose the digits they
keep.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba.extending import overload

from chainrule.engine.losses.vectorised import Vector, exact, summing
from chainrule.engine.passes.kernels import lanes
from chainrule.engine.passes.kernels.columns import add_column_sums, column_scores, mirror

Matrix = npt.NDArray[Any]


def rows_of(X: Matrix, start: int, stop: int, buffer: Vector) -> Matrix:
    """Return some rows of X in C order, in the buffer unless they are already."""
    # What it means; compiled, numba picks one of the two below by the layout of X.
    return np.ascontiguousarray(X[start:stop])


@overload(rows_of, inline="always")
def _rows_by_layout(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
    def direct(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        return X[start:stop]

    def copied(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        for j in range(X.shape[1]):
            for i in range(start, stop):
                buffer[i - start, j] = X[i, j]
        return buffer[: stop - start]

    return direct if X.layout == "C" else copied


@exact
def _scores(B: Matrix, coef: Vector, intercept: float, out: Vector) -> None:
    # one row after the other: the first touch of memory is fastest where it goes straight on
    for i in range(B.shape[0]):
        out[i] = lanes.dot(B[i], coef) + intercept


@summing
def add_transposed(B: Matrix, u: Vector, total: Vector) -> None:
    """Add B^T u to the total."""
    n_rows, n_features = B.shape
    whole = n_rows - n_rows % 8
    for i in range(0, whole, 8):
        u0, u1, u2, u3 = u[i], u[i + 1], u[i + 2], u[i + 3]
        u4, u5, u6, u7 = u[i + 4], u[i + 5], u[i + 6], u[i + 7]
        for j in range(n_features):
            left = u0 * B[i, j] + u1 * B[i + 1, j] + u2 * B[i + 2, j] + u3 * B[i + 3, j]
            right = u4 * B[i + 4, j] + u5 * B[i + 5, j] + u6 * B[i + 6, j] + u7 * B[i + 7, j]
            total[j] += left + right
    for i in range(whole, n_rows):
        for j in range(n_features):
            total[j] += u[i] * B[i, j]


def scores_of(
    X: Matrix, start: int, stop: int, coef: Vector, intercept: float, out: Vector
) -> None:
    """Put X coef + intercept of some rows into `out`."""
    # What it means; compiled, numba picks one of the two below by the layout of X.
    out[:] = X[start:stop] @ coef + intercept


@overload(scores_of, inline="always")
def _scores_by_layout(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> Any:  # noqa: ANN401
    def by_rows(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> None:  # noqa: ANN401
        _scores(X[start:stop], coef, intercept, out)

    def by_columns(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> None:  # noqa: ANN401
        column_scores(X, start, stop, coef, intercept, out)

    return by_rows if X.layout == "C" else by_columns


def add_transposed_of(X: Matrix, start: int, stop: int, u: Vector, total: Vector) -> None:
    """Add X^T u of some rows to the total."""
    total += X[start:stop].T @ u


@overload(add_transposed_of, inline="always")
def _transposed_by_layout(X: Any, start: Any, stop: Any, u: Any, total: Any) -> Any:  # noqa: ANN401
    def by_rows(X: Any, start: Any, stop: Any, u: Any, total: Any) -> None:  # noqa: ANN401
        add_transposed(X[start:stop], u, total)

    def by_columns(X: Any, start: Any, stop: Any, u: Any, total: Any) -> None:  # noqa: ANN401
        add_column_sums(X, start, stop, u, total)

    return by_rows if X.layout == "C" else by_columns


@summing
def add_sandwich(B: Matrix, d: Vector, panel: Vector, total: Vector) -> None:
    """Add the lower half of B^T diag(d) B to the total, four of its rows at a time."""
    n_rows, n_features = B.shape
    rows, columns = n_rows - n_rows % 4, n_features - n_features % 4
    for p in range(0, columns, 4):
        # up to the diagonal, rounded up to whole registers
        width = min(n_features, (p + 11) // 8 * 8)
        panel[:, :width] = 0.0
        for i in range(0, rows, 4):
            d0, d1, d2, d3 = d[i], d[i + 1], d[i + 2], d[i + 3]
            a0, a1, a2, a3 = d0 * B[i, p], d1 * B[i + 1, p], d2 * B[i + 2, p], d3 * B[i + 3, p]
            q = p + 1
            b0, b1, b2, b3 = d0 * B[i, q], d1 * B[i + 1, q], d2 * B[i + 2, q], d3 * B[i + 3, q]
            q = p + 2
            c0, c1, c2, c3 = d0 * B[i, q], d1 * B[i + 1, q], d2 * B[i + 2, q], d3 * B[i + 3, q]
            q = p + 3
            e0, e1, e2, e3 = d0 * B[i, q], d1 * B[i + 1, q], d2 * B[i + 2, q], d3 * B[i + 3, q]
            for j in range(width):
                x0, x1, x2, x3 = B[i, j], B[i + 1, j], B[i + 2, j], B[i + 3, j]
                panel[0, j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                panel[1, j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                panel[2, j] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                panel[3, j] += e0 * x0 + e1 * x1 + e2 * x2 + e3 * x3
        for i in range(rows, n_rows):
            for r in range(4):
                a0 = d[i] * B[i, p + r]
                for j in range(width):
                    panel[r, j] += a0 * B[i, j]
        for r in range(4):
            for j in range(p + r + 1):
                total[p + r, j] += panel[r, j]
    for p in range(columns, n_features):
        panel[0, : p + 1] = 0.0
        for i in range(n_rows):
            a0 = d[i] * B[i, p]
            for j in range(p + 1):
                panel[0, j] += a0 * B[i, j]
        for j in range(p + 1):
            total[p, j] += panel[0, j]


@exact
def product_pass(
    X: Matrix,
    bend: Vector,
    coef: Vector,
    intercept: float,
    pull: Vector,
    part: Vector,
    total: Vector,
) -> float:
    """Fill in X^T u and return the sum of u, for u = bend * (X coef + intercept).

    `pull` is room for one inner step, `part` for the sums over it.
    """
    n_rows, inner, level = X.shape[0], pull.shape[0], 0.0
    total[:] = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        scores_of(X, start, stop, coef, intercept, pull[: stop - start])
        for i in range(stop - start):
            pull[i] *= bend[start + i]
        part[:] = 0.0
        add_transposed_of(X, start, stop, pull[: stop - start], part)
        total += part
        level += pull[: stop - start].sum()
    return level


@exact
def matvec(X: Matrix, V: Matrix, inner: int, product: Matrix) -> None:
    """Fill in V X^T: one row an output."""
    n_rows = X.shape[0]
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        for k in range(V.shape[0]):
            scores_of(X, start, stop, V[k], 0.0, product[k, start:stop])


@exact
def rmatvec(X: Matrix, U: Matrix, inner: int, part: Vector, total: Matrix) -> None:
    """Fill in U X: one row an output."""
    n_rows = X.shape[0]
    total[:] = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        for k in range(U.shape[0]):
            part[:] = 0.0
            add_transposed_of(X, start, stop, U[k, start:stop], part)
            for j in range(X.shape[1]):
                total[k, j] += part[j]


@exact
def sandwich(X: Matrix, d: Vector, panel: Matrix, buffer: Matrix, total: Matrix) -> None:
    """Fill in X^T diag(d) X; `buffer` has room for the rows of one inner step."""
    n_rows, inner = X.shape[0], buffer.shape[0]
    total[:] = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        add_sandwich(rows_of(X, start, stop, buffer), d[start:stop], panel, total)
    mirror(total)


@summing
def _add_squares(B: Matrix, d: Vector, total: Vector) -> None:
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            total[j] += (d[i] * B[i, j]) * B[i, j]


@exact
def sandwich_diagonal(X: Matrix, D: Matrix, part: Vector, buffer: Matrix, total: Matrix) -> None:
    """Fill in the diagonal of X^T diag(d) X for each row d of D, one row each."""
    n_rows, inner = X.shape[0], buffer.shape[0]
    total[:] = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        B = rows_of(X, start, stop, buffer)
        for k in range(D.shape[0]):
            part[:] = 0.0
            _add_squares(B, D[k, start:stop], part)
            for j in range(X.shape[1]):
                total[k, j] += part[j]


@exact
def _sizes(B: Matrix, v: Vector, weights: Vector, product: Vector, squares: Vector) -> None:
    for i in range(B.shape[0]):
        product[i], squares[i] = lanes.sizes(B[i], v, weights)


@exact
def row_sizes(
    X: Matrix, v: Vector, weights: Vector, buffer: Matrix, product: Vector, squares: Vector
) -> None:
    """Fill in |X| v, for v >= 0, and sum_j (weights_j x_ij)^2."""
    n_rows, inner = X.shape[0], buffer.shape[0]
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        B = rows_of(X, start, stop, buffer)
        _sizes(B, v, weights, product[start:stop], squares[start:stop])


@summing
def _add_sizes(B: Matrix, u: Vector, w: Vector, to_u: Vector, to_w: Vector) -> None:
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            size = abs(B[i, j])
            to_u[j] += u[i] * size
            to_w[j] += w[i] * size


@exact
def column_sizes(
    X: Matrix, u: Vector, w: Vector, parts: Matrix, buffer: Matrix, to_u: Vector, to_w: Vector
) -> None:
    """Fill in |X|^T u and |X|^T w; `parts` has room for the sums over one inner step."""
    n_rows, inner = X.shape[0], buffer.shape[0]
    part_u, part_w = parts[0], parts[1]
    to_u[:] = 0.0
    to_w[:] = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        part_u[:] = 0.0
        part_w[:] = 0.0
        B = rows_of(X, start, stop, buffer)
        _add_sizes(B, u[start:stop], w[start:stop], part_u, part_w)
        to_u += part_u
        to_w += part_w


def _raise_maxima(X: Matrix, top: npt.NDArray[Any]) -> None:
    """Raise each entry of `top` to the largest |x_ij| of its column, both as their bits."""
    # What it means; compiled, numba picks one of the two below by the layout of X.
    np.maximum(top, np.abs(X).view(top.dtype).max(axis=0), out=top)


@overload(_raise_maxima, inline="always")
def _maxima_by_layout(X: Any, top: Any) -> Any:  # noqa: ANN401
    whole = top.dtype.bitwidth == 64
    number: Any = np.int64 if whole else np.int32
    unsigned = number(2**63 - 1 if whole else 2**31 - 1)  # all bits but the sign

    def by_rows(X: Any, top: Any) -> None:  # noqa: ANN401
        bits = X.view(number)
        for i in range(bits.shape[0]):
            for j in range(bits.shape[1]):
                top[j] = max(top[j], bits[i, j] & unsigned)

    def by_columns(X: Any, top: Any) -> None:  # noqa: ANN401
        bits = X.T.view(number)
        for j in range(bits.shape[0]):
            largest = top[j]
            for i in range(bits.shape[1]):
                largest = max(largest, bits[j, i] & unsigned)
            top[j] = largest

    return by_rows if X.layout == "C" else by_columns


@exact
def column_maxima(X: Matrix, top: npt.NDArray[Any]) -> None:
    """Put max_i |x_ij| into `top`, zeros of the integers that are as wide as the numbers of X.

    Sizes are compared by their bits: floating-point numbers without a sign are in the order of
    their bits read as integers, inf above all numbers and NaN above inf.
    """
    _raise_maxima(X, top)
