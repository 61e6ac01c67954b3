"""Compiled passes over sparse rows: scores, loss, gradient and Hessian in one read of X.

A matrix is three arrays, as in SciPy's CSR: `data` and `indices` of the whole, and the `indptr` of
the rows at hand. Integers of either width, float32 or float64; sums are float64, in the order of
the rows.

numba's disk cache looks at this file alone, so `make emit` writes into it which formulas it is for.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.training.kernels.pointwise import Vector, exact, pointwise

Array = npt.NDArray[Any]

FORMULAS: Final = "898615d2a6ade00d"
"""The digest of the formulas that are compiled in; written by `make emit`."""

INNER_ROWS: Final = 256
"""Rows of one inner step: their numbers are used again while they are in the cache."""


@exact
def _scores(
    data: Array, indices: Array, indptr: Array, coef: Vector, intercept: float, out: Vector
) -> None:
    for i in range(indptr.shape[0] - 1):
        even, odd = 0.0, 0.0  # two sums at a time: additions wait for each other
        start, stop = indptr[i], indptr[i + 1]
        for e in range(start, stop - 1, 2):
            even += data[e] * coef[indices[e]]
            odd += data[e + 1] * coef[indices[e + 1]]
        if (stop - start) % 2:
            even += data[stop - 1] * coef[indices[stop - 1]]
        out[i] = even + odd + intercept


@exact
def _add_transposed(data: Array, indices: Array, indptr: Array, u: Vector, total: Vector) -> None:
    for i in range(indptr.shape[0] - 1):
        for e in range(indptr[i], indptr[i + 1]):
            total[indices[e]] += data[e] * u[i]


@exact
def _add_sandwich(data: Array, indices: Array, indptr: Array, d: Vector, total: Array) -> None:
    """Add the lower half of X^T diag(d) X; the indices of a row are in order."""
    for i in range(indptr.shape[0] - 1):
        for e in range(indptr[i], indptr[i + 1]):
            scaled = d[i] * data[e]
            row = total[indices[e]]
            for other in range(indptr[i], e + 1):
                row[indices[other]] += scaled * data[other]


@exact
def _mirror(half: Array) -> None:
    for i in range(half.shape[0]):
        for j in range(i):
            half[j, i] = half[i, j]


@exact
def binary_pass(
    data: Array,
    indices: Array,
    indptr: Array,
    n_features: int,
    y: Vector,
    weight: Vector,
    coef: Vector,
    intercept: float,
    raw_prediction: Vector,
    with_hessian: bool,
) -> tuple[float, Vector, float, Array, Vector, float]:
    """Return the sums over rows of one binary problem, as the pass over dense rows does."""
    n_rows = indptr.shape[0] - 1
    size = n_features if with_hessian else 0
    losses, residual = np.empty(INNER_ROWS), np.empty(INNER_ROWS)
    bend = np.empty(INNER_ROWS)
    gradient, hessian = np.zeros(n_features), np.zeros((size, size))
    border = np.zeros(size)
    loss, slope, corner = 0.0, 0.0, 0.0
    for start in range(0, n_rows, INNER_ROWS):
        stop = min(start + INNER_ROWS, n_rows)
        count = stop - start
        rows = indptr[start : stop + 1]
        raw = raw_prediction[start:stop]
        _scores(data, indices, rows, coef, intercept, raw)
        pointwise(raw, y[start:stop], weight[start:stop], losses, residual, bend)
        _add_transposed(data, indices, rows, residual, gradient)
        loss += losses[:count].sum()
        slope += residual[:count].sum()
        if with_hessian:
            _add_sandwich(data, indices, rows, bend, hessian)
            _add_transposed(data, indices, rows, bend, border)
            corner += bend[:count].sum()
    _mirror(hessian)
    return loss, gradient, slope, hessian, border, corner


@exact
def product_pass(
    data: Array,
    indices: Array,
    indptr: Array,
    n_features: int,
    bend: Vector,
    coef: Vector,
    intercept: float,
) -> tuple[Vector, float]:
    """Return X^T u and the sum of u, for u = bend * (X coef + intercept)."""
    n_rows = indptr.shape[0] - 1
    pull = np.empty(INNER_ROWS)
    total, level = np.zeros(n_features), 0.0
    for start in range(0, n_rows, INNER_ROWS):
        stop = min(start + INNER_ROWS, n_rows)
        rows = indptr[start : stop + 1]
        _scores(data, indices, rows, coef, intercept, pull)
        for i in range(stop - start):
            pull[i] *= bend[start + i]
        _add_transposed(data, indices, rows, pull, total)
        level += pull[: stop - start].sum()
    return total, level


@exact
def matvec(data: Array, indices: Array, indptr: Array, V: Array) -> Array:
    """Return V X^T: one row an output."""
    product = np.empty((V.shape[0], indptr.shape[0] - 1))
    for k in range(V.shape[0]):
        _scores(data, indices, indptr, V[k], 0.0, product[k])
    return product


@exact
def rmatvec(data: Array, indices: Array, indptr: Array, n_features: int, U: Array) -> Array:
    """Return U X: one row an output."""
    total = np.zeros((U.shape[0], n_features))
    for k in range(U.shape[0]):
        _add_transposed(data, indices, indptr, U[k], total[k])
    return total


@exact
def sandwich(data: Array, indices: Array, indptr: Array, n_features: int, d: Vector) -> Array:
    """Return X^T diag(d) X."""
    total = np.zeros((n_features, n_features))
    _add_sandwich(data, indices, indptr, d, total)
    _mirror(total)
    return total


@exact
def sandwich_diagonal(
    data: Array, indices: Array, indptr: Array, n_features: int, D: Array
) -> Array:
    """Return sum_i d_ki x_ij^2: one row an output."""
    total = np.zeros((D.shape[0], n_features))
    for k in range(D.shape[0]):
        for i in range(indptr.shape[0] - 1):
            for e in range(indptr[i], indptr[i + 1]):
                value = np.float64(data[e])
                total[k, indices[e]] += D[k, i] * value * value
    return total


@exact
def row_sizes(
    data: Array, indices: Array, indptr: Array, V: Array, weights: Vector
) -> tuple[Array, Vector]:
    """Return V |X|^T for V >= 0, one row an output, and sum_j (weights_j x_ij)^2."""
    n_rows = indptr.shape[0] - 1
    product, squares = np.zeros((V.shape[0], n_rows)), np.zeros(n_rows)
    for i in range(n_rows):
        for e in range(indptr[i], indptr[i + 1]):
            size = abs(np.float64(data[e]))
            square = weights[indices[e]] * size
            squares[i] += square * square
            for k in range(V.shape[0]):
                product[k, i] += size * V[k, indices[e]]
    return product, squares


@exact
def column_sizes(data: Array, indices: Array, indptr: Array, n_features: int, U: Array) -> Array:
    """Return U |X|: one row an output."""
    total = np.zeros((U.shape[0], n_features))
    for k in range(U.shape[0]):
        for i in range(indptr.shape[0] - 1):
            for e in range(indptr[i], indptr[i + 1]):
                total[k, indices[e]] += U[k, i] * abs(np.float64(data[e]))
    return total


@exact
def column_maxima(data: Array, indices: Array, indptr: Array, n_features: int) -> Vector:
    """Return max_i |x_ij|, and NaN where a value is NaN."""
    largest = np.zeros(n_features)
    for e in range(indptr[0], indptr[-1]):
        size = abs(np.float64(data[e]))
        top = largest[indices[e]]
        if top == top and not size <= top:  # NaN comes in, and stays
            largest[indices[e]] = size
    return largest
