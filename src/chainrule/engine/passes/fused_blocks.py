"""Blocks of dense rows whose verbs are compiled: X is read once, in place, whatever its layout.

numba enters when the first of these is built, so small problems never wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import class_tables

FUSED_FROM: Final[int] = 2_000_000
"""Entries of dense X from which compiled passes repay loading the compiler's library."""

SPARSE_FROM: Final[int] = 100_000
"""The same of sparse X, whose other passes are slow."""

MOST_ROWS: Final[int] = 512
"""Rows of one inner step at most, in any pass for values and gradients."""

COLUMN_ROWS: Final[int] = 256
"""Rows of one inner step of an array in Fortran order: what is read of a column at a time."""


@cache
def kernels() -> ModuleType | None:
    """Return the compiled kernels, or nothing where numba is not installed."""
    try:
        from chainrule.engine.passes.kernels import fused
    except ImportError:
        return None
    return fused


def can_be_fused(X: Any) -> bool:  # noqa: ANN401
    """Tell whether compiled passes take this matrix as it is, and are worth their start."""
    if X.dtype not in (np.float64, np.float32) or not X.dtype.isnative:
        return False
    if not isinstance(X, np.ndarray):
        return X.nnz >= min(SPARSE_FROM, FUSED_FROM) and kernels() is not None
    if X.size < FUSED_FROM or X.shape[0] < X.shape[1]:
        return False
    if not (X.flags.c_contiguous or X.flags.f_contiguous):
        return False
    return kernels() is not None


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
    from chainrule.engine.passes.kernels import template

    y, weight, offset = (np.ascontiguousarray(vector) for vector in examples)
    total = np.empty(len(coef)) if gradient is None else gradient
    found: tuple[float, float, FloatArray, FloatArray, float] = template.score_pass(
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
        inner,
        with_hessian,
    )
    loss, slope, hessian, border, corner = found
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
    from chainrule.engine.losses import pointwise

    vectors = raw, change, y, sample_weight
    raw, change, y, sample_weight = (np.ascontiguousarray(vector) for vector in vectors)
    found: tuple[float, float, float] = pointwise.line_sums(
        kernel, raw, change, step, y, sample_weight
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
        raw_prediction: FloatArray | None,
    ) -> tuple[float, FloatArray, FloatArray]:
        """Do a whole pass of a softmax problem: see `kernels.fused_softmax.softmax_pass`."""
        from chainrule.engine.passes.kernels import fused_softmax

        raw = np.empty((len(intercept), 0)) if raw_prediction is None else raw_prediction
        loss, gradient, residual = fused_softmax.softmax_pass(
            self.values,
            codes,
            np.ones(len(codes)) if weight is None else weight,
            np.ascontiguousarray(coef),
            intercept,
            raw,
            fused_softmax.inner_rows(self.values.shape[1]),
        )
        return loss, gradient.T, residual

    def product_pass(
        self, bend: FloatArray, coef: FloatArray, intercept: float
    ) -> tuple[FloatArray, float]:
        """Return X^T u and the sum of u, for u = bend * (X coef + intercept), in one read."""
        answer: tuple[FloatArray, float] = self._kernels.product_pass(
            self.values, bend, coef, float(intercept), self._inner
        )
        return answer

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V; with several outputs by BLAS, which then is as fast."""
        if V.shape[1] > 1:
            return (V.T @ self.dense().T).T
        found = self._kernels.matvec(self.values, by_output(V), self._inner)
        return np.asarray(found).T

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U; with several outputs by BLAS, which then is as fast."""
        if U.shape[1] > 1:
            return np.asarray(self.dense().T @ U)
        found = self._kernels.rmatvec(self.values, by_output(U), self._inner)
        return np.asarray(found).T

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X."""
        d = np.ascontiguousarray(d)
        return np.asarray(self._kernels.sandwich(self.values, d, self._inner))

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        found = self._kernels.sandwich_diagonal(self.values, by_output(d), self._inner)
        return np.asarray(found).T

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V for V >= 0, and sum_j (weights_j x_ij)^2."""
        found = [
            self._kernels.row_sizes(self.values, v, weights, self._inner) for v in columns_of(V)
        ]
        return np.stack([product for product, _ in found], axis=1), found[0][1]

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        columns = columns_of(U)
        total: list[FloatArray] = []
        for k in range(0, len(columns), 2):  # two in one read
            pair = columns[k], columns[min(k + 1, len(columns) - 1)]
            total += self._kernels.column_sizes(self.values, *pair, self._inner)
        return np.stack(total[: len(columns)], axis=1)

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        dtype = self.values.dtype
        top = np.zeros(self.values.shape[1], dtype=f"i{dtype.itemsize}")
        self._kernels.column_maxima(self.values, top)
        return np.asarray(top.view(dtype), dtype=np.float64)

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, are whole."""
        from chainrule.engine.passes.kernels import grids

        return bool(grids.are_whole(self.values, factors))

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
        return MOST_ROWS + -(-int(self.values.shape[0]) // self._inner)

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        return max(0, class_tables.PAIR_ROWS - MOST_ROWS) + self.longest_sum

    @property
    def _kernels(self) -> Any:  # noqa: ANN401
        return kernels()

    @property
    def _inner(self) -> int:
        rows = int(self._kernels.inner_rows(self.values.shape[1]))
        return rows if self.values.flags.c_contiguous else max(rows, COLUMN_ROWS)


def by_output(table: FloatArray) -> FloatArray:
    """Return a table of one column an output with one row an output."""
    return np.ascontiguousarray(table.T)


def columns_of(table: FloatArray) -> list[FloatArray]:
    """Return the columns of a table, each in one piece."""
    return [np.ascontiguousarray(table[:, k]) for k in range(table.shape[1])]
