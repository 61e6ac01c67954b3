r"""The duality gap of a group lasso, for any convex loss of one score.

The inequality of `separable_gap`, group by group: for the gradient g of the losses at (w, b),

    f(w) - f* <= sum_G P_G(w_G) + P_G^*(-g_G) + g_G w_G.

Without squares P_G^* is the indicator of a ball, and the dual point is scaled until the norm of
every group is within its strength: at most the largest relative excess times what f is above the
least losses, since the norms of the optimum, times their strengths, add up to no more. The
intercept's derivative vanishes only up to rounding; how far its best is away follows from a lower
bound of the curvature, and the other derivatives change by no more than that times sums of |x_ij|.
Rounding of the gradient enters as an interval: the norm of a group's errors is added to its own.

**Some groups, by second order.** Their strength is reached only up to rounding, and scaling charges
the excess in first order. As in `separable_gap`, a tangent takes the place of each norm that is not
0: P_G(v) >= P_G(w) + p (v - w) + l2 |d (v - w)|^2 / 2. What is left is smooth in these columns and
the intercept; it falls by no more than their Newton decrement says, in which residuals enter
squared, and that distance bounds the change of the slopes of the other groups.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, accumulated
from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.rounding import Rounding, bound_rounding, measure_rounding
from chainrule.engine.certificates.smooth_drop import Look, drop_to_best
from chainrule.engine.certificates.strong_convexity import best_intercept
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.gram import gram
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.groups import GroupNorms
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome, Stop

_SLACK: Final[float] = 1.000001

_MOST: Final[int] = 1000
"""Columns up to which a Hessian is formed for a proof."""


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
    moving = penalty.whole(w != 0) | (penalty.violation(w, slope) > 0)
    for look in (bound_rounding, measure_rounding):
        rounding = look(objective, evaluation)
        bound, why = _bound(objective, penalty, evaluation, rounding)
        if not bound <= 0.99 * enough * max(whole.excess - bound, 0.0):
            smooth, how = _with_tangents(objective, penalty, evaluation, rounding, look, moving)
            bound, why = min((bound, why), (smooth, how))
        distance = float(np.sqrt(2 * bound / squares)) if 0 < squares < np.inf else np.inf
        found = claim(
            objective, Outcome(whole, stop), rounding, "duality gap", bound, distance, why
        )
        if found.relative_bound <= enough:
            break
    return found


def _bound(
    objective: Objective,
    penalty: GroupNorms,
    evaluation: Evaluation,
    rounding: Rounding,
    moved: tuple[float, FloatArray, BoolArray] | None = None,
) -> tuple[float, str]:
    """Bound f - f*; inf where nothing is proven, with the reason.

    What some columns and the intercept fall to their best, how much the other derivatives change
    then, and which columns these are, may be known.
    """
    w, slope = evaluation.point.coef[:, 0], evaluation.gradient.coef[:, 0]
    doubt, price = rounding.gradient.coef[:, 0], 0.0
    held = np.ones(penalty.n_groups, dtype=bool)
    if moved is not None:
        price, change, moving = moved
        doubt = doubt + change
        held[penalty.labels[moving]] = False
        w = np.where(moving, 0.0, w)
    elif objective.fit_intercept:
        level = float(np.abs(evaluation.gradient.intercept)[0] + rounding.gradient.intercept[0])
        shift, steepest = best_intercept(objective, evaluation, rounding, level)
        if not np.isfinite(shift):
            return np.inf, "the curvature is too flat to say where the intercept is best"
        price, doubt = level * shift, doubt + shift * steepest * objective.source.column_bounds
    over, conjugate = penalty.excess(slope, doubt), penalty.conjugates(slope, doubt)
    scaled = np.isinf(conjugate) & held
    sizes, counted = _sizes(penalty, w), np.where(scaled | ~held, 0.0, conjugate)
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
        value = penalty.value(evaluation.point.coef[:, 0]) * (1 + accumulated(len(w) + 16))
        bound += share * (evaluation.excess + value + rounding.value)
    return _SLACK * bound, "a dual point, scaled until it is feasible, lies that far below"


def _with_tangents(
    objective: Objective,
    penalty: GroupNorms,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    moving: BoolArray,
) -> tuple[float, str]:
    """Bound f - f* with tangents in place of the norms of some groups."""
    columns = np.flatnonzero(moving)
    if objective.loss.facts.self_concordance is None or not 0 < len(columns) <= _MOST:
        return np.inf, "no Hessian bounds how far the groups are from their best"
    hessian = gram(objective, evaluation, columns, bound=None)
    corner, last = hessian[-1, -1], len(columns) + int(objective.fit_intercept)
    metric, w = penalty.metric[columns], evaluation.point.coef[columns, 0]
    slope = evaluation.gradient.coef[:, 0]
    squares = penalty.l2[columns] * metric**2
    hessian.flat[: len(hessian) * len(columns) : len(hessian) + 1] += squares
    residual = penalty.residual(evaluation.point.coef[:, 0], slope)[columns] * metric
    terms = np.abs(slope[columns]) + squares * np.abs(w) + penalty.l1[columns] * metric
    sizes = np.bincount(penalty.labels)[penalty.labels[columns]]
    doubt = rounding.gradient.coef[columns, 0] + (sizes + 8) * UNIT * terms
    found = drop_to_best(
        objective,
        evaluation,
        rounding,
        look,
        columns,
        (Curvature(hessian[:last, :last], 1), corner),
        (residual, doubt),
    )
    if found is None:
        return np.inf, "the groups are collinear, or not yet close enough to their best"
    moved = *found, moving
    bound, why = _bound(objective, penalty, evaluation, rounding, moved)
    because = "with tangents in place of the norms of groups, a dual point lies that far below"
    return bound, because if np.isfinite(bound) else why


def _sizes(penalty: GroupNorms, w: FloatArray) -> FloatArray:
    """Return P of each group."""
    norms = penalty.norms(penalty.metric * w)
    first, second = penalty.strengths
    return np.asarray(first * norms + 0.5 * second * norms * norms)
