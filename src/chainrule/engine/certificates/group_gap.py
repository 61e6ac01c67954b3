r"""The duality gap of a group lasso, for any convex loss of one score.

The inequality of `separable_gap`, group by group: for the gradient g of the losses at (w, b),

    f(w) - f* <= sum_G P_G(w_G) + P_G^*(-g_G) + g_G w_G.

Without squares P_G^* is the indicator of a ball, and the dual point is scaled until the norm of
every group is within its strength: at most the largest relative excess times what f is above the
least losses, since the norms of the optimum, times their strengths, add up to no more. The
intercept's derivative vanishes only up to rounding; how far its best is away follows from a lower
bound of the curvature, and the other derivatives change by no more than that times sums of |x_ij|.
Rounding of the gradient enters as an interval: the norm of a group's errors is added to its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, accumulated
from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.rounding import Rounding, bound_rounding, measure_rounding
from chainrule.engine.certificates.strong_convexity import best_intercept
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.groups import GroupNorms
from chainrule.engine.solvers.steps import Outcome, Stop

_SLACK: Final[float] = 1.000001


def certify_groups(
    objective: Objective,
    penalty: GroupNorms,
    evaluation: Evaluation,
    *,
    enough: float = 0.0,
    stop: Stop = "converged",
) -> Certificate:
    """Prove how far a point is from the optimum of the losses and a group lasso.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, convex, one score per row.
    penalty : GroupNorms
    evaluation : Evaluation
        Of the objective.
    enough : float
        A relative bound at which X is not read for a narrower bound of the rounding.
    stop : str
        Why the solver stopped.
    """
    w, slope = evaluation.point.coef[:, 0], evaluation.gradient.coef[:, 0]
    left = penalty.residual(w, slope) * penalty.metric
    whole = replace(
        evaluation,
        value=evaluation.value + penalty.value(w),
        gradient=Point(left[:, None], evaluation.gradient.intercept),
    )
    squares = float((penalty.l2 * (penalty.metric * objective.source.column_scale) ** 2).min())
    for look in (bound_rounding, measure_rounding):
        rounding = look(objective, evaluation)
        bound, why = _bound(objective, penalty, evaluation, rounding)
        distance = float(np.sqrt(2 * bound / squares)) if 0 < squares < np.inf else np.inf
        found = claim(
            objective, Outcome(whole, stop), rounding, "duality gap", bound, distance, why
        )
        if found.relative_bound <= enough:
            break
    return found


def _bound(
    objective: Objective, penalty: GroupNorms, evaluation: Evaluation, rounding: Rounding
) -> tuple[float, str]:
    """Bound f - f*; inf where nothing is proven, with the reason."""
    w, slope = evaluation.point.coef[:, 0], evaluation.gradient.coef[:, 0]
    doubt, price = rounding.gradient.coef[:, 0], 0.0
    if objective.fit_intercept:
        level = float(np.abs(evaluation.gradient.intercept)[0] + rounding.gradient.intercept[0])
        shift, steepest = best_intercept(objective, evaluation, rounding, level)
        if not np.isfinite(shift):
            return np.inf, "the curvature is too flat to say where the intercept is best"
        price, doubt = level * shift, doubt + shift * steepest * objective.source.column_bounds
    over, conjugate = penalty.excess(slope, doubt), penalty.conjugates(slope, doubt)
    scaled = np.isinf(conjugate)
    sizes, counted = _sizes(penalty, w), np.where(scaled, 0.0, conjugate)
    inner = np.bincount(penalty.labels, slope * w, minlength=penalty.n_groups)
    errors = float(doubt @ np.abs(w))
    errors += accumulated(len(w) + 16) * float(
        sizes.sum() + np.abs(slope * w).sum() + counted.sum()
    )
    bound = price + max(float((sizes + inner + counted).sum()), 0.0) + errors
    if scaled.any():
        if not objective.loss.facts.has_least:
            return np.inf, "no least value of the loss is proven, from which a dual point is scaled"
        first = penalty.strengths[0]
        if (first[scaled] == 0).any():
            return np.inf, "a group without penalty is not proven to be at its best"
        share = float((over[scaled] / first[scaled]).max()) * (1 + 8 * UNIT)
        value = penalty.value(w) * (1 + accumulated(len(w) + 16))
        bound += share * (evaluation.excess + value + rounding.value)
    return _SLACK * bound, "a dual point, scaled until it is feasible, lies that far below"


def _sizes(penalty: GroupNorms, w: FloatArray) -> FloatArray:
    """Return P of each group."""
    norms = penalty.norms(penalty.metric * w)
    first, second = penalty.strengths
    return np.asarray(first * norms + 0.5 * second * norms * norms)
