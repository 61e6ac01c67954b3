"""Numbers of X that no fit can use, and the error that names one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.column_names import quoted
from chainrule.engine.data.rows import RowBlock
from chainrule.errors import DataError

LARGEST: Final[float] = 1e150
"""Values beyond this overflow when squared; a source refuses them and names the column."""


def refuse_numbers(
    block: RowBlock, top: FloatArray, names: Sequence[str], row_numbers: IntArray | None
) -> None:
    """Raise DataError for a number of a block that cannot be used.

    Parameters
    ----------
    block : RowBlock
    top : ndarray of shape (n_features,)
        The largest sizes in its columns.
    names : sequence of str
        Of the columns.
    row_numbers : ndarray of shape (n_samples,), optional
        What errors call the rows, if not 0, 1, ...
    """
    is_bad: Callable[[FloatArray], Any]
    if np.isnan(top).any():
        reason, is_bad = "contains NaN", np.isnan
    elif np.isinf(top).any():
        reason, is_bad = "contains inf", np.isinf
    else:
        reason = f"reaches beyond {LARGEST:g}, where squares overflow; rescale it: value"
        is_bad = lambda values: np.abs(values) > LARGEST  # noqa: E731
    start = block.rows.start
    for rows in block.X.dense_rows():
        bad = np.argwhere(is_bad(rows))
        if len(bad):
            i, j = (int(index) for index in bad[0])
            number = start + i if row_numbers is None else int(row_numbers[start + i])
            raise DataError(f"Input X {reason} ({rows[i, j]}) in row {number}, {quoted(names, j)}")
        start += len(rows)
