"""The largest number of each column, and the first sample: what one read of all rows tells.

That read checks the numbers. Rows in files that are to be sampled are drawn in the same read, as
drawing a sixteenth of the rows of a file takes as long as reading it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.rows import LARGEST_SAMPLE, RowBlock, largest_sample
from chainrule.engine.data.unusable import LARGEST, refuse_numbers
from chainrule.engine.passes.blocks import DenseBlock, MatrixBlock
from chainrule.engine.passes.fused_blocks import FUSED_FROM, FusedBlock
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.native import can_compile
from chainrule.engine.runtime.stored_arrays import Append, StoredArray
from chainrule.engine.runtime.workers import current_cluster

_ROWS_PER_COLUMN = 20
"""Rows of a sample for each column from which it is drawn; solvers ask for more of their own."""


class Blocks(Protocol):
    """Rows that are cut into blocks, as `InMemorySource` is."""

    n_samples: int
    n_features: int
    rows_per_block: int
    is_fused: bool

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""

    @property
    def column_names(self) -> Sequence[str]:
        """Names of the columns in errors."""

    def rows(self, index: int) -> slice:
        """Return which rows a block holds."""

    def matrix(self, index: int) -> MatrixBlock:
        """Return X of a block."""

    def block(self, index: int) -> RowBlock:
        """Return a block."""


def largest_numbers(
    source: Blocks,
    X: Any,  # noqa: ANN401
    row_numbers: IntArray | None,
    n_threads: int,
) -> FloatArray:
    """Return max_i |x_ij| of each column.

    Parameters
    ----------
    source : Blocks
    X : ndarray, CSR, CSC, CodedRows or StoredArray
        Its rows.
    row_numbers : ndarray or None
        What errors call them.
    n_threads : int

    Raises
    ------
    DataError
        When a number cannot be used: it is NaN, infinite or too large.
    """
    known = X.column_maxima if isinstance(X, StoredArray) else None
    if known is not None and (known <= LARGEST).all():
        return np.asarray(known)
    largest = np.zeros(source.n_features)
    cluster = current_cluster()
    if cluster is not None and isinstance(X, StoredArray):
        found = cluster.map(X, X.parts, _maxima_of, source.rows_per_block, source.is_fused)
        largest = np.asarray(np.max(found, axis=0))
        if (largest <= LARGEST).all():
            return largest  # else the number is found here, row by row
    with _drawing(source, X) as (rows, append):
        tops = map_in_order(
            partial(_seen, source, rows, _is_read_compiled(source, X)),
            source.n_blocks,
            n_threads if source.is_fused or _is_read_compiled(source, X) else 1,
        )
        for index, (top, drawn) in enumerate(tops):
            if not (top <= LARGEST).all():
                refuse_numbers(source.block(index), top, source.column_names, row_numbers)
            np.maximum(largest, top, out=largest)
            if drawn is not None:
                append(drawn)
    return largest


@contextmanager
def _drawing(source: Blocks, X: Any) -> Iterator[tuple[IntArray | None, Append]]:  # noqa: ANN401
    """Begin the sample of rows in a file, where solvers may ask for it: its rows, and a writer."""
    least = LARGEST_SAMPLE * _ROWS_PER_COLUMN * source.n_features
    if not (isinstance(X, StoredArray) and source.is_fused and source.n_samples >= least):
        yield None, _no_rows
        return
    rows = largest_sample(source.n_samples)
    with X.drawing(rows) as append:
        yield rows, append


def _no_rows(rows: npt.NDArray[Any]) -> None:
    """Take rows that nobody drew."""


def _is_read_compiled(source: Blocks, X: Any) -> bool:  # noqa: ANN401
    """Tell whether a compiled pass seeks the maxima of rows that are too wide for the others."""
    if source.is_fused or not isinstance(X, np.ndarray) or X.size < FUSED_FROM:
        return False
    in_one_piece = X.flags.c_contiguous or X.flags.f_contiguous
    return bool(in_one_piece and can_compile())


def _seen(
    source: Blocks, rows: IntArray | None, compiled: bool, index: int
) -> tuple[FloatArray, npt.NDArray[Any] | None]:
    """Return the largest numbers of a block, and those of its rows that are drawn."""
    block = source.matrix(index)
    if compiled and isinstance(block, DenseBlock):
        return FusedBlock(block.values).column_maxima(), None
    top = block.column_maxima()
    if rows is None or not isinstance(block, FusedBlock):
        return top, None
    here = source.rows(index)
    first, end = np.searchsorted(rows, [here.start, here.stop])
    return top, block.values[rows[first:end] - here.start]


def _maxima_of(part: StoredArray, step: int, is_fused: bool) -> FloatArray:
    """Return max_i |x_ij| of some rows, read `step` of them at a time."""
    kind = FusedBlock if is_fused else DenseBlock
    tops = [kind(part[k : k + step]).column_maxima() for k in range(0, len(part), step)]
    return np.asarray(np.max(tops, axis=0))
