"""Encoding rows of a table as numbers and codes: a category with many levels takes a byte or two.

The engine writes out a block of such rows at a time as the sparse rows that they mean, with the
same numbers as `encode` has, so a fit has the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.data.coded_rows import UNKNOWN, CodedColumn, CodedRows
from chainrule.engine.passes.fused_blocks import FUSED_FROM
from chainrule.tables.encoding import (
    EncodedRows,
    Matrix,
    Sink,
    encode,
    encode_columns,
    entries_per_row,
    is_sparse_for,
)
from chainrule.tables.specs import CategorySpec, NumberSpec, Spec, features
from chainrule.tables.stored_table import StoredTable
from chainrule.tables.table import INTEGERS, NumberColumn, Table


def encode_for_fit(specs: tuple[Spec, ...], table: Table) -> EncodedRows:
    """Return the rows of a fit: codes where `encode` has many sparse rows, all in memory.

    Of few rows the engine would write out codes more often than it reads sparse rows.
    """
    is_small = table.n_rows * entries_per_row(specs) < FUSED_FROM
    if is_small or isinstance(table, StoredTable) or not is_sparse_for(specs, table.n_rows):
        return encode(specs, table)
    usable, sink = np.ones(table.n_rows, dtype=np.bool_), _Codes(specs)
    encode_columns(specs, table, sink, usable, blank=False)
    return EncodedRows(CodedRows(sink.columns), usable)


def written_out(X: Matrix | CodedRows) -> Matrix:
    """Return encoded rows as an array, a sparse matrix, or an array in a file."""
    if not isinstance(X, CodedRows):
        return X
    from scipy import sparse

    data, indices, _ = X.part(slice(0, X.shape[0]))
    width = len(X.columns)
    ends = np.arange(0, X.shape[0] * width + 1, width)
    return sparse.csr_matrix((data, indices, ends), shape=X.shape)


class _Codes(Sink):
    """Takes encoded columns: numbers as they are stored, and levels as codes."""

    def __init__(self, specs: tuple[Spec, ...]) -> None:
        self.columns: list[CodedColumn] = []
        self._at: dict[int, CategorySpec] = {}
        place = 0
        for spec in specs:
            if isinstance(spec, CategorySpec):
                self._at[place] = spec
            place += len(features((spec,)))

    def take_stored(self, spec: NumberSpec, column: NumberColumn) -> bool:
        """Take a column whose numbers are finite in the units of the fit."""
        ends = float(column.stored.min()), float(column.stored.max())
        if not all(np.isfinite((end - spec.mean) / spec.scale) for end in ends):
            return False
        self.columns.append(
            CodedColumn(spec.name, column.stored, shift=spec.mean, scale=spec.scale)
        )
        return True

    def add_numbers(self, values: NDArray[np.float64], place: int) -> None:
        """Take one number per row."""
        self.columns.append(CodedColumn(f"feature {place}", values))

    def add_levels(self, places: NDArray[np.int64], first: int) -> None:
        """Take the place of each row's level; the base, which has no feature, is the last code."""
        spec = self._at[first]
        n_levels = len(spec.others)
        dtype = next(kind for kind in INTEGERS if n_levels <= np.iinfo(kind).max)
        codes = np.where(places >= 0, places - first, n_levels).astype(dtype)
        meant = np.append(np.arange(n_levels, dtype=np.int32), np.int32(UNKNOWN))
        self.columns.append(CodedColumn(spec.name, codes, np.array(spec.others), meant))
