"""Blocks of sparse rows whose verbs are compiled: parts of one CSR matrix, read in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from chainrule.training.arrays import FloatArray, IntArray
from chainrule.training.blocks import SparseBlock
from chainrule.training.fused_blocks import by_output

ENTRIES_PER_COLUMN: Final[int] = 4
"""Entries that a block has for each column: its sums, one a column, cost little beside them."""


@cache
def _kernels() -> ModuleType:
    from chainrule.training.kernels import fused_sparse

    return fused_sparse


def rows_per_block(n_samples: int, n_features: int, n_entries: int) -> int:
    """Return how many rows make a block of enough entries."""
    wanted = ENTRIES_PER_COLUMN * n_features * n_samples / max(1, n_entries)
    return int(np.clip(2 ** int(np.ceil(np.log2(max(1.0, wanted)))), 1024, 2**20))


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

    def binary_pass(
        self,
        y: FloatArray,
        sample_weight: FloatArray,
        coef: FloatArray,
        intercept: float,
        raw_prediction: FloatArray,
        *,
        with_hessian: bool,
    ) -> tuple[float, FloatArray, float, FloatArray, FloatArray, float]:
        """Do a whole pass of a binary problem: see `kernels.fused_sparse.binary_pass`."""
        answer: tuple[float, FloatArray, float, FloatArray, FloatArray, float] = (
            _kernels().binary_pass(
                *self._rows,
                self.n_features,
                y,
                sample_weight,
                coef,
                float(intercept),
                raw_prediction,
                with_hessian,
            )
        )
        return answer

    def product_pass(
        self, bend: FloatArray, coef: FloatArray, intercept: float
    ) -> tuple[FloatArray, float]:
        """Return X^T u and the sum of u, for u = bend * (X coef + intercept), in one read."""
        answer: tuple[FloatArray, float] = _kernels().product_pass(
            *self._rows, self.n_features, bend, coef, float(intercept)
        )
        return answer

    def matvec(self, V: FloatArray) -> FloatArray:
        """Return X V."""
        return np.asarray(_kernels().matvec(*self._rows, by_output(V))).T

    def rmatvec(self, U: FloatArray) -> FloatArray:
        """Return X^T U."""
        return np.asarray(_kernels().rmatvec(*self._rows, self.n_features, by_output(U))).T

    def sandwich(self, d: FloatArray) -> FloatArray:
        """Return X^T diag(d) X."""
        d = np.ascontiguousarray(d)
        return np.asarray(_kernels().sandwich(*self._rows, self.n_features, d))

    def sandwich_diagonal(self, d: FloatArray) -> FloatArray:
        """Return sum_i d_ik x_ij^2."""
        found = _kernels().sandwich_diagonal(*self._rows, self.n_features, by_output(d))
        return np.asarray(found).T

    def row_sizes(self, V: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return |X| V for V >= 0, and sum_j (weights_j x_ij)^2."""
        product, squares = _kernels().row_sizes(
            *self._rows, by_output(V), np.ascontiguousarray(weights)
        )
        return product.T, squares

    def column_sizes(self, U: FloatArray) -> FloatArray:
        """Return |X|^T U."""
        found = _kernels().column_sizes(*self._rows, self.n_features, by_output(U))
        return np.asarray(found).T

    def column_maxima(self) -> FloatArray:
        """Return max_i |x_ij|."""
        return np.asarray(_kernels().column_maxima(*self._rows, self.n_features))

    def take_columns(self, columns: IntArray) -> SparseBlock:
        """Return X restricted to some columns."""
        return SparseBlock(self._plain().values[:, columns])

    def dense_rows(self) -> Iterator[FloatArray]:
        """Yield X a few rows at a time."""
        return self._plain().dense_rows()

    @property
    def longest_row(self) -> int:
        """How many roundings in a row an entry of X V may take."""
        return self._plain().longest_row

    @property
    def longest_sum(self) -> int:
        """How many roundings in a row a sum over the rows may take."""
        return len(self.indptr) - 1

    @property
    def longest_sandwich(self) -> int:
        """The same for an entry of a sandwich."""
        return self.longest_sum

    @property
    def _rows(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        return self.data, self.indices, self.indptr

    def _plain(self) -> SparseBlock:
        here = slice(int(self.indptr[0]), int(self.indptr[-1]))
        data = self.data[here].astype(np.float64, copy=False)
        parts = (data, self.indices[here], self.indptr - self.indptr[0])
        return SparseBlock(sparse.csr_array(parts, shape=self.shape))
