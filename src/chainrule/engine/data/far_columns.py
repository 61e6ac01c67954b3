"""Which columns lie so far from zero, for how little they vary, that they are moved there."""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.column_units import FAR, extremes, middles
from chainrule.engine.passes.blocks import MatrixBlock

_SEEN_AT_ONCE: Final[int] = 2**16
"""Entries of X whose extremes are sought together, in the cache."""

_FIRST: Final[int] = 16
"""Rows by which it is told of most columns that they do not lie far from zero."""


class DenseBlocks(Protocol):
    """Dense rows that are cut into blocks, as `InMemorySource` is."""

    n_features: int

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""

    def matrix(self, index: int) -> MatrixBlock:
        """Return X of a block."""

    def matrix_of(self, rows: slice) -> MatrixBlock:
        """Return X of some rows."""


def middles_of_few(
    source: DenseBlocks, maxima: FloatArray, far_from: float = FAR
) -> tuple[FloatArray, FloatArray] | None:
    """Return what `middles` does, without a look at columns that cannot lie far from zero.

    A column does not where one number is 0, or two have different signs or differ too much.

    Parameters
    ----------
    source : DenseBlocks
    maxima : ndarray of shape (n_features,)
        max_i |x_ij|.
    far_from : float
    """
    first: Any = source.matrix_of(slice(0, _FIRST))
    low, high = first.values.min(axis=0), first.values.max(axis=0)
    columns = np.flatnonzero(((low > 0) | (high < 0)) & (far_from * (high - low) < maxima))
    if not len(columns):
        return None
    found = middles(*ends_of(source, columns), maxima[columns], far_from)
    if found is None:
        return None
    shift, bounds = np.zeros(source.n_features), maxima.copy()
    shift[columns], bounds[columns] = found
    return shift, bounds


def ends_of(
    source: DenseBlocks, columns: IntArray | slice = slice(None)
) -> tuple[FloatArray, FloatArray]:
    """Return the least and the largest number of some columns; NaN where there is one."""
    step, ends = max(256, _SEEN_AT_ONCE // max(1, source.n_features)), []
    for index in range(source.n_blocks):
        dense: Any = source.matrix(index)
        for start in range(0, len(dense.values), step):
            ends.append(extremes(dense.values[start : start + step, columns]))
    if len(ends) == 1:
        return ends[0]
    lows, highs = zip(*ends, strict=True)
    return np.min(lows, axis=0), np.max(highs, axis=0)
