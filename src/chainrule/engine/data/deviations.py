"""Standard deviations of columns, in one read of X."""

from __future__ import annotations

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.runtime.executors import Partial, sum_over_chunks


def standard_deviations(source: InMemorySource) -> FloatArray:
    """Return the weighted standard deviation of each column, divided by the sum of the weights.

    In the units of the data; 1 for a column that is constant.
    """

    def one(index: int) -> Partial:
        block = source.block(index)
        weight = block.sample_weight[:, None]
        return block.X.rmatvec(weight)[:, 0], block.X.sandwich_diagonal(weight)[:, 0]

    first, second = sum_over_chunks(one, source.n_blocks)
    mean = first / source.total_weight
    variance = np.maximum(second / source.total_weight - mean * mean, 0.0)
    # below this, the difference is rounding
    constant = variance <= 1e-14 * (second / source.total_weight)
    return np.where(constant, 1.0, np.sqrt(variance)) * source.column_scale
