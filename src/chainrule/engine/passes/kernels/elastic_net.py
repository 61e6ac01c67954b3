"""Compiled: the value of an elastic net within bounds, and what is left to its optimum."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact

Matrix = npt.NDArray[Any]
"""Limits have the rows l1, l2, lower and upper bounds, and what violations are measured in."""


@exact
def violation(w: float, slope: float, l1: float, l2: float, lower: float, upper: float) -> float:
    """Do what `ElasticNet.violation` does, for one coefficient."""
    pull = slope + l2 * w
    if w <= lower:
        if w >= upper:
            return 0.0
        return max(-(pull + (-l1 if w < 0 else l1)), 0.0)
    if w >= upper:
        return max(pull - (-l1 if w > 0 else l1), 0.0)
    if w == 0:
        return max(abs(pull) - l1, 0.0)
    return abs(pull + (l1 if w > 0 else -l1))


@exact
def worst_violation(w: Vector, slope: Vector, level: float, limits: Matrix) -> tuple[float, float]:
    """Return the largest violation in its unit, without and with that of the intercept."""
    found, largest = 0.0, 0.0
    for j in range(w.shape[0]):
        off = violation(w[j], slope[j], limits[0, j], limits[1, j], limits[2, j], limits[3, j])
        found = max(found, off / limits[4, j])
        largest = max(largest, limits[4, j])
    return found, max(found, abs(level) / largest)


@exact
def penalty_of(w: Vector, limits: Matrix) -> float:
    """Return sum_j l1_j |w_j| + l2_j w_j^2 / 2."""
    total = 0.0
    for j in range(w.shape[0]):
        if w[j] != 0:
            total += limits[0, j] * abs(w[j]) + 0.5 * limits[1, j] * w[j] * w[j]
    return total
