"""Finite differences: derivatives from values alone, independent of any rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STEP = 4e-3
LEVELS = 7
ENOUGH = 1e-11
ROUNDING = 2.0**-52


def along(function: Callable[[Array], Array], at: Array, direction: Array) -> Array:
    """Differentiate along a direction, by central differences at halved steps.

    Each halving extends Richardson's extrapolation (1911) by one order; of all the estimates the
    one that agrees best with its neighbours is kept (Ridders 1982). So a pole or a kink near `at`
    costs a few more halvings, and not the answer. It stops where neighbours agree relative to the
    estimate, or to within the rounding of the values, so that small derivatives are as exact as
    large ones.

    Parameters
    ----------
    function : callable
        From an array of the shape of `at` to an array.
    at, direction : array
        Where, and which way.
    """
    largest = 0.0

    def central(step: float) -> Array:
        nonlocal largest
        ahead, behind = function(at + step * direction), function(at - step * direction)
        largest = max(largest, float(np.max(np.abs(ahead))), float(np.max(np.abs(behind))))
        return np.asarray((ahead - behind) / (2 * step))

    above = [central(STEP)]
    best, doubt = above[0], np.inf
    for level in range(1, LEVELS):
        row = [central(STEP / 2**level)]
        for order, coarser in enumerate(above, 1):
            row.append(row[-1] + (row[-1] - coarser) / (4**order - 1))
            gaps = np.maximum(np.abs(row[-1] - row[-2]), np.abs(row[-1] - coarser))
            if np.max(gaps) < doubt:
                best, doubt = row[-1], float(np.max(gaps))
        if doubt <= max(ENOUGH * float(np.max(np.abs(best))), ROUNDING * largest / STEP):
            break
        above = row
    return best
