"""Blocks of dense rows whose verbs are compiled: X is read once, in place, whatever its layout.

Machine code is loaded when the first of these is used; numba only where there is none yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import class_rows, class_tables
from chainrule.engine.runtime.native import NativeModule, can_compile
from chainrule.engine.runtime.stored_arrays import StoredArray

FUSED_FROM: Final[int] = 100_000
"""Entries of X from which compiled passes repay compiling them."""

AT_HAND_FROM: Final[int] = 2_000
"""Entries of sparse X from which compiled passes repay loading them, where they are kept on disk.

SciPy's products build a matrix for every block, which takes longer than the arithmetic of a small
one.
"""

MOST_ROWS: Final[int] = class_rows.MOST_ROWS
"""Rows of one inner step at most, in any pass for values and gradients."""

COLUMN_ROWS: Final[int] = 256
"""Rows of one inner step of an array in Fortran order: what is read of a column at a time."""


INNER_BYTES: Final[int] = 2**18
"""What the rows of one inner step occupy: a part of the L2 cache."""

LINE: Final[int] = 256
"""Examples that are worked on at a time where X is not read."""

_dense = NativeModule("fused")
_template = NativeModule("template")
_grids = NativeModule("grids")
_pointwise = NativeModule("chainrule.engine.losses.pointwise")


def inner_rows(n_features: int) -> int:
    """Return how many rows a pass works on at a time; every sum is first taken over these."""
    return int(min(max(INNER_BYTES // (8 * max(1, n_features)), 16), MOST_ROWS)) // 8 * 8


def can_be_fused(X: Any, n_classes: int = 2) -> bool:  # noqa: ANN401
    """Tell whether compiled passes take this matrix as it is, and are worth their start."""
    if X.dtype not in (np.float64, np.float32) or not X.dtype.isnative:
        return False
    if not isinstance(X, np.ndarray | StoredArray):
        if X.nnz >= FUSED_FROM:
            return can_compile()
        is_small = X.nnz < AT_HAND_FROM or X.format == "coded"
        return not is_small and can_compile() and sparse_pass_is_at_hand(X.dtype.char)
    if X.size < FUSED_FROM or (n_classes == 2 and X.shape[0] < X.shape[1]):
        return False
    if isinstance(X, np.ndarray) and not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return can_compile()


@cache
def sparse_pass_is_at_hand(dtype: str) -> bool:
    """Tell whether passes over sparse rows are loaded, or kept on disk by an earlier process.

    The answer holds for as long as the process lives, so that equal data get equal bits.
    """
    places = np.zeros(1, np.uint32)
    one, table, rows = np.zeros(1), np.zeros((1, 1)), (np.zeros(1, dtype), places, places)
    vectors = 0, rows, one, one, one, one, 0.0, one, one, one, table, one, table, table
    return bool(_template.score_pass.is_at_hand(*vectors))


Sums = tuple[float, FloatArray, float, FloatArray, FloatArray, float]
"""Loss, X^T residual, sum of residuals; and X^T diag(h) X, X^T h and the sum of h, if asked for."""

NOTHING: Final[FloatArray] = np.empty(0)


def score_pass(
    kernel: int,
    X: Any,  # noqa: ANN401
    examples: tuple[FloatArray, FloatArray, FloatArray],
    coef: FloatArray,
    intercept: float,
    raw_prediction: FloatArray,
    curvatures: FloatArray = NOTHING,
    gradient: FloatArray | None = None,
    *,
    inner: int,
    with_hessian: bool = False,
) -> Sums:
    """Do a whole pass over rows of any kind: see `kernels.template.score_pass`.

    `examples` are y, sample_weight and offset.
    """
    y, weight, offset = (np.ascontiguousarray(vector) for vector in examples)
    n_features = len(coef)
    total = np.empty(n_features) if gradient is None else gradient
    size = n_features if with_hessian else 0
    hessian, border = np.empty((size, size)), np.empty(size)
    loss, slope, corner = _template.score_pass(
        kernel,
        X,
        y,
        weight,
        offset,
        coef,
        float(intercept),
        raw_prediction,
        curvatures,
        total,
        hessian,
        border,
        np.empty((5 + inner if with_hessian else 1, n_features)),
        np.empty((3, inner)),
    )
    return loss, total, slope, hessian, border, corner


def line_sums(
    kernel: int,
    raw: FloatArray,
    change: FloatArray,
    step: float,
    y: FloatArray,
    sample_weight: FloatArray,
) -> tuple[float, float, float]:
    """Return the loss at raw + step * change and its derivatives w.r.t. the step, compiled."""
    vectors = raw, change, y, sample_weight
    raw, change, y, sample_weight = (np.ascontiguousarray(vector) for vector in vectors)
    found: tuple[float, float, float] = _pointwise.line_sums(
        kernel, raw, change, float(step), y, sample_weight, np.empty((4, LINE))
    )
    return found


@dataclass(frozen=True)
class FusedBlock:
    """Rows of a dense array, float64 or float32, in C or Fortran order."""

    values: npt.NDArray[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        n_rows, n_features = self.values.shape
        return n_rows, n_features

    def score_pass(
        self,
        kernel: int,
        y: FloatArray,
        sample_weight: FloatArray,
        offset: FloatArray,
        coef: FloatArray,
        intercept: float,
        raw_prediction: FloatArray,
        *,
        with_hessian: bool,
    ) -> Sums:
        """Do a whole pass for a loss of one score: see `kernels.template.score_pass`."""
        return score_pass(
            kernel,
            self.values,
            (y, sample_weight, offset),
            coef,
            intercept,
            raw_prediction,
            inner=self._inner,
            with_hessian=with_hessian,
        )

    def class_pass(
        self,
        codes: IntArray,
        weight: FloatArray | None,
        coef: FloatArray,
        intercept: FloatArray,
        raw: FloatArray | None = None,
        start: int = 0,
    ) -> tuple[float, FloatArray, FloatArray]:
        """Do a whole pass of a softmax problem: see `class_rows.gradient_pass`."""
        problem = codes, weight, coef, intercept, raw, start
        return class_rows.gradient_pass(self.values, self.shape, *problem)

    def class_product(
        self,
        proba: FloatArray,
        start: int,
        weight: FloatArray,
        coef: FloatArray,
        intercept: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Multiply by the Hessian of a softmax problem: see `class_rows.product_pass`."""
        problem = proba, start, weight, coef, intercept
        return class_rows.product_pass(self.values, self.shape, *problem)

    def product_pass(
        self, bend: FloatArray, coef: FloatArray, intercept: float
    ) -> tuple[FloatArray, float]:
        """Return X^T u and the sum of u, for u = bend * (X coef + intercept), in one read."""
        n_features = self.values.shape[1]
        bend, coef = np.ascontiguousarray(bend), np.ascontiguousarray(coef)
        total, pull = np.empty(n_features), np.empty(self._inner)
        level = _dense.product_pass(
            self.values, bend, coef, float(intercept), pull, np.empty(n_features), total
        )
        return total, level

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V; with several outputs by BLAS, which then is as fast."""
        if V.shape[1] > 1:
            return (V.T @ self.dense().T).T
        found = np.empty((V.shape[1], len(self.values)))
        _dense.matvec(self.values, by_output(V), self._inner, found)
        return found.T

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U; with several outputs by BLAS, which then is as fast."""
        if U.shape[1] > 1:
            return np.asarray(self.dense().T @ U)
        n_features = self.values.shape[1]
        found = np.empty((U.shape[1], n_features))
        _dense.rmatvec(self.values, by_output(U), self._inner, np.empty(n_features), found)
        return found.T

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X."""
        n_features = self.values.shape[1]
        found, panel = np.empty((n_features, n_features)), np.empty((4, n_features))
        _dense.sandwich(self.values, np.ascontiguousarray(d), panel, self._buffer(), found)
        return found

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        n_features = self.values.shape[1]
        found, part = np.empty((d.shape[1], n_features)), np.empty(n_features)
        _dense.sandwich_diagonal(self.values, by_output(d), part, self._buffer(), found)
        return found.T

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V for V >= 0, and sum_j (weights_j x_ij)^2."""
        weights, buffer = np.ascontiguousarray(weights), self._buffer()
        product, squares = np.empty((V.shape[1], len(self.values))), np.empty(len(self.values))
        for k, v in enumerate(columns_of(V)):
            _dense.row_sizes(self.values, v, weights, buffer, product[k], squares)
        return product.T, squares

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        columns, n_features = columns_of(U), self.values.shape[1]
        total, parts = np.empty((len(columns) + 1, n_features)), np.empty((2, n_features))
        for k in range(0, len(columns), 2):  # two in one read
            pair = columns[k], columns[min(k + 1, len(columns) - 1)]
            sums = total[k], total[k + 1]
            _dense.column_sizes(self.values, *pair, parts, self._buffer(), *sums)
        return total[: len(columns)].T

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        dtype = self.values.dtype
        top = np.zeros(self.values.shape[1], dtype=f"i{dtype.itemsize}")
        _dense.column_maxima(self.values, top)
        return np.asarray(top.view(dtype), dtype=np.float64)

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, are whole."""
        return bool(_grids.are_whole(self.values, np.ascontiguousarray(factors)))

    def dense(self) -> FloatArray:
        """Return X as float64, a copy only where it has to be."""
        return self.values.astype(np.float64, copy=False)

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time."""
        for start in range(0, self.values.shape[0], 256):
            yield self.values[start : start + 256].astype(np.float64, copy=False)

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""
        return int(self.values.shape[1])

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""
        n_rows = int(self.values.shape[0])
        return min(MOST_ROWS, n_rows) + -(-n_rows // self._inner)

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        return max(0, class_tables.PAIR_ROWS - MOST_ROWS) + self.longest_sum

    def _buffer(self) -> FloatArray:
        """Return room for the rows of one inner step, of which some kinds are copied."""
        return np.empty((self._inner, self.values.shape[1]))

    @property
    def _inner(self) -> int:
        rows = inner_rows(self.values.shape[1])
        return rows if self.values.flags.c_contiguous else max(rows, COLUMN_ROWS)


def by_output(table: FloatArray) -> FloatArray:
    """Return a table of one column an output with one row an output."""
    return np.ascontiguousarray(table.T)


def columns_of(table: FloatArray) -> list[FloatArray]:
    """Return the columns of a table, each in one piece."""
    return [np.ascontiguousarray(table[:, k]) for k in range(table.shape[1])]
