"""Proximal Newton steps for groups of columns: a quadratic model, and the penalty as it is.

The model covers the groups that are not 0 or want to leave it, and the intercept. Between two
Hessians, differences of gradients correct it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.groups import GroupNorms
from chainrule.engine.solvers.group_model import minimise_groups
from chainrule.engine.solvers.limits import needs_bound
from chainrule.engine.solvers.proximal_newton import Model, Solution
from chainrule.engine.solvers.steps import IterationRecord, Stop

_FEW: Final[int] = 100
"""Columns up to which all are in the model."""

_NEAR: Final[float] = 0.9
"""The share of the strength from which a group's slope brings it into the model."""

_SLOW: Final[float] = 0.3
_NOISE: Final[float] = 1e-13
_SHORTEST: Final[float] = 1e-10


def group_newton(
    objective: Objective,
    penalty: GroupNorms,
    start: Evaluation,
    unit: FloatArray,
    model: Model | None = None,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Callable[[Evaluation], bool] | None = None,
) -> Solution:
    """Minimise the losses of an objective and a group lasso.

    Parameters
    ----------
    objective : Objective
        Of the losses alone. One score per row.
    penalty : GroupNorms
    start : Evaluation
        Of the objective.
    unit : ndarray of shape (n_features,)
        What violations are measured in, that of its group for every column.
    model : Model, optional
        From a point nearby.
    tolerance : float
        The largest violation of the conditions for an optimum, relative to the strengths.
    max_iter : int
    monitor : callable, optional
        Called with every new evaluation; True stops.
    """
    facts = objective.loss.facts
    bound = facts.curvature[1] if needs_bound(facts) else None
    here = start
    value = here.value + penalty.value(here.point.coef[:, 0])
    worst = _worst(objective, penalty, here, unit)
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    clock = perf_counter()
    while True:
        if worst <= tolerance:
            stop = "converged"
            break
        if len(history) == max_iter:
            break
        columns = _wanted(penalty, here, model)
        if model is None or len(columns) > len(model.columns):
            model = Model.at(objective, here, columns, bound)
        aim = max(1e-2 * worst * min(worst, 1.0), 0.05 * tolerance)
        found = _step(objective, penalty, here, value, unit, model, aim)
        left = np.inf if found is None else _worst(objective, penalty, found[0], unit)
        if found is None or (found[1] >= value and left >= worst):
            if model.is_exact or bound is not None:
                stop = "stalled"  # rounding: neither objective nor violation can be lowered
                break
            model = Model.at(objective, here, model.columns, bound)
            continue
        there, new_value, length = found
        now = perf_counter()
        history.append(IterationRecord(value, worst, length, now - clock))
        clock = now
        if bound is None and (length < 1.0 or left > max(_SLOW * worst, tolerance)):
            model = Model.at(objective, there, model.columns, None)
        else:
            moved = _packed(objective, there.point, here.point, model.columns)
            bent = _packed(objective, there.gradient, here.gradient, model.columns)
            model = model.corrected(moved, bent)
        here, value, worst = there, new_value, left
        if monitor is not None and monitor(here):
            stop = "interrupted"
            break
    return Solution(here, value, model, stop, worst, history)


def _worst(objective: Objective, penalty: GroupNorms, here: Evaluation, unit: FloatArray) -> float:
    """Return the largest violation in its unit, the intercept's included."""
    violation = penalty.violation(here.point.coef[:, 0], here.gradient.coef[:, 0])
    found = float((violation / unit).max(initial=0.0))
    if objective.fit_intercept:
        found = max(found, abs(float(here.gradient.intercept[0])) / float(unit.max()))
    return found


def _wanted(penalty: GroupNorms, here: Evaluation, model: Model | None) -> IntArray:
    """Return the columns of the next model, whole groups: the last one's, and those it lacks."""
    w, slope = here.point.coef[:, 0], here.gradient.coef[:, 0]
    if len(w) <= _FEW:
        return np.arange(len(w))
    known = np.zeros(len(w), dtype=bool)
    needed = penalty.whole((w != 0) | (penalty.l1 == 0)) | (penalty.violation(w, slope) > 0)
    if model is not None:
        known[model.columns] = True
        if not (needed & ~known).any():
            return model.columns
    size = penalty.norms(slope / penalty.metric)[penalty.labels]
    near = (size >= _NEAR * penalty.l1) & ~known
    most = max(100, 2 * int((w != 0).sum()))
    if near.sum() > most:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(near, size / penalty.l1, -np.inf)
        far = np.argsort(-ratio, kind="stable")[most:]
        near[far] = False
    return np.flatnonzero(penalty.whole(known | near | (needed & (w != 0)) | (penalty.l1 == 0)))


def _step(
    objective: Objective,
    penalty: GroupNorms,
    here: Evaluation,
    value: float,
    unit: FloatArray,
    model: Model,
    aim: float,
) -> tuple[Evaluation, float, float] | None:
    """Return the first point on the way to the model's minimum that is low enough."""
    columns, square = model.columns, model.matrix[:-1, :-1]
    metric, slope = penalty.metric[columns], here.gradient.coef[columns, 0]
    border, corner = model.matrix[:-1, -1], float(model.matrix[-1, -1])
    level = float(here.gradient.intercept[0]) if objective.fit_intercept else 0.0
    moves_level = objective.fit_intercept and corner > 0
    if moves_level:  # the intercept is at its best for any coefficients
        square = square - np.outer(border, border / corner)
        slope = slope - border * (level / corner)
    origin = metric * here.point.coef[columns, 0]
    squares = penalty.l2[columns]
    order = np.argsort(penalty.labels[columns], kind="stable")
    firsts = np.flatnonzero(np.diff(penalty.labels[columns][order], prepend=-1))
    blocks = np.split(order, firsts[1:])
    heads = columns[order[firsts]]
    found = minimise_groups(
        square / np.outer(metric, metric) + np.diag(squares),
        slope / metric + squares * origin,
        origin,
        blocks,
        penalty.l1[heads],
        unit[heads],
        aim,
    )
    w, change = here.point.coef[:, 0], found / metric - here.point.coef[columns, 0]
    aimed = w.copy()
    aimed[columns] = found / metric
    predicted = float(slope @ change) + penalty.value(aimed) - penalty.value(w)
    shift = 0.0
    if moves_level:
        shift = -(level + float(border @ change)) / corner
        predicted -= level * level / corner
    noise = _NOISE * (abs(value) + here.floor_size)
    length = 1.0
    while length > _SHORTEST:
        coef = aimed if length == 1.0 else w + length * (aimed - w)
        there = objective.evaluate(Point(coef[:, None], here.point.intercept + length * shift))
        reached = there.value + penalty.value(coef)
        if reached <= value + 1e-4 * length * predicted + noise:
            return there, reached, length
        length *= 0.25
    return None


def _packed(objective: Objective, there: Point, here: Point, columns: IntArray) -> FloatArray:
    """Return the change of some coefficients and the intercept as one vector."""
    level = there.intercept - here.intercept if objective.fit_intercept else np.zeros(1)
    return np.append(there.coef[columns, 0] - here.coef[columns, 0], level)
