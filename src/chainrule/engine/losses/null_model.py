"""The null model of a loss: the best constant score, which explained deviance is relative to."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow

_FARTHEST: Final[float] = 2.0**40


def null_score(
    row: LossRow,
    y: FloatArray,
    weights: FloatArray | None = None,
    offset: FloatArray | None = None,
) -> FloatArray:
    """Return the scores of the null model: the constant of least total loss, plus the offset.

    The constant is a root of the total slope, by bisection: the sign alone is used, so that neither
    an overflow nor a flat piece of the loss matters. Where the loss falls for ever, the constant is
    far out on that side; of a loss that is not convex, it is a stationary point.

    Parameters
    ----------
    row : LossRow
    y : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,), optional
    offset : ndarray of shape (n_samples,), optional

    Returns
    -------
    ndarray of shape (n_samples,)

    Examples
    --------
    >>> from chainrule.engine.losses.table import find_loss
    >>> print(null_score(find_loss("squared"), np.array([1.0, 2.0, 6.0])))
    [3. 3. 3.]
    """
    s = np.ones(len(y)) if weights is None else weights
    shift = np.zeros(len(y)) if offset is None else offset

    # Rows with one target and one offset count together: labels have few targets.
    targets, times, at = y, s, shift
    if len(y) and (shift == shift[0]).all():
        distinct, place = np.unique(y, return_inverse=True)
        targets, times, at = distinct, np.bincount(place, s).astype(np.float64), shift[:1]

    def slope(constant: float) -> float:
        return float(times @ row.kernels.terms(constant + at, targets)[1])

    low = high = _guess(row, float(s @ y / s.sum()))
    with np.errstate(all="ignore"):
        step = 1.0
        while step < _FARTHEST and slope(low) > 0:
            low, step = low - step, 2 * step
        step = 1.0
        while step < _FARTHEST and slope(high) < 0:
            high, step = high + step, 2 * step
        if slope(low) > 0:
            return low + shift
        if slope(high) < 0:
            return high + shift
        while low < (middle := low + (high - low) / 2) < high:
            low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    # the end whose slope is closer to zero, so that a root at a number is met exactly
    return (high if abs(slope(high)) < abs(slope(low)) else low) + shift


def _guess(row: LossRow, mean: float) -> float:
    """Return the link of the mean target where it is finite, else zero."""
    if row.kernels.link is None:
        return 0.0
    score = float(row.kernels.link(np.array([mean]))[0])
    return score if np.isfinite(score) else 0.0
