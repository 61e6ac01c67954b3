r"""The duality gap of an elastic net for a softmax of several classes.

The inequality of `separable_gap`, with a derivative for each column and class. The derivatives in
the intercepts vanish up to rounding: as in `certificate`, a small part of residuals that belong to
shares near the classes' own makes the residuals of every class sum to zero, at a price, and moves
no derivative farther than that part of itself and of sum_i s_i |x_ij|.

**By second order**, where that is not enough: the penalty of the coefficients that are not 0 gives
way to a tangent, as there. Adding a number to the coefficients of a column for all classes changes
no prediction. Where the tangents of a column add up to 0, it does not change the objective either,
and the Hessian is completed on that direction; else one coefficient of the column, a 0, is left to
Fenchel's inequality. Its derivative is known: those of a column add up to 0, and the others are at
their tangents. The spread of a direction is the largest range of its scores. The share p of
a class changes by at most p (1 - p) times the range: `derivative_changes` holds class by class.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, IntArray
from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.decrement import newton_drop
from chainrule.engine.certificates.duality_gap import balanced_intercepts
from chainrule.engine.certificates.rounding import Rounding, bound_rounding, measure_rounding
from chainrule.engine.certificates.separable_gap import SCALED, TANGENTS, fenchel_bound
from chainrule.engine.certificates.smooth_drop import Look, derivative_changes
from chainrule.engine.objective.class_gram import class_gram
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome, Stop

_FEW_ROWS: Final = 10_000
"""Rows up to which the price of the intercepts is summed over them."""

_MOST: Final = 1000
"""Coefficients up to which their Hessian is formed for a proof."""

_FLAT: Final = "the curvature in the coefficients that are not 0 is singular to working precision"


def certify_class_elastic_net(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    *,
    enough: float = 0.0,
    forming: bool = True,
    stop: Stop = "converged",
) -> Certificate:
    """Prove how far a point is from the optimum of a softmax problem with an elastic net.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, for several classes.
    penalty : ElasticNet
        Of all coefficients, those of a column side by side.
    evaluation : Evaluation
        Of the objective.
    enough : float
        A relative bound at which X is not read for a narrower one.
    forming : bool
        Whether a Hessian may be formed.
    stop : str
        Why the solver stopped.
    """
    w, slope = evaluation.point.coef.ravel(), evaluation.gradient.coef.ravel()
    violation = penalty.violation(w, slope).reshape(evaluation.point.coef.shape)
    whole = replace(
        evaluation,
        value=evaluation.value + penalty.value(w),
        gradient=Point(violation, evaluation.gradient.intercept),
    )
    outcome = Outcome(whole, stop)
    found = None
    roundings: dict[Look, Rounding] = {}  # measured once: that reads X
    for smoothed in _sets_to_smooth(objective, penalty, w, violation.ravel(), forming=forming):
        for look in (bound_rounding, measure_rounding):
            if look not in roundings:
                roundings[look] = look(objective, evaluation)
            rounding = roundings[look]
            bound, because = _bound(objective, penalty, evaluation, rounding, look, smoothed)
            new = claim(objective, outcome, rounding, "duality gap", bound, np.inf, because)
            if found is None or new.suboptimality_bound < found.suboptimality_bound:
                found = new
            if found.relative_bound <= enough:
                return found
    assert found is not None
    return found


def _sets_to_smooth(
    objective: Objective,
    penalty: ElasticNet,
    w: FloatArray,
    violation: FloatArray,
    *,
    forming: bool,
) -> list[BoolArray]:
    """Return sets of coefficients to move to their best, in the order in which to try them."""
    none: BoolArray = np.zeros(len(w), dtype=bool)
    wanted: BoolArray = (w != 0) | (violation > 0) | ((penalty.l1 == 0) & (penalty.l2 == 0))
    # labels that are codes add up to 1 exactly, so that no prediction sees what all classes share
    if not (forming and wanted.any() and objective.source.has_codes):
        return [none]
    # one 0 of each column in which all coefficients would move, that which is least wanted
    table = wanted.reshape(-1, objective.loss.n_outputs)
    zeros = np.where((w == 0) & (penalty.l1 > 0), violation, np.inf).reshape(table.shape)
    full = np.flatnonzero(table.all(axis=1) & np.isfinite(zeros).any(axis=1))
    table[full, zeros[full].argmin(axis=1)] = False
    return [none, wanted] if 0 < wanted.sum() <= _MOST else [none]


def _bound(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    smoothed: BoolArray,
) -> tuple[float, str]:
    """Bound f - f*, with some coefficients moved to their best as if their penalty were smooth."""
    w, slope = evaluation.point.coef.ravel(), evaluation.gradient.coef.ravel()
    doubt = rounding.gradient.coef.ravel()
    because = TANGENTS if smoothed.any() else SCALED
    if smoothed.any():
        places = np.flatnonzero(smoothed)
        found = _drop_to_best(objective, penalty, evaluation, rounding, look, places)
        if found is None:
            return np.inf, _FLAT
        price, moved = found
        doubt = doubt + moved.ravel()
        known, slopes = _balanced_slopes(penalty, w, slope, smoothed, objective.loss.n_outputs)
        slope, doubt = np.where(known, slopes, slope), np.where(known, 0.0, doubt)
    else:
        exactly = look is measure_rounding or objective.source.n_samples <= _FEW_ROWS
        mixed, price = balanced_intercepts(objective, evaluation, rounding, exactly=exactly)
        reach = np.repeat(rounding.reach, objective.loss.n_outputs)
        doubt = doubt + mixed * (np.abs(slope) + doubt + reach)
    bound, why = fenchel_bound(
        objective, penalty, evaluation, rounding, (w, slope, doubt), ~smoothed
    )
    return 1.000001 * (price + bound), why or because


def _balanced_slopes(
    penalty: ElasticNet, w: FloatArray, slope: FloatArray, smoothed: BoolArray, n_classes: int
) -> tuple[BoolArray, FloatArray]:
    """Return which derivatives follow from the tangents of all others of their column, and these.

    They are those at the best of the smoothed coefficients.
    """
    shape = (-1, n_classes)
    chosen, strengths = smoothed.reshape(shape), penalty.l1.reshape(shape)
    ends = np.isinf(penalty.lower) & np.isinf(penalty.upper) & (penalty.l2 == 0)
    same = ends.reshape(shape).all(axis=1) & (strengths == strengths[:, :1]).all(axis=1)
    signs = np.where(w != 0, np.sign(w), -np.sign(slope)).reshape(shape)
    total = (signs * chosen).sum(axis=1) * strengths[:, 0]
    known = ~chosen & (same & (chosen.sum(axis=1) == n_classes - 1))[:, None]
    return known.ravel(), np.repeat(total, n_classes)


def _drop_to_best(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    places: IntArray,
) -> tuple[float, FloatArray] | None:
    """Bound what f falls to its best in some coefficients and the intercepts, the others held.

    Returns
    -------
    tuple of float and ndarray of shape (n_features, n_classes), or None
        The fall, and bounds on the change of the other derivatives; None where nothing is proven.
    """
    n_classes, size = objective.loss.n_outputs, len(places)
    last = size + n_classes * int(objective.fit_intercept)
    columns, of_class = np.divmod(places, n_classes)
    part, w = penalty.of(places), evaluation.point.coef.ravel()[places]
    hessian = class_gram(objective, evaluation, places)
    corners = hessian.diagonal()[size:].copy()
    hessian = hessian[:last, :last]
    hessian.flat[: size * last : last + 1] += part.l2
    _complete(hessian, part, w, columns, n_classes)
    curvature = Curvature(hessian, 1)
    if not curvature.is_definite:
        return None
    # the widest scale of a column stands for those of all its classes
    units = Point(np.zeros((objective.source.n_features, 1)), np.zeros(1))
    np.maximum.at(units.coef[:, 0], columns, 1 / curvature.scale[:size])
    units.intercept[0] = (1 / curvature.scale[size:]).max(initial=0.0)
    slope = evaluation.gradient.coef.ravel()[places]
    terms = np.abs(slope) + part.l2 * np.abs(w) + np.where(w != 0, part.l1, 0.0)
    doubt = rounding.gradient.coef.ravel()[places] + 4 * UNIT * terms
    tops, classes = objective.source.column_bounds, np.arange(n_classes)
    of_row = np.where(of_class == classes[:, None], tops[columns], 0.0)
    found = newton_drop(
        curvature,
        np.append(part.residual(w, slope), evaluation.gradient.intercept)[:last],
        np.append(doubt, rounding.gradient.intercept)[:last],
        np.hstack([of_row, np.eye(n_classes)])[:, :last],
        1.0,  # of the range of scores
        lost=last * rounding.summation
        + look(objective, evaluation, weights=units).hessian
        + curvature.eigenvalue_error,
        curvature_error=rounding.curvature + 8 * rounding.raw_prediction,
    )
    if found is None:
        return None
    drop, reach, length = found
    changed = reach + rounding.curvature + 4 * rounding.raw_prediction
    ends = tuple(np.array([end]) for end in (reach, length, changed))
    moved = [derivative_changes(one, one * tops**2, tops, 1.0, *ends)[0] for one in corners]
    return drop, np.stack(moved, axis=1)


def _complete(
    hessian: FloatArray, part: ElasticNet, w: FloatArray, columns: IntArray, n_classes: int
) -> None:
    """Complete a Hessian on the directions that change neither a prediction nor the objective."""
    begins = np.flatnonzero(np.diff(columns, prepend=-1))
    for begin in begins[np.diff(begins, append=len(columns)) == n_classes]:
        all_classes = slice(begin, begin + n_classes)
        tangents = np.sign(w[all_classes]) * part.l1[all_classes]
        ends = np.append(part.upper[all_classes], -part.lower[all_classes])
        if tangents.sum() == 0 and not part.l2[all_classes].any() and np.isinf(ends).all():
            block = hessian[all_classes, all_classes]
            block += max(float(np.trace(block)), 1e-300) / n_classes**2
