"""Bounds on f - f* for convex losses of one score, by the strong convexity of the penalty."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.rounding import Rounding, SumRounding
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.executors import Partial

_NEARBY: Final[float] = 0.5
"""The change of the logarithm of the curvatures up to which sums at one point bound those nearby.
"""


def penalty_gap(
    objective: Objective, evaluation: Evaluation, rounding: Rounding
) -> tuple[float, str]:
    """Bound f - f* by the penalty, with the intercept moved to where it is best.

    Returns
    -------
    bound : float
        inf where the curvature is too flat to say where that is.
    because : str
    """
    gradient = (np.abs(evaluation.gradient.coef) + rounding.gradient.coef)[:, 0]
    price, because = 0.0, "the penalty is strongly convex and the loss convex"
    if objective.fit_intercept:
        slope = float(np.abs(evaluation.gradient.intercept)[0] + rounding.gradient.intercept[0])
        shift, steepest = best_intercept(objective, evaluation, rounding, slope)
        if not np.isfinite(shift):
            return np.inf, "the curvature is too flat to say where the intercept is best"
        price = slope * shift
        gradient = gradient + shift * steepest * objective.source.column_bounds
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        halves = gradient / (2 * objective.penalty.strength)
        terms = np.where(gradient > 0, gradient * halves, 0.0)  # a square may underflow
    return 1.000001 * (price + float(terms.sum())), because


def sum_of_curvatures(objective: Objective, evaluation: Evaluation) -> float:
    """Return the sum of all curvatures at a point, for a loss of one score."""

    def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> Partial:
        return (np.asarray(s @ objective.loss.pointwise_hessian(raw, y)[:, 0, 0]),)

    (found,) = objective.sum_over_vectors(one, evaluation.raw_prediction)
    return float(found)


def sums_of_curvatures(
    objective: Objective, evaluation: Evaluation, width: float
) -> tuple[float, float]:
    """Bound the sum of all curvatures, below and above, for raw predictions within `width`."""

    def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> Partial:
        low, high = objective.loss.curvature_range(raw, y, width)
        return np.asarray(s @ low), np.asarray(s @ high)

    low, high = objective.sum_over_vectors(one, evaluation.raw_prediction)
    return 0.999999 * float(low), 1.000001 * float(high)


def best_intercept(
    objective: Objective, evaluation: Evaluation, rounding: SumRounding, slope: float
) -> tuple[float, float]:
    """Bound how far away the best intercept is, and the sum of the curvatures on the way there."""
    if slope == 0:
        return 0.0, 0.0
    level, most = sums_of_curvatures(objective, evaluation, rounding.raw_prediction)
    if not level > 0:
        return np.inf, np.inf
    constant = objective.loss.facts.self_concordance
    for width in (2 * slope / level, 16 * slope / level):
        if constant is not None and constant * width <= _NEARBY:
            change = float(np.exp(constant * width)) * 1.000001
            low, high = level / change, most * change
        else:
            low, high = sums_of_curvatures(objective, evaluation, width + rounding.raw_prediction)
        if low > 0 and slope <= low * width:
            return slope / low, high
    return np.inf, np.inf
