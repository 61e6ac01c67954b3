"""Standard deviations of columns, in one read of X, or in two where columns are far from 0."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.column_names import quoted
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.data.unusable import LARGEST
from chainrule.engine.runtime.executors import Partial, sum_over_chunks
from chainrule.errors import DataError

_FAR: Final[float] = 1e-4
"""The share of the mean square below which a variance has lost digits to the mean."""

_ROUNDED: Final[float] = 1e-14
"""The share of it below which the variance is rounding."""


def standard_deviations(source: InMemorySource) -> FloatArray:
    """Return the weighted standard deviation of each column, divided by the sum of the weights.

    In the units of the data; 1 for a column that is constant.

    Raises
    ------
    DataError
        If a column varies by so little that squares of its deviation underflow.
    """

    def one(index: int) -> Partial:
        block = source.block(index)
        weight = block.sample_weight[:, None]
        return block.X.rmatvec(weight)[:, 0], block.X.sandwich_diagonal(weight)[:, 0]

    mean, square, variance = _moments(source, *sum_over_chunks(one, source.n_blocks))
    far = np.flatnonzero((variance <= _FAR * square) & (square > 0))
    middle = mean[far]

    def about_mean(index: int) -> Partial:
        block, start = source.block(index), 0
        first, second = np.zeros(len(far)), np.zeros(len(far))
        for rows in block.X.dense_rows():
            weight = block.sample_weight[start : start + len(rows)]
            away = rows[:, far] - middle
            first += weight @ away
            second += weight @ (away * away)
            start += len(rows)
        return first, second

    if len(far):
        sums = sum_over_chunks(about_mean, source.n_blocks)
        _, square[far], variance[far] = _moments(source, *sums)
    constant = variance <= _ROUNDED * square
    found = np.where(constant, 1.0, np.sqrt(variance) * source.column_scale)
    if (found < 1 / LARGEST).any():
        j = int(np.argmin(found))
        raise DataError(
            f"Input X varies by less than {1 / LARGEST:g} in {quoted(source.column_names, j)}, by "
            f"{found[j]:.2g}: a penalty on that scale underflows when squared. Rescale the column."
        )
    return found


def _moments(
    source: InMemorySource, first: FloatArray, second: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean, mean square and variance from weighted sums and sums of squares."""
    mean, square = first / source.total_weight, second / source.total_weight
    return mean, square, np.maximum(square - mean * mean, 0.0)
