"""The shift and the scale of each column: exact ones, so that numbers keep all digits."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray

_COMMON_EXPONENT: Final[int] = 100
_COMMON: Final[float] = 2.0**_COMMON_EXPONENT
_DEEPEST_EXPONENT: Final[int] = 500
FAR: Final[float] = 4.0
"""How many times as far from zero as its numbers are apart a column lies that is moved."""

FAR_IF_COMPILED: Final[float] = 1000.0
"""The same where passes are compiled, which take up to twice as long over moved columns: a column
of years stays where it is, and loses three digits of sixteen."""

_FOLDED: Final[int] = 8
_FOLDED_FROM: Final[int] = 256
"""Rows from which folding them takes less time than it saves."""

_SHORT: Final[int] = 128


def extremes(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the least and the largest number of each column of some rows.

    NumPy takes a step a row, however short; several short rows are one long row first.
    """
    n_rows, n_features = rows.shape
    whole = n_rows // _FOLDED * _FOLDED
    if n_rows < _FOLDED_FROM or not (rows.flags.c_contiguous and n_features <= _SHORT):
        return rows.min(axis=0), rows.max(axis=0)
    long = rows[:whole].reshape(-1, _FOLDED * n_features)
    least = long.min(axis=0).reshape(_FOLDED, n_features).min(axis=0)
    most = long.max(axis=0).reshape(_FOLDED, n_features).max(axis=0)
    for row in rows[whole:]:
        least, most = np.minimum(least, row), np.maximum(most, row)
    return least, most


def middles(
    low: FloatArray, high: FloatArray, maxima: FloatArray, far_from: float = FAR
) -> tuple[FloatArray, FloatArray] | None:
    """Return where columns that lie far from zero are moved from, and how far they reach.

    None where no column does: its middle is not `far_from` times as far as its numbers are apart.
    """
    middle = low + (high - low) / 2
    far = np.abs(middle) > far_from * (high - low)
    if not far.any():
        return None
    with np.errstate(divide="ignore"):  # a round number, so that relations stay simple
        grid = np.exp2(np.floor(np.log2(high - low)))
    middle = np.where(grid > 0, np.round(middle / np.where(grid > 0, grid, 1.0)) * grid, middle)
    return np.where(far, middle, 0.0), np.where(far, high - low, maxima)


def power_of_two_scale(largest: FloatArray) -> FloatArray | None:
    """Return what to divide columns by, from their largest numbers; None but for wild units."""
    least = largest.min(initial=1.0)
    if not least > 0:
        least = largest[largest > 0].min(initial=1.0)
    if least >= 1 / _COMMON and largest.max(initial=1.0) < _COMMON:
        return None
    with np.errstate(divide="ignore"):
        exponent = np.where(largest > 0, np.floor(np.log2(largest)), 0.0)
    exponent = np.where(np.abs(exponent) > _COMMON_EXPONENT, exponent, 0.0)
    return np.asarray(np.exp2(np.clip(exponent, -_DEEPEST_EXPONENT, None)))
