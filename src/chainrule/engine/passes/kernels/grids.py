"""Compiled: whether the numbers of columns are multiples of a unit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact

INNER_ROWS: Final = 256
"""Rows that are looked at column by column, whichever way they lie in memory."""


@exact
def are_whole(X: npt.NDArray[Any], factors: Vector) -> bool:
    """Tell whether all numbers, each times its column's factor, are whole."""
    for start in range(0, X.shape[0], INNER_ROWS):
        stop = min(start + INNER_ROWS, X.shape[0])
        for j in range(X.shape[1]):
            factor, broken = factors[j], 0
            if factor == 0:
                continue
            for i in range(start, stop):
                value = X[i, j] * factor
                # what is so small that the product vanishes is not whole either
                broken += value != np.rint(value) or (value == 0 and X[i, j] != 0)
            if broken:
                return False
    return True
