"""Blocks of sparse rows whose verbs are compiled: parts of one CSR matrix, read in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import class_rows
from chainrule.engine.passes.blocks import SparseBlock
from chainrule.engine.passes.fused_blocks import Sums, by_output, score_pass
from chainrule.engine.runtime.arguments import Pinned
from chainrule.engine.runtime.native import NativeModule

_ACCUMULATORS: Final[int] = 64
_FEW_ACCUMULATORS: Final[int] = 8
_ACCUMULATOR_ENTRIES: Final[int] = 8
_ACCUMULATOR_NUMBERS: Final[int] = 2**22
_ENTRIES: Final[int] = 2**16
_ROWS: Final[int] = 2**18
_FEWEST_ROWS: Final[int] = 1024
_CALL_ENTRIES: Final[int] = 2**14


INNER_ROWS: Final[int] = 256
"""Rows of one inner step, at most: their numbers are used again while they are in the cache."""

INNER_ENTRIES: Final[int] = 2048
"""Entries of one inner step, about: they are read again while they are in the cache."""

_sparse = NativeModule("fused_sparse")


def rows_per_block(n_samples: int, n_features: int, n_entries: int) -> int:
    """Return how many rows make a block.

    Each block has sums of its own, one per column, which are cleared and added up in every pass. So
    blocks are few, as many as threads may want, unless they have many entries for each column; and
    a block takes long enough to be worth a call.
    """
    per_column = n_entries / max(1, n_features)
    accumulators = per_column / _ACCUMULATOR_ENTRIES
    if accumulators < _FEW_ACCUMULATORS:
        accumulators = min(_FEW_ACCUMULATORS, 4 * accumulators)
    accumulators = min(
        accumulators,
        _ACCUMULATORS,
        max(4.0, _ACCUMULATOR_NUMBERS / max(1, n_features)),
        max(4.0, n_entries / _ENTRIES),
    )
    rows = -(-n_samples // max(1, round(accumulators)))
    worth_a_call = -(-_CALL_ENTRIES * n_samples // max(1, n_entries))
    return int(np.clip(rows, min(max(_FEWEST_ROWS, worth_a_call), n_samples), _ROWS))


def fold(
    accumulators: FloatArray,
    start: int,
    stop: int,
    strength: FloatArray,
    coef: FloatArray,
    total: FloatArray,
) -> None:
    """Fill in the sums over all accumulators of some columns: see `kernels.fused_sparse.fold`."""
    _sparse.fold(accumulators, start, stop, strength, coef, total)


def row_splits(
    indices: npt.NDArray[Any], indptr: npt.NDArray[Any], rows: int, starts: npt.NDArray[Any]
) -> None:
    """Fill in where blocks of rows start in each column: see `kernels.fused_sparse.row_splits`."""
    _sparse.row_splits(unsigned(indices), unsigned(indptr), rows, unsigned(starts))


def turned(
    data: npt.NDArray[Any],
    indices: npt.NDArray[Any],
    starts: npt.NDArray[Any],
    stops: npt.NDArray[Any],
    first_row: int,
    values: npt.NDArray[Any],
    columns: npt.NDArray[Any],
    indptr: npt.NDArray[Any],
) -> None:
    """Fill in the CSR arrays of some rows of a CSC matrix: see `kernels.fused_sparse.turned`."""
    places = (unsigned(integers) for integers in (indices, starts, stops))
    _sparse.turned(data, *places, first_row, values, unsigned(columns), unsigned(indptr))


def sort_rows(
    data: npt.NDArray[Any], indices: npt.NDArray[Any], indptr: npt.NDArray[Any], n_features: int
) -> bool:
    """Sort rows in place; tell whether they have no duplicates: see `kernels.fused_sparse`."""
    longest = int(np.diff(indptr).max(initial=0))
    values, places = np.empty(longest, data.dtype), np.empty(longest, indices.dtype)
    room = values, unsigned(places), np.empty(257, np.int64)
    return bool(_sparse.sort_rows(data, unsigned(indices), unsigned(indptr), n_features, *room))


def look_up(codes: npt.NDArray[Any], places: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
    """Fill in the place of each code, compiled."""
    _sparse.look_up(unsigned(codes), places, found)


def standardise(
    values: npt.NDArray[Any], shift: float, scale: float, found: npt.NDArray[np.float64]
) -> None:
    """Fill in (values - shift) / scale, compiled."""
    _sparse.standardise(np.ascontiguousarray(values), float(shift), float(scale), found)


@dataclass(frozen=True)
class FusedSparseBlock:
    """Some rows of a CSR matrix in canonical form (sorted, no duplicates).

    Attributes
    ----------
    data, indices : ndarray of shape (n_entries,)
        Of the whole matrix.
    indptr : ndarray of shape (n_rows + 1,)
        Where these rows begin and end.
    n_features : int
    """

    data: npt.NDArray[Any]
    indices: npt.NDArray[Any]
    indptr: npt.NDArray[Any]
    n_features: int

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        return len(self.indptr) - 1, self.n_features

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
            self._rows,
            (y, sample_weight, offset),
            coef,
            intercept,
            raw_prediction,
            inner=self._inner,
            with_hessian=with_hessian,
        )

    def gradient_pass(
        self,
        kernel: int,
        examples: tuple[FloatArray, FloatArray, FloatArray],
        coef: FloatArray,
        intercept: float,
        raw_prediction: FloatArray,
        bend: FloatArray,
        gradient: FloatArray,
    ) -> tuple[float, float]:
        """Fill in raw predictions, curvatures and X^T residual; return loss and sum of residuals.

        `examples` are y, sample_weight and offset.
        """
        loss, _, slope, *_ = score_pass(
            kernel,
            self._rows,
            examples,
            coef,
            intercept,
            raw_prediction,
            bend,
            gradient,
            inner=self._inner,
        )
        return loss, slope

    def travelling_pass(
        self,
        bend: FloatArray,
        coef: FloatArray,
        intercept: float,
        scores: FloatArray,
        step: float,
        travelled: FloatArray,
        total: FloatArray,
    ) -> float:
        """Multiply by X^T diag(bend) X: see `kernels.fused_sparse.product_pass`."""
        return float(
            _sparse.product_pass(
                *self._rows,
                bend,
                coef,
                float(intercept),
                scores,
                float(step),
                travelled,
                total,
                np.empty(self._inner),
            )
        )

    def diagonal_pass(self, bend: FloatArray, total: FloatArray) -> float:
        """Fill in the diagonal of the sandwich; return the sum of `bend`."""
        return float(_sparse.diagonal_pass(*self._rows, bend, total))

    def product_pass(
        self, bend: FloatArray, coef: FloatArray, intercept: float
    ) -> tuple[FloatArray, float]:
        """Return X^T u and the sum of u, for u = bend * (X coef + intercept), in one read."""
        bend, coef = np.ascontiguousarray(bend), np.ascontiguousarray(coef)
        scores, total = np.zeros(len(bend)), np.empty(self.n_features)
        level = self.travelling_pass(bend, coef, intercept, scores, 0.0, scores.copy(), total)
        return total, level

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
        return class_rows.gradient_pass(self._rows, self.shape, *problem)

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
        return class_rows.product_pass(self._rows, self.shape, *problem)

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V."""
        found = np.empty((V.shape[1], len(self.indptr) - 1))
        _sparse.matvec(*self._rows, by_output(V), found)
        return found.T

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U."""
        found = np.empty((U.shape[1], self.n_features))
        _sparse.rmatvec(*self._rows, by_output(U), found)
        return found.T

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X."""
        found = np.empty((self.n_features, self.n_features))
        _sparse.sandwich(*self._rows, np.ascontiguousarray(d), found)
        return found

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        found = np.empty((d.shape[1], self.n_features))
        _sparse.sandwich_diagonal(*self._rows, by_output(d), found)
        return found.T

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V for V >= 0, and sum_j (weights_j x_ij)^2."""
        n_rows = len(self.indptr) - 1
        product, squares = np.empty((V.shape[1], n_rows)), np.empty(n_rows)
        sizes = np.ascontiguousarray(weights)
        _sparse.row_sizes(*self._rows, by_output(V), sizes, product, squares)
        return product.T, squares

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        found = np.empty((U.shape[1], self.n_features))
        _sparse.column_sizes(*self._rows, by_output(U), found)
        return found.T

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        found = np.empty(self.n_features)
        _sparse.column_maxima(*self._rows, found)
        return found

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, are whole."""
        return self._plain().are_whole(factors)

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time."""
        return self._plain().dense_rows()

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""
        return int(np.diff(self.indptr).max(initial=0))

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""
        return len(self.indptr) - 1

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        return self.longest_sum

    @property
    def places(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Indices and indptr as the kernels take them."""
        return unsigned(self.indices), unsigned(self.indptr)

    @cached_property
    def _inner(self) -> int:
        n_rows, n_entries = len(self.indptr) - 1, int(self.indptr[-1] - self.indptr[0])
        return max(1, min(INNER_ROWS, INNER_ENTRIES * n_rows // max(1, n_entries)))

    @cached_property
    def _rows(self) -> tuple[Pinned, Pinned, Pinned]:
        indices, indptr = self.places
        return Pinned(self.data), Pinned(indices), Pinned(indptr)

    def _plain(self) -> SparseBlock:
        from scipy import sparse

        here = slice(int(self.indptr[0]), int(self.indptr[-1]))
        data = self.data[here].astype(np.float64, copy=False)
        parts = (data, self.indices[here], self.indptr - self.indptr[0])
        return SparseBlock(sparse.csr_array(parts, shape=self.shape))


def unsigned(integers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return whole numbers that are not negative as the kernels take them."""
    return integers.view(np.dtype(f"u{integers.itemsize}"))
