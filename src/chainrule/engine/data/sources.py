"""Where rows come from: the data in memory, cut into fixed blocks of rows.

A source checks its numbers once, naming the row and the column of what it cannot use, and hands out
float64 blocks. Blocks of another dtype are converted one at a time, never the whole data. SciPy is
imported where data are sparse, so that fits to arrays do not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import cached_property
from threading import local
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray, is_sparse
from chainrule.engine.column_names import ChosenColumns, NumberedColumns
from chainrule.engine.data.block_sizes import common_rows_per_block
from chainrule.engine.data.coded_rows import CodedRows, reserve
from chainrule.engine.data.column_units import (
    FAR,
    FAR_IF_COMPILED,
    middles,
    power_of_two_scale,
)
from chainrule.engine.data.far_columns import ends_of, middles_of_few
from chainrule.engine.data.labels import LabelledRows
from chainrule.engine.data.largest_numbers import largest_numbers
from chainrule.engine.data.rows import RowBlock, stratified_rows
from chainrule.engine.data.unusable import LARGEST
from chainrule.engine.passes.blocks import DenseBlock, MatrixBlock, SparseBlock
from chainrule.engine.passes.fused_blocks import FUSED_FROM, FusedBlock, can_be_fused
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock, rows_per_block
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.data.sparse_rows import Arrays, Turned

_SMALL_BYTES: Final[int] = 2**24
"""Rows in a file of at most this size are held, so that they take the paths of rows in memory."""

_THREAD_BYTES: Final[int] = 2**25
"""Memory of a thread at most: its block of rows, the one read ahead, and selections from them."""


class InMemorySource(LabelledRows):
    """Rows of a NumPy array, a SciPy matrix in CSR or CSC, of codes, or of an array in a file.

    Parameters
    ----------
    X : ndarray, CSR, CSC, CodedRows or StoredArray of shape (n_samples, n_features)
        Any real dtype, any memory order; never written to. Rows in a file are cut into the same
        blocks as rows in memory, so a fit has the same bits.
    y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Targets of a loss of one score; numbers in [0, 1] for two classes;
        class codes 0..n_classes-1 or rows of probabilities for more.
    sample_weight : ndarray of shape (n_samples,), optional
    n_classes : int
        2 for one raw prediction per example, also where targets are not classes.
    column_names : sequence of str, optional
        What errors call the columns.
    row_numbers : ndarray of shape (n_samples,), optional
        What errors call the rows, if not 0, 1, ...
    offset : ndarray of shape (n_samples, n_outputs), optional
        What is added to the raw predictions.
    center : bool
        Whether columns far from zero may be moved there: right where an intercept is fitted.
    n_threads : int
        How many threads look at the numbers, where the passes are compiled.
    compiled : bool, optional
        Whether the passes are compiled; if not given, where it pays and numba is there.

    Attributes
    ----------
    column_maxima : ndarray of shape (n_features,)
        max_i |x_ij|.
    column_bounds : ndarray of shape (n_features,)
        Bounds on the sizes of the numbers that the blocks hold.
    column_shift : ndarray of shape (n_features,)
        The blocks hold (X - column_shift) / column_scale. All zeros unless the values of a column
        lie so close together, far from zero, that the difference is exact (Sterbenz 1974).
    column_scale : ndarray of shape (n_features,)
        All ones unless a column is so large or so small that its
        squares leave the range of float64; always powers of two, so no digit is lost.
    is_moved, is_scaled : bool
        Whether any column is.
    is_dense : bool
    offset : ndarray or None
    n_entries, n_bytes : float
        How many numbers X holds, and the memory of them.
    is_fused : bool
        Whether the passes are compiled and read X in place: large problems.
    """

    def __init__(
        self,
        X: Any,  # noqa: ANN401
        y: npt.NDArray[Any],
        sample_weight: FloatArray | None = None,
        *,
        n_classes: int = 2,
        column_names: Sequence[str] | None = None,
        row_numbers: IntArray | None = None,
        offset: FloatArray | None = None,
        center: bool = False,
        n_threads: int = 1,
        compiled: bool | None = None,
    ) -> None:
        self.n_samples, self.n_features = int(X.shape[0]), int(X.shape[1])
        self.n_classes = n_classes
        self._names = column_names
        if self.n_samples == 0:
            raise DataError("there are no rows to fit: X is empty")
        if is_sparse(X):
            from chainrule.engine.data.sparse_rows import as_rows

            X = as_rows(X, n_threads)
        if isinstance(X, StoredArray) and X.nbytes <= min(_SMALL_BYTES, X.held_bytes):
            X = X[:]
        self._X = X
        self._taken: IntArray | None = None
        self._is_scattered = False
        self._longest_sums: tuple[int, int, int] | None = None
        self._y = y
        self._numbers: tuple[Any, FloatArray] | None = None
        self._weight = sample_weight
        self._row_numbers = row_numbers
        self.offset = offset
        self._working = _THREAD_BYTES * n_threads
        self.reserve_vectors(1)
        self.is_dense = not (is_sparse(X) or isinstance(X, CodedRows))
        self.is_fused = can_be_fused(X, n_classes) if compiled is None else compiled
        self._settle()
        self.column_scale, self.column_shift = np.ones(self.n_features), np.zeros(self.n_features)
        self.is_moved = self.is_scaled = False
        moved = None
        if center and self.is_dense and (self.is_fused or self.n_entries >= FUSED_FROM):
            self.column_maxima = self._largest(n_threads)
            far_from = FAR_IF_COMPILED if self.is_fused else FAR
            moved = middles_of_few(self, self.column_maxima, far_from)
        elif center and self.is_dense:
            low, high = ends_of(self)
            self.column_maxima = np.maximum(np.maximum(-low, high), 0.0)
            if not (self.column_maxima <= LARGEST).all():
                self._largest(1)  # which names the number
            moved = middles(low, high, self.column_maxima)
        else:
            self.column_maxima = self._largest(n_threads)
        self.column_bounds = self.column_maxima
        if moved is not None:
            self.column_shift, self.column_bounds = moved
            self.is_moved = bool(self.column_shift.any())
        scale = power_of_two_scale(self.column_bounds)
        if scale is not None:
            self.column_scale = scale
            self.column_bounds = self.column_bounds / scale
            self.is_scaled = bool((scale != 1).any())
        if self.is_fused and self.is_scaled:
            self.is_fused = False
            self._settle()

    def _settle(self) -> None:
        """Work out what depends on the rows held: their size, and the blocks they are cut into."""
        if self.is_dense:
            self.n_entries, width = float(self.n_samples * self.n_features), self._X.dtype.itemsize
        else:
            width = (
                self._X.dtype.itemsize
                + (np.dtype(np.int32) if self._X.format == "coded" else self._X.indices).itemsize
            )
            self.n_entries = float(self._X.nnz)
        self.n_bytes = max(1.0, self.n_entries * float(width))
        self.rows_per_block = self._rows_per_block()
        self._parts: Turned | CodedRows | None = None
        if isinstance(self._X, CodedRows):
            self._parts = self._X
        elif not self.is_dense and self._X.format == "csc":
            from chainrule.engine.data.sparse_rows import Turned

            self._parts = Turned(self._X, self.rows_per_block)
        self._ones = np.ones(min(self.rows_per_block, self.n_samples))
        self._own = local()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: everything but the room of threads."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_own", "_ones")}

    def __copy__(self) -> InMemorySource:
        found = object.__new__(type(self))
        found.__setstate__(self.__dict__)
        return found

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._own = local()
        if "_ones" not in state:
            self._ones = np.ones(min(self.rows_per_block, self.n_samples))

    def part(self, blocks: range) -> InMemorySource:
        """Return the rows of some blocks, where `can_be_cut`; they stay the same blocks."""
        rows = slice(self.rows(blocks[0]).start, self.rows(blocks[-1]).stop)
        found = copy(self)
        found.n_samples, found._own = rows.stop - rows.start, local()
        if isinstance(self._X, CodedRows):
            found._X = found._parts = self._X.cut(rows)
        elif not self.is_dense:
            from chainrule.engine.data.sparse_rows import rows_of

            found._X = rows_of(self._X, rows)
        else:
            found._X = self._X.part(rows) if self.is_stored else self._X[rows]
            if not self.is_stored and self._X.flags.f_contiguous:
                found._X = np.asfortranarray(found._X)  # so that it keeps its order when it is sent
        found._y = self._y[rows]
        found._weight = None if self._weight is None else self._weight[rows]
        found._row_numbers = None
        found.offset = None if self.offset is None else self.offset[rows]
        return found

    def sample(self, n_rows: int, seed: int) -> InMemorySource:
        """Return some rows as a copy, in their order: one at random of each `n_rows` equal parts.

        Every row is as likely as any other, and no part of the data is missed.
        """
        return self.take_rows(stratified_rows(self.n_samples, n_rows, seed))

    def take_rows(self, rows: IntArray, *, copied: bool = True) -> InMemorySource:
        """Return some rows; their numbers are not checked again.

        Not copied, dense rows are looked up block by block whenever they are read: for few reads
        that takes less time than fresh memory does.
        """
        found = copy(self)
        found.n_samples = len(rows)
        if isinstance(self._X, StoredArray):
            found._X, found._is_scattered = self._X.rows_at(rows), not copied
        elif self.is_dense and not copied and self._X.flags.c_contiguous:
            found._taken = rows if self._taken is None else self._taken[rows]
            found._is_scattered = True
        elif not self.is_dense:
            found._X = self._X[rows]
        else:
            places = rows if self._taken is None else self._taken[rows]
            found._X, found._taken = np.take(self._X, places, axis=0), None
            found._is_scattered = False
        found._y = self._y[rows]
        found._weight = None if self._weight is None else self._weight[rows]
        found._row_numbers = rows if self._row_numbers is None else self._row_numbers[rows]
        found.offset = None if self.offset is None else self.offset[rows]
        found._settle()
        return found

    @property
    def can_be_cut(self) -> bool:
        """Whether `part` works: on arrays, CSR and codes, not on CSC or rows that are looked up."""
        return self._taken is None and (
            self.is_dense or self._parts is None or isinstance(self._X, CodedRows)
        )

    @property
    def can_take_columns(self) -> bool:
        """Whether `take_columns` works: on arrays and CSR, not on codes or rows in files."""
        if self._taken is not None or self.is_stored:
            return False
        return self.is_dense or bool(self._X.format == "csr")

    def take_columns(
        self,
        columns: IntArray,
        turned: Any = None,  # noqa: ANN401
    ) -> InMemorySource:
        """Return some columns as a copy, from X column after column where it is `turned` so.

        Their numbers are not checked again.
        """
        found = copy(self)
        if turned is not None:
            found._X = turned[:, columns].tocsr()
        else:
            found._X = self._columns(columns)
        found.n_features, found._longest_sums = len(columns), None
        found._names = ChosenColumns(self.column_names, columns)
        found.__dict__.pop("column_names", None)
        for name in ("column_scale", "column_shift", "column_maxima", "column_bounds"):
            setattr(found, name, getattr(self, name)[columns])
        found.is_moved = bool(found.column_shift.any())
        found.is_scaled = bool((found.column_scale != 1).any())
        if self.is_fused:
            found.is_fused = can_be_fused(found._X, self.n_classes)
        found._settle()
        return found

    def _columns(self, columns: IntArray) -> Any:  # noqa: ANN401
        if self.is_dense:
            return np.take(self._X, columns, axis=1)
        from chainrule.engine.data.sparse_rows import columns_of

        return columns_of(self._X, columns)

    def turned(self) -> Any:  # noqa: ANN401
        """Return sparse rows column after column, of which some take little time to copy."""
        return None if self.is_dense else self._X.tocsc()

    @property
    def is_coded(self) -> bool:
        """Whether rows are codes, written out for each read."""
        return isinstance(self._X, CodedRows)

    def row_number(self, place: int) -> int:
        """Return what errors call a row."""
        return place if self._row_numbers is None else int(self._row_numbers[place])

    def without_rows(self, X: MatrixBlock) -> InMemorySource:
        """Return everything but the rows, for proofs that do not read them.

        Parameters
        ----------
        X : MatrixBlock
            How the rows were read: it tells the roundings.
        """
        found = copy(self)
        found._X, found._y = None, self._y.copy()
        found._weight = None if self._weight is None else self._weight.copy()
        found._longest_sums = X.longest_row, X.longest_sum, X.longest_sandwich
        return found

    def with_sums_of(self, longest_sums: tuple[int, int, int]) -> InMemorySource:
        """Return the same rows, with bounds of rounding that hold for these sums too."""
        found = copy(self)
        row, total, sandwich = map(max, self.longest_sums, longest_sums)
        found._longest_sums = row, total, sandwich
        return found

    def keep_labels(self) -> None:
        """Keep labels of two classes as floats: for many passes over few entries a row."""
        if self.n_classes == 2 and not self.is_stored:
            self._numbers = self._y, np.asarray(self._y, dtype=np.float64)

    def reserve_vectors(self, count: int) -> None:
        """Leave memory for blocks and vectors over all rows: those given, and `count` more."""
        given = sum(a.nbytes for a in (self._y, self._weight, self.offset) if a is not None)
        reserve(self._X, 8 * count * self.n_samples + given + self._working)

    @property
    def is_stored(self) -> bool:
        """Whether X stays in a file, so that drawing rows costs about a read of it."""
        return isinstance(self._X, StoredArray)

    @property
    def given(self) -> tuple[Any, npt.NDArray[Any], FloatArray | None]:
        """X, y and offset as they were handed over."""
        return self._X, self._y, self.offset

    @property
    def note(self) -> str:
        """How X is read, if not as it is: a phrase for `explain`, or nothing."""
        if isinstance(self._X, CodedRows):
            stay = f"{len(self._X.levels)} categorical columns stay codes"
            return f"{stay}, in files" if self._X.is_stored else stay
        if isinstance(self._X, StoredArray):
            return f"X stays in a file, {self.n_bytes * 1e-6:.4g} MB per read"
        return "" if self._parts is None else "CSC stays as it is, turned into rows block by block"

    @cached_property
    def column_names(self) -> Sequence[str]:
        """Names of the columns in errors."""
        if self._names is not None:
            return [str(name) for name in self._names]
        return NumberedColumns(self.n_features)

    @property
    def longest_sums(self) -> tuple[int, int, int]:
        """How many roundings in a row a raw prediction, a sum over a block, a sandwich take."""
        if self._longest_sums is not None:
            return self._longest_sums
        first = self.matrix(0)
        row = first.longest_row
        if not self.is_dense and not self.is_coded:  # rows of codes are equally long
            row = max(self.matrix(index).longest_row for index in range(self.n_blocks))
        return row, first.longest_sum, first.longest_sandwich

    @property
    def n_blocks(self) -> int:
        """Number of blocks; depends on the shape of the data alone."""
        return -(-self.n_samples // self.rows_per_block)

    def block(self, index: int) -> RowBlock:
        """Return block number `index`."""
        rows, y, sample_weight = self.labels(index)
        offset = 0.0 if self.offset is None else self.offset[rows]
        return RowBlock(rows, self._matrix(rows), y, sample_weight, offset)

    def all_rows(self) -> RowBlock:
        """Return all rows as one block: of few rows, or of an array as it is."""
        rows = slice(0, self.n_samples)
        weight = np.ones(self.n_samples) if self._weight is None else self.weights(rows)
        offset = 0.0 if self.offset is None else self.offset
        return RowBlock(rows, self._matrix(rows), self._labels(rows), weight, offset)

    @property
    def is_one_array(self) -> bool:
        """Whether X is float64 in one piece, row after row, in memory or in a file."""
        X: Any = None if self._taken is not None else self._X
        is_array = isinstance(X, np.ndarray) and X.flags.c_contiguous
        return bool(is_array or isinstance(X, StoredArray)) and X.dtype == np.float64

    def matrix(self, index: int) -> MatrixBlock:
        """Return X of block number `index`."""
        return self._matrix(self.rows(index))

    def matrix_of(self, rows: slice) -> MatrixBlock:
        """Return X of some rows in one piece, where they are not in a file or in columns."""
        return self._matrix(rows)

    def codes(self, index: int) -> tuple[slice, IntArray, FloatArray | None]:
        """Return rows, class codes and sample_weight of block number `index`; None for 1."""
        rows = self.rows(index)
        weight = None if self._weight is None else self._weight[rows].astype(np.float64, copy=False)
        return rows, self._y[rows].astype(np.intp, copy=False), weight

    def labels(self, index: int) -> tuple[slice, FloatArray, FloatArray]:
        """Return rows, y and sample_weight of block number `index`, without touching X."""
        rows = self.rows(index)
        return rows, self._labels(rows), self.weights(rows)

    def rows(self, index: int) -> slice:
        """Return which rows block number `index` holds."""
        start = index * self.rows_per_block
        return slice(start, min(start + self.rows_per_block, self.n_samples))

    def _matrix(self, rows: slice) -> MatrixBlock:
        if not self.is_dense:
            return self._sparse_matrix(rows)
        if self._taken is not None:
            values = self._looked_up(self._taken[rows])
        elif isinstance(self._X, StoredArray):
            values = self._X.view(rows.start, rows.stop)
        else:
            values = self._X[rows]
        if self.is_fused:
            return FusedBlock(values - self.column_shift if self.is_moved else values)
        values = values.astype(np.float64, copy=False)
        if values.itemsize not in values.strides or min(values.strides) < 0:
            values = np.ascontiguousarray(values)  # sums in one order, whatever the strides
        if self.is_moved:
            values = values - self.column_shift
        return DenseBlock(values / self.column_scale if self.is_scaled else values)

    def _looked_up(self, rows: IntArray) -> npt.NDArray[Any]:
        """Return some rows, held until the same thread asks again: fresh memory is dear."""
        if not hasattr(self._own, "room"):
            self._own.room = np.empty((self.rows_per_block, self.n_features), self._X.dtype)
        return np.take(self._X, rows, axis=0, out=self._own.room[: len(rows)], mode="clip")

    def _sparse_matrix(self, rows: slice) -> MatrixBlock:
        data, indices, indptr = self._sparse_rows(rows)
        if self.is_fused:
            return FusedSparseBlock(data, indices, indptr, self.n_features)
        here = slice(int(indptr[0]), int(indptr[-1]))
        indices = indices[here]
        data = data[here].astype(np.float64, copy=False)
        if self.is_scaled:
            data = data / self.column_scale[indices]
        shape = (rows.stop - rows.start, self.n_features)
        from scipy import sparse

        return SparseBlock(sparse.csr_array((data, indices, indptr - indptr[0]), shape=shape))

    def _sparse_rows(self, rows: slice) -> Arrays:
        """Return data and indices, and where some rows lie in them."""
        if self._parts is not None:
            return self._parts.part(rows)
        return self._X.data, self._X.indices, self._X.indptr[rows.start : rows.stop + 1]

    def _rows_per_block(self) -> int:
        if self.is_fused and not self.is_dense:
            outputs = 1 if self.n_classes == 2 else self.n_classes
            return rows_per_block(self.n_samples, self.n_features * outputs, self._X.nnz)
        return common_rows_per_block(
            self.n_samples,
            self.n_features,
            self.n_classes,
            is_dense=self.is_dense,
            is_fused=self.is_fused,
            is_scattered=self._is_scattered,
        )

    def _largest(self, n_threads: int) -> FloatArray:
        return largest_numbers(self, self._X, self._row_numbers, n_threads)
