"""Compiled verbs of sparse rows: products, sandwiches and sizes, in one read of X each.

A matrix is three arrays, as in SciPy's CSR: `data` and `indices` of the whole, and the `indptr` of
the rows at hand. Integers are unsigned, of either width: a compiler need not ask whether they count
from the end. Values are float32 or float64; sums are float64, in the order of the rows and, within
a row, of its entries.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.columns import mirror

Array = npt.NDArray[Any]

SHORT_ROW: Final = 32
"""Entries up to which a row is sorted by insertion."""

FOLDED: Final = 256
"""Columns whose accumulators are added up at a time: they stay in the cache from sum to sum."""


@exact
def row_scores(
    data: Array, indices: Array, indptr: Array, coef: Vector, intercept: float, out: Vector
) -> None:
    """Put X coef + intercept into `out`."""
    for i in range(indptr.shape[0] - 1):
        score = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            score += data[e] * coef[indices[e]]
        out[i] = score + intercept


@exact
def add_transposed(data: Array, indices: Array, indptr: Array, u: Vector, total: Vector) -> None:
    """Add X^T u to the total."""
    for i in range(indptr.shape[0] - 1):
        pull = u[i]
        for e in range(indptr[i], indptr[i + 1]):
            total[indices[e]] += data[e] * pull


@exact
def add_sandwich(data: Array, indices: Array, indptr: Array, d: Vector, total: Array) -> None:
    """Add the lower half of X^T diag(d) X; the indices of a row are in order."""
    for i in range(indptr.shape[0] - 1):
        for e in range(indptr[i], indptr[i + 1]):
            scaled = d[i] * data[e]
            row = total[indices[e]]
            for other in range(indptr[i], e + 1):
                row[indices[other]] += scaled * data[other]


@exact
def product_pass(
    data: Array,
    indices: Array,
    indptr: Array,
    bend: Vector,
    coef: Vector,
    intercept: float,
    scores: Vector,
    step: float,
    travelled: Vector,
    total: Vector,
    pull: Vector,
) -> float:
    """Fill in scores = X coef + intercept and total = X^T (bend * scores).

    Returns the sum of bend * scores. What was in `scores` before, times `step`, is added to
    `travelled`. `pull` is room for one inner step.
    """
    n_rows, inner = indptr.shape[0] - 1, pull.shape[0]
    total[:] = 0.0
    level = 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        rows = indptr[start : stop + 1]
        for i in range(start, stop):
            travelled[i] += step * scores[i]
        row_scores(data, indices, rows, coef, intercept, scores[start:stop])
        for i in range(start, stop):
            pull[i - start] = bend[i] * scores[i]
        level += pull[: stop - start].sum()
        add_transposed(data, indices, rows, pull, total)
    return level


@exact
def diagonal_pass(data: Array, indices: Array, indptr: Array, bend: Vector, total: Vector) -> float:
    """Fill in total = sum_i bend_i x_ij^2; return sum(bend)."""
    total[:] = 0.0
    level = 0.0
    for i in range(indptr.shape[0] - 1):
        level += bend[i]
        for e in range(indptr[i], indptr[i + 1]):
            value = np.float64(data[e])
            total[indices[e]] += bend[i] * value * value
    return level


@exact
def fold(
    accumulators: Array, start: int, stop: int, strength: Vector, coef: Vector, total: Vector
) -> None:
    """Fill in the sums of all accumulators, from column start to stop, in a fixed binary tree.

    Where there is a strength, strength * coef is added: what the penalty contributes.
    """
    n_accumulators = accumulators.shape[0]
    for first in range(start, stop, FOLDED):
        last, stride = min(first + FOLDED, stop), 1
        while stride < n_accumulators:
            for k in range(0, n_accumulators - stride, 2 * stride):
                for j in range(first, last):
                    accumulators[k, j] += accumulators[k + stride, j]
            stride *= 2
        for j in range(first, last):
            total[j] = accumulators[0, j]
        if strength.shape[0]:
            for j in range(first, last):
                total[j] += strength[j] * coef[j]


@exact
def matvec(data: Array, indices: Array, indptr: Array, V: Array, product: Array) -> None:
    """Fill in V X^T: one row an output."""
    for k in range(V.shape[0]):
        row_scores(data, indices, indptr, V[k], 0.0, product[k])


@exact
def rmatvec(data: Array, indices: Array, indptr: Array, U: Array, total: Array) -> None:
    """Fill in U X: one row an output."""
    total[:] = 0.0
    for k in range(U.shape[0]):
        add_transposed(data, indices, indptr, U[k], total[k])


@exact
def sandwich(data: Array, indices: Array, indptr: Array, d: Vector, total: Array) -> None:
    """Fill in X^T diag(d) X."""
    total[:] = 0.0
    add_sandwich(data, indices, indptr, d, total)
    mirror(total)


@exact
def sandwich_diagonal(data: Array, indices: Array, indptr: Array, D: Array, total: Array) -> None:
    """Fill in sum_i d_ki x_ij^2: one row an output."""
    total[:] = 0.0
    for k in range(D.shape[0]):
        for i in range(indptr.shape[0] - 1):
            for e in range(indptr[i], indptr[i + 1]):
                value = np.float64(data[e])
                total[k, indices[e]] += D[k, i] * value * value


@exact
def row_sizes(
    data: Array,
    indices: Array,
    indptr: Array,
    V: Array,
    weights: Vector,
    product: Array,
    squares: Vector,
) -> None:
    """Fill in V |X|^T for V >= 0, one row an output, and sum_j (weights_j x_ij)^2."""
    product[:] = 0.0
    squares[:] = 0.0
    for i in range(indptr.shape[0] - 1):
        for e in range(indptr[i], indptr[i + 1]):
            size = abs(np.float64(data[e]))
            square = weights[indices[e]] * size
            squares[i] += square * square
            for k in range(V.shape[0]):
                product[k, i] += size * V[k, indices[e]]


@exact
def column_sizes(data: Array, indices: Array, indptr: Array, U: Array, total: Array) -> None:
    """Fill in U |X|: one row an output."""
    total[:] = 0.0
    for k in range(U.shape[0]):
        for i in range(indptr.shape[0] - 1):
            for e in range(indptr[i], indptr[i + 1]):
                total[k, indices[e]] += U[k, i] * abs(np.float64(data[e]))


@exact
def column_maxima(data: Array, indices: Array, indptr: Array, largest: Vector) -> None:
    """Fill in max_i |x_ij|, and NaN where a value is NaN."""
    largest[:] = 0.0
    for e in range(indptr[0], indptr[-1]):
        size = abs(np.float64(data[e]))
        top = largest[indices[e]]
        if top == top and not size <= top:  # NaN comes in, and stays
            largest[indices[e]] = size


@exact
def row_splits(indices: Array, indptr: Array, rows: int, starts: Array) -> None:
    """Fill in where the rows k * rows, and those after them, start in each column of a CSC matrix.

    `starts` has one row for each k, and one more for the end.
    """
    one = indptr.dtype.type(1)
    for j in range(indptr.shape[0] - 1):
        e, stop = indptr[j], indptr[j + 1]
        for k in range(starts.shape[0]):
            while e < stop and np.int64(indices[e]) < k * rows:
                e += one
            starts[k, j] = e


@exact
def turned(
    data: Array,
    indices: Array,
    starts: Vector,
    stops: Vector,
    first_row: int,
    values: Array,
    columns: Array,
    indptr: Array,
) -> None:
    """Fill in the CSR arrays of some rows of a CSC matrix; `indptr` comes as zeros.

    Columns are gone through from left to right, so the entries of each row come out in order.
    """
    n_rows, first, one = indptr.shape[0] - 1, indices.dtype.type(first_row), indptr.dtype.type(1)
    after = indptr[1:]
    for j in range(starts.shape[0]):
        for e in range(starts[j], stops[j]):
            after[indices[e] - first] += one
    for i in range(n_rows):
        indptr[i + 1] += indptr[i]
    for j in range(starts.shape[0]):
        for e in range(starts[j], stops[j]):
            row = indices[e] - first
            place = indptr[row]
            values[place] = data[e]
            columns[place] = j
            indptr[row] = place + one
    for i in range(n_rows, 0, -1):
        indptr[i] = indptr[i - 1]
    indptr[0] = 0


@exact
def look_up(codes: Array, places: Array, found: Array) -> None:
    """Fill in the place of each code; `found` may be a column of a table."""
    for i in range(codes.shape[0]):
        found[i] = places[codes[i]]


@exact
def standardise(values: Array, shift: float, scale: float, found: Vector) -> None:
    """Fill in (values - shift) / scale; `found` may be a column of a table."""
    for i in range(values.shape[0]):
        found[i] = (values[i] - shift) / scale


@exact
def sort_rows(
    data: Array,
    indices: Array,
    indptr: Array,
    n_features: int,
    values: Array,
    places: Array,
    counts: Array,
) -> bool:
    """Put the entries of each row in the order of their columns; tell whether no two share one.

    Long rows by a radix sort, byte after byte of the index from the lowest. `values` and `places`
    are room for the longest row, `counts` for 257 whole numbers.
    """
    byte, distinct = indices.dtype.type(255), True
    for i in range(indptr.shape[0] - 1):
        start, stop = int(np.int64(indptr[i])), int(np.int64(indptr[i + 1]))
        size = stop - start
        if size <= SHORT_ROW:
            for e in range(start + 1, stop):
                value, column, at = data[e], indices[e], e
                while at > start and indices[at - 1] > column:
                    data[at], indices[at] = data[at - 1], indices[at - 1]
                    at -= 1
                data[at], indices[at] = value, column
        else:
            shift = 0
            while n_features >> shift:
                for e in range(size):
                    places[e], values[e] = indices[start + e], data[start + e]
                counts[:] = 0
                digit = indices.dtype.type(shift)
                for e in range(size):
                    counts[np.int64((places[e] >> digit) & byte) + 1] += 1
                for k in range(256):
                    counts[k + 1] += counts[k]
                for e in range(size):
                    k = int(np.int64((places[e] >> digit) & byte))
                    at = start + int(counts[k])
                    counts[k] += 1
                    data[at], indices[at] = values[e], places[e]
                shift += 8
        for e in range(start + 1, stop):
            distinct = distinct and indices[e - 1] < indices[e]
    return distinct


@exact
def class_scores(
    data: Array, indices: Array, indptr: Array, coef: Array, scores: Array, at: int
) -> None:
    """Put the products of rows with the coefficients of all classes into a table.

    Parameters
    ----------
    data, indices, indptr : ndarray
    coef : ndarray of shape (n_features, columns)
        What a number is multiplied by lies side by side, in columns that are a multiple of four.
    scores : ndarray of shape (n_classes, ...)
        Filled in from column `at` on.
    at : int
    """
    n_classes = scores.shape[0]
    for k in range(0, n_classes, 4):
        last = n_classes - k
        for i in range(indptr.shape[0] - 1):
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
            for e in range(indptr[i], indptr[i + 1]):
                value, row = np.float64(data[e]), coef[indices[e]]
                s0 += value * row[k]
                s1 += value * row[k + 1]
                s2 += value * row[k + 2]
                s3 += value * row[k + 3]
            scores[k, at + i] = s0
            if last > 1:
                scores[k + 1, at + i] = s1
            if last > 2:
                scores[k + 2, at + i] = s2
            if last > 3:
                scores[k + 3, at + i] = s3


@exact
def add_class_pulls(data: Array, indices: Array, indptr: Array, table: Array, total: Array) -> None:
    """Add X^T U to the total, (n_features, columns) as above; `table` holds U, by class."""
    n_classes = table.shape[0]
    for k in range(0, n_classes, 4):
        last = n_classes - k
        for i in range(indptr.shape[0] - 1):
            u0, u1, u2, u3 = table[k, i], 0.0, 0.0, 0.0
            if last > 1:
                u1 = table[k + 1, i]
            if last > 2:
                u2 = table[k + 2, i]
            if last > 3:
                u3 = table[k + 3, i]
            for e in range(indptr[i], indptr[i + 1]):
                value, row = np.float64(data[e]), total[indices[e]]
                row[k] += value * u0
                row[k + 1] += value * u1
                row[k + 2] += value * u2
                row[k + 3] += value * u3
