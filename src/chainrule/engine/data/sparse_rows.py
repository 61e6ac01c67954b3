"""Sparse data of any format as rows: sorted, without duplicates, and without a copy if large.

CSR in order is read where it is. CSC is turned into CSR at once where that takes little memory;
larger ones stay, and each block of rows is turned when it is read. The rows are the same, entry by
entry, so a fit has the same bits either way.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from chainrule.engine.passes.fused_blocks import can_be_fused
from chainrule.engine.passes.fused_sparse_blocks import row_splits, sort_rows, turned
from chainrule.engine.runtime.executors import map_in_order

TURNED_BYTES: Final[int] = 2**27
"""CSC data of up to this size are turned into CSR as a whole: a copy within the room of a fit."""

_PIECES: Final[int] = 32

Arrays = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


def as_rows(X: Any, n_threads: int) -> Any:  # noqa: ANN401
    """Return sparse data as CSR, or as CSC if large: in order, without duplicates.

    What comes in order is not copied, and nothing is changed in place.
    """
    if X.format == "csc" and _bytes(X) > TURNED_BYTES:
        X = sparse.csc_array(X)
        return X if X.has_canonical_format else _summed(X)
    X = _narrow(sparse.csr_array(X))
    if X.has_canonical_format:
        return X
    return _in_order(X, n_threads)


class Turned:
    """A CSC matrix in order, its rows handed out block by block as CSR.

    Parameters
    ----------
    X : CSC matrix
    rows_per_block : int
    """

    def __init__(self, X: Any, rows_per_block: int) -> None:  # noqa: ANN401
        self._X = X
        self._rows = rows_per_block
        n_blocks = -(-X.shape[0] // rows_per_block)
        self._starts = np.empty((n_blocks + 1, X.shape[1]), dtype=X.indptr.dtype)
        row_splits(X.indices, X.indptr, rows_per_block, self._starts)

    def part(self, rows: slice) -> Arrays:
        """Return data, indices and indptr of a block of rows."""
        index, n_rows = rows.start // self._rows, rows.stop - rows.start
        starts, stops = self._starts[index], self._starts[index + 1]
        size = int((stops - starts).sum())
        values = np.empty(size, dtype=self._X.dtype)
        columns = np.empty(size, dtype=self._X.indices.dtype)
        indptr = np.zeros(n_rows + 1, dtype=self._X.indptr.dtype)
        turned(
            self._X.data,
            self._X.indices,
            starts,
            stops,
            index * self._rows,
            values,
            columns,
            indptr,
        )
        return values, columns, indptr


def _narrow(X: Any) -> Any:  # noqa: ANN401
    """Return a CSR matrix with indices of four bytes where it is small enough to copy them."""
    if X.indices.itemsize == 4 or max(X.nnz, *X.shape) >= 2**31 or _bytes(X) > TURNED_BYTES:
        return X
    parts = X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return sparse.csr_array(parts, shape=X.shape, copy=False)


def _bytes(X: Any) -> int:  # noqa: ANN401
    return int(X.nnz * (X.dtype.itemsize + X.indices.itemsize))


def _summed(X: Any) -> Any:  # noqa: ANN401
    X = X.copy()
    X.sum_duplicates()
    return X


def _in_order(X: Any, n_threads: int) -> Any:  # noqa: ANN401
    """Return a CSR matrix with the entries of each row in order, by several threads at once."""
    data, indices, compiled = X.data.copy(), X.indices.copy(), can_be_fused(X)

    def one(piece: int) -> bool:
        first, last = X.shape[0] * piece // _PIECES, X.shape[0] * (piece + 1) // _PIECES
        if compiled:
            return sort_rows(data, indices, X.indptr[first : last + 1], X.shape[1])
        entries = slice(int(X.indptr[first]), int(X.indptr[last]))
        indptr = X.indptr[first : last + 1] - X.indptr[first]
        parts = (data[entries], indices[entries], indptr)
        rows = sparse.csr_array(parts, shape=(last - first, X.shape[1]), copy=False)
        rows.has_sorted_indices = False
        rows.sort_indices()
        data[entries], indices[entries] = rows.data, rows.indices
        return bool(rows.has_canonical_format)

    in_order = all(list(map_in_order(one, _PIECES, n_threads)))
    found = sparse.csr_array((data, indices, X.indptr), shape=X.shape, copy=False)
    if not in_order:
        return _summed(found)
    found.has_canonical_format = True
    return found


def columns_of(X: Any, columns: npt.NDArray[Any]) -> Any:  # noqa: ANN401
    """Return some columns, in ascending order, of a CSR matrix in order."""
    places = np.full(X.shape[1], -1, dtype=X.indices.dtype)
    places[columns] = np.arange(len(columns))
    place = places[X.indices]
    kept = np.flatnonzero(place >= 0)
    ends = np.searchsorted(kept, X.indptr).astype(X.indptr.dtype)
    shape = X.shape[0], len(columns)
    found = sparse.csr_array((X.data[kept], place[kept], ends), shape=shape, copy=False)
    found.has_canonical_format = True
    return found


def rows_of(X: Any, rows: slice) -> Any:  # noqa: ANN401
    """Return some rows of a CSR matrix in one piece, without a copy of its entries."""
    indptr = X.indptr[rows.start : rows.stop + 1]
    entries = slice(int(indptr[0]), int(indptr[-1]))
    arrays = X.data[entries], X.indices[entries], indptr - indptr[0]
    found = sparse.csr_array(arrays, shape=(len(indptr) - 1, X.shape[1]), copy=False)
    return found
