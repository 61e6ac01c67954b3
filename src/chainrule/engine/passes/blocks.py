"""A matrix is three verbs: matvec, rmatvec and sandwich. Here a dense and a sparse block of rows.

Blocks are small (a few thousand rows), so that what a verb needs beside its input stays small too:
no temporary ever has the size of the whole data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import class_tables

SANDWICH_ROWS: Final[int] = 256
"""Rows per step of a sandwich: bounds both its temporary and its rounding error."""

SUMMED_COLUMNS: Final[int] = 512
"""Columns that a product adds up at a time: bounds its rounding error on wide data."""


class MatrixBlock(Protocol):
    """Some rows of the data matrix X, shape (n_rows, n_features)."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V, shape (n_rows, n_outputs), for V of shape (n_features, n_outputs).

        Best output by output in memory (Fortran order): what is done along the outputs of each row
        then runs over many rows at a time.
        """

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U, shape (n_features, n_outputs), for U of shape (n_rows, n_outputs)."""

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X, shape (n_features, n_features)."""

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return the diagonal of the sandwich for each column of d, (n_features, n_outputs)."""

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V, shape (n_rows, n_outputs), and sum_j (weights_j x_ij)^2, (n_rows,)."""

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U, shape (n_features, n_outputs); with the above, for rounding bounds."""

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|, shape (n_features,); NaN where a value is NaN."""

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, a power of two or 0, are whole."""

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time as dense arrays."""

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""


@dataclass(frozen=True)
class DenseBlock:
    """Rows of a dense array, float64."""

    values: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        n_rows, n_features = self.values.shape
        return n_rows, n_features

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V."""
        n_rows, n_features = self.values.shape
        if n_features <= SUMMED_COLUMNS:
            return (V.T @ self.values.T).T
        total = np.zeros((n_rows, V.shape[1]), order="F")
        for start in range(0, n_features, SUMMED_COLUMNS):
            part = slice(start, start + SUMMED_COLUMNS)
            if V[part].any():  # of an L1 fit, most coefficients are 0
                total += (V[part].T @ self.values[:, part].T).T
        return total

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U."""
        return self.values.T @ U

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X, a few rows at a time."""
        n_features = self.values.shape[1]
        total = np.zeros((n_features, n_features))
        for start in range(0, len(d), SANDWICH_ROWS):
            rows = self.values[start : start + SANDWICH_ROWS]
            total += rows.T @ (d[start : start + SANDWICH_ROWS, None] * rows)
        return total

    def class_pass(
        self,
        codes: IntArray,
        weight: FloatArray | None,
        coef: FloatArray,
        intercept: FloatArray,
        raw: FloatArray | None = None,
        start: int = 0,
    ) -> tuple[float, FloatArray, FloatArray]:
        """Do a whole pass of a softmax problem: see `class_tables.class_pass`."""
        part = None if raw is None else raw[:, start : start + len(codes)]
        return class_tables.class_pass(self.values, codes, weight, coef, intercept, part)

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        return (self.values**2).T @ d

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V and sum_j (weights_j x_ij)^2."""
        return np.abs(self.values) @ V, np.asarray(((self.values * weights) ** 2).sum(axis=1))

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        return np.abs(self.values).T @ U

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        return np.asarray(np.abs(self.values).max(axis=0, initial=0.0))

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, are whole."""
        used = np.flatnonzero(factors)
        return _are_whole(self.values[:, used], factors[used])

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time."""
        step = _few_rows(self.values.shape[1])
        for start in range(0, self.values.shape[0], step):
            yield self.values[start : start + step]

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""
        n_features = int(self.values.shape[1])
        return min(n_features, SUMMED_COLUMNS) + -(-n_features // SUMMED_COLUMNS)

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""
        return int(self.values.shape[0])

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        most = max(SANDWICH_ROWS, class_tables.PAIR_ROWS)
        return most + -(-int(self.values.shape[0]) // SANDWICH_ROWS)


@dataclass(frozen=True)
class SparseBlock:
    """Rows of a SciPy CSR array in canonical form (sorted, no duplicates), float64."""

    values: Any

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        n_rows, n_features = self.values.shape
        return n_rows, n_features

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V."""
        return np.asarray(self.values @ V)

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U."""
        return np.asarray(self.values.T @ U)

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X, a few rows at a time."""
        n_features = self.values.shape[1]
        total = np.zeros((n_features, n_features))
        for start in range(0, len(d), SANDWICH_ROWS):
            rows = self.values[start : start + SANDWICH_ROWS]
            total += (rows.T @ rows.multiply(d[start : start + SANDWICH_ROWS, None])).toarray()
        return total

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        return np.asarray(self.values.multiply(self.values).T @ d)

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V and sum_j (weights_j x_ij)^2."""
        scaled = self.values.multiply(weights[None, :])
        squares = np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel()
        return np.asarray(abs(self.values) @ V), squares

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        return np.asarray(abs(self.values).T @ U)

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        if not self.values.nnz:
            return np.zeros(self.values.shape[1])
        return np.asarray(abs(self.values).max(axis=0).toarray()).ravel()

    def are_whole(self, factors: FloatArray) -> bool:
        """Whether all numbers, each times its column's factor, are whole."""
        factor = factors[self.values.indices]
        used = factor != 0
        return _are_whole(self.values.data[used], factor[used])

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time."""
        step = _few_rows(self.values.shape[1])
        for start in range(0, self.values.shape[0], step):
            yield np.asarray(self.values[start : start + step].toarray())

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""
        return int(np.diff(self.values.indptr).max(initial=0))

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""
        return int(self.values.shape[0])

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        return SANDWICH_ROWS + -(-int(self.values.shape[0]) // SANDWICH_ROWS)


def _are_whole(values: FloatArray, factors: FloatArray) -> bool:
    found = values * factors
    return bool(((found == np.rint(found)) & ((found != 0) | (values == 0))).all())


def tall(pieces: Iterator[FloatArray], n_rows: int) -> Iterator[FloatArray]:
    """Put pieces together until they have so many rows."""
    waiting: list[FloatArray] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(len(rows) for rows in waiting) >= n_rows:
            yield np.vstack(waiting)
            waiting = []
    if waiting:
        yield np.vstack(waiting)


def _few_rows(n_features: int) -> int:
    return max(1, min(SANDWICH_ROWS, 2**22 // max(1, n_features)))
