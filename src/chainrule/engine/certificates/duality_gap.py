"""The duality gap of losses of classes: a bound on f - f* by the gradient and the penalty alone.

The theorem stands in `certificate`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, accumulated, norm
from chainrule.engine.certificates.rounding import SumRounding, bound_sums
from chainrule.engine.certificates.strong_convexity import sums_of_curvatures
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.starting import class_weights

UNDERFLOW: Final[float] = 1e-315
"""What sums of products below the range of float64 may lose of a bound."""

_WIDEST: Final[float] = 300.0
"""Errors of raw predictions from which on their probabilities say nothing."""


def relative_gap(objective: Objective, evaluation: Evaluation) -> float:
    """Bound (f - f*) / f* of classes by the duality gap, without curvature and without reading X.

    It holds for the point as it is handed back, as `with_rounded_intercept` says.
    """
    rounding = bound_sums(objective, evaluation)
    bound = bound_of_gap(objective, evaluation, rounding, exactly=False)
    share = relative_bound(bound, evaluation.excess, rounding.value)
    if np.isfinite(share) and objective.source.is_moved:
        rounded = norm_of_gradient(objective, rounding.gradient)
        share += price_of_moving(objective, evaluation, rounded) / (evaluation.excess - bound)
    return share


def bound_of_gap(
    objective: Objective, evaluation: Evaluation, rounding: SumRounding, *, exactly: bool
) -> float:
    """Bound f - f* by the duality gap."""
    penalty = objective.penalty
    strength = penalty.strength[:, None]
    mixed, price = balanced_intercepts(objective, evaluation, rounding, exactly=exactly)
    gradient = np.abs(evaluation.gradient.coef) + rounding.gradient.coef
    if mixed:
        gradient = gradient + mixed * (
            np.abs(penalty.gradient(evaluation.point.coef)) + rounding.reach[:, None]
        )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = np.where(gradient > 0, gradient * (gradient / (2 * strength)), 0.0)
    return 1.000001 * (price + float(terms.sum())) + UNDERFLOW


def balanced_intercepts(
    objective: Objective, evaluation: Evaluation, rounding: SumRounding, *, exactly: bool
) -> tuple[float, float]:
    """Make residuals sum to zero in every class, by mixing in those of shares near the classes'.

    Returns
    -------
    mixed : float
        The part of the others.
    price : float
        What that costs of the dual objective at most.
    """
    if not objective.fit_intercept:
        return 0.0, 0.0
    residual = np.abs(evaluation.gradient.intercept) + rounding.gradient.intercept
    per_class = class_weights(objective)
    weight = float(per_class.sum())
    odds = 1.001 * float((residual / per_class).max())
    mixed = odds / (1 + odds)
    if exactly:
        error = rounding.raw_prediction
        return mixed, _price_of_mixing(objective, evaluation, per_class / weight, mixed, error)
    return mixed, 2 * mixed * weight * (np.log(len(per_class)) + 2 * rounding.largest)


def relative_bound(bound: float, above: float, rounding: float) -> float:
    """Bound the share of f* that a bound on f - f* is, for an f so far above its least value."""
    below = above - rounding - bound
    return float(bound / below) if below > 0 else np.inf


def norm_of_gradient(objective: Objective, gradient: Point) -> float:
    """Return the Euclidean norm of a gradient in the units of the data."""
    scale = objective.source.column_scale
    return norm(gradient.coef * scale[:, None], gradient.intercept)


def price_of_moving(objective: Objective, evaluation: Evaluation, rounded: float) -> float:
    """Bound what moving the columns back costs, where the gradient is rounded by so much."""
    source, point = objective.source, evaluation.point
    part = np.abs(source.column_shift / source.column_scale) @ np.abs(point.coef)
    moved = accumulated(source.n_features + 4) * (part + np.abs(point.intercept))
    slope = np.abs(evaluation.gradient.intercept) + rounded
    steepest = source.total_weight * objective.loss.facts.curvature[1]
    if not np.isfinite(steepest):
        steepest = sums_of_curvatures(objective, evaluation, float(moved[0]))[1]
    return 1.001 * float(slope @ moved + steepest * (moved @ moved))


def _price_of_mixing(
    objective: Objective, evaluation: Evaluation, share: FloatArray, mixed: float, error: float
) -> float:
    """Bound sum_i s_i KL((1-t) p_i + t q || p_i), for t = mixed and any q with q_k <= 2 share_k.

    Parameters
    ----------
    objective : Objective
    evaluation : Evaluation
    share : ndarray of shape (n_classes,)
        The classes' shares of the weight.
    mixed : float
    error : float
        Of the raw predictions that the p_i come from.
    """
    loss = objective.loss
    wider = float(np.exp(2 * min(error, _WIDEST)))

    def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> tuple[FloatArray]:
        if y.ndim == 1:
            surprise, scores = loss.pointwise_loss(raw, np.full(len(y), share[1])), raw[:, 0]
            logs = (surprise + share[1] * scores)[:, None] - np.column_stack([0 * scores, scores])
        else:
            surprise = loss.pointwise_loss(raw, np.tile(share, (len(y), 1)))
            logs = (surprise + raw @ share)[:, None] - raw
        with np.errstate(over="ignore"):
            squares = 2 * mixed * wider * (np.exp(logs) @ share**2)
        return (np.asarray(2 * mixed * (s @ np.minimum(surprise + 2 * error, squares))),)

    (price,) = objective.sum_over_vectors(one, evaluation.raw_prediction)
    return float(price)
