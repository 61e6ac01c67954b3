"""Points where some coefficients are held at 0: where fits with an elastic net begin."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.penalties.elastic_net import STRONGEST, ElasticNet, Shape

EXACTLY: Final[float] = 1e-12
"""The largest derivative that is left of what is free, relative to the others."""


def holding(shape: Shape, column_scale: FloatArray, held: BoolArray) -> ElasticNet:
    """Return a penalty so strong that some coefficients stay at 0, and none on the others."""
    return ElasticNet(
        np.where(held, STRONGEST, 0.0),
        np.zeros(len(held)),
        shape.lower * column_scale,
        shape.upper * column_scale,
    )


def steepest_of(start: Evaluation) -> float:
    """Return the size of the largest derivative in a coefficient; 1 where all are 0."""
    return float(np.abs(start.gradient.coef).max(initial=0.0)) or 1.0


def is_best(start: Evaluation, held: BoolArray) -> bool:
    """Tell whether nothing is free but an intercept that is at its best."""
    level = float(np.abs(start.gradient.intercept).max(initial=0.0))
    return bool(held.all()) and not start.point.coef.any() and level <= EXACTLY * steepest_of(start)


def units_of(penalty: ElasticNet, start: Evaluation) -> FloatArray:
    """Return what violations are measured in: l1, or the largest l1 where that is 0.

    It is no less than what rounding leaves of the largest slope, and no more than that slope:
    intercepts and free columns are not measured by a factor that holds a column at 0.
    """
    steepest = float(np.abs(start.gradient.coef).max(initial=0.0))
    other = penalty.l1.max(axis=-1, keepdims=True, initial=0.0)
    other = np.where(other > 0, other, steepest or 1.0)
    found = np.maximum(np.where(penalty.l1 > 0, penalty.l1, other), UNIT * steepest)
    return np.minimum(found, steepest) if steepest > 0 else found


def deviance_ratio(null_and_least: tuple[float, float], loss: float) -> float:
    """Return the share of the null deviance that a sum of losses explains."""
    null, least = null_and_least
    return float((null - loss) / (null - least)) if null > least else 0.0
