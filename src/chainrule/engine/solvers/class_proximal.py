"""Proximal Newton steps for several classes: a quadratic model, and the penalty as it is.

The model covers the coefficients that are not 0 or want to leave it, and the intercepts, of all
classes together. Between two Hessians, differences of gradients correct it.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.objective.class_gram import class_gram
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.proximal_newton import Model, Solution
from chainrule.engine.solvers.quadratic_model import minimise
from chainrule.engine.solvers.steps import IterationRecord, Stop

_NEAR: Final[float] = 0.9
"""The share of the strength from which a slope brings its coefficient into the model."""

_SLOW: Final[float] = 0.3
_NOISE: Final[float] = 1e-13
_SHORTEST: Final[float] = 1e-10


def class_proximal_newton(
    objective: Objective,
    penalty: ElasticNet,
    start: Evaluation,
    unit: FloatArray,
    model: Model | None = None,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Callable[[Evaluation], bool] | None = None,
) -> Solution:
    """Minimise the losses of a softmax problem and an elastic net.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, for several classes.
    penalty : ElasticNet
        Of all coefficients, those of a column side by side.
    start : Evaluation
        Of the objective, within the bounds.
    unit : ndarray
        What violations are measured in, coefficient by coefficient.
    model : Model, optional
        From a point nearby; its columns are places of coefficients.
    tolerance : float
        The largest violation of the conditions for an optimum, relative to the strengths.
    max_iter : int
    monitor : callable, optional
        Called with every new evaluation; True stops.
    """
    here = start
    value = here.value + penalty.value(here.point.coef.ravel())
    violation = _violation(penalty, here)
    worst = _worst(objective, violation, here, unit)
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    clock = perf_counter()
    while True:
        if worst <= tolerance:
            stop = "converged"
            break
        if len(history) == max_iter:
            break
        places = _wanted(penalty, here, violation, model)
        if model is None or len(places) > len(model.columns):
            model = _model_at(objective, here, places)
        aim = max(1e-2 * worst * min(worst, 1.0), 0.05 * tolerance)
        found = _step(objective, penalty, here, value, unit, model, aim)
        if found is None and not model.is_exact:
            model = _model_at(objective, here, model.columns)
            found = _step(objective, penalty, here, value, unit, model, aim)
        if found is None:
            stop = "stalled"
            break
        there, new_value, length = found
        violation = _violation(penalty, there)
        now = perf_counter()
        history.append(IterationRecord(value, worst, length, now - clock))
        clock = now
        left = _worst(objective, violation, there, unit)
        if new_value >= value and left >= worst:
            violation = _violation(penalty, here)
            if not model.is_exact:
                model = _model_at(objective, here, model.columns)
                continue
            stop = "stalled"
            break  # rounding: neither the objective nor the violation can be lowered
        if length < 1.0 or left > max(_SLOW * worst, tolerance):
            model = _model_at(objective, there, model.columns)
        else:
            moved = _packed(there.point, model.columns) - _packed(here.point, model.columns)
            bent = _packed(there.gradient, model.columns) - _packed(here.gradient, model.columns)
            model = model.corrected(moved, bent)
        here, value, worst = there, new_value, left
        if monitor is not None and monitor(here):
            stop = "interrupted"
            break
    return Solution(here, value, model, stop, worst, history)


def _violation(penalty: ElasticNet, here: Evaluation) -> FloatArray:
    return penalty.violation(here.point.coef.ravel(), here.gradient.coef.ravel())


def _worst(
    objective: Objective, violation: FloatArray, here: Evaluation, unit: FloatArray
) -> float:
    """Return the largest violation in its unit, those of the intercepts included."""
    found = float((violation / unit).max())
    if objective.fit_intercept:
        found = max(found, float(np.abs(here.gradient.intercept).max()) / float(unit.max()))
    return found


def _wanted(
    penalty: ElasticNet, here: Evaluation, violation: FloatArray, model: Model | None
) -> IntArray:
    """Return the places of the next model: those of the last one, and those that it lacks."""
    w, slope = here.point.coef.ravel(), np.abs(here.gradient.coef.ravel())
    known: BoolArray = np.zeros(len(w), dtype=bool)
    needed = (w != 0) | (violation > 0) | (penalty.l1 == 0)
    if model is not None:
        known[model.columns] = True
        if not (needed & ~known).any():
            return model.columns
    most = max(100, 2 * int((w != 0).sum()))
    fresh = np.flatnonzero((needed | (slope >= _NEAR * penalty.l1)) & ~known)
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(-(slope[fresh] / penalty.l1[fresh]), kind="stable")
    known[fresh[order[:most]]] = True
    return np.flatnonzero(known | (w != 0) | (penalty.l1 == 0))


def _model_at(objective: Objective, here: Evaluation, places: IntArray) -> Model:
    """Return the model with the Hessian at a point."""
    return Model(places, class_gram(objective, here, places), is_exact=True)


def _step(
    objective: Objective,
    penalty: ElasticNet,
    here: Evaluation,
    value: float,
    unit: FloatArray,
    model: Model,
    aim: float,
) -> tuple[Evaluation, float, float] | None:
    """Return the first point on the way to the model's minimum that is low enough."""
    places, n_classes = model.columns, objective.loss.n_outputs
    w, slope = here.point.coef.ravel(), _packed(here.gradient, places)
    part = penalty.of(places)
    free, limit = np.zeros(n_classes), np.inf if objective.fit_intercept else 0.0
    ends = np.full(n_classes, limit)
    extended = ElasticNet(
        np.append(part.l1, free),
        np.append(part.l2, free),
        np.append(part.lower, -ends),
        np.append(part.upper, ends),
    )
    origin = np.append(w[places], free)
    units = np.append(unit[places], np.full(n_classes, unit.max()))
    found = minimise(model.matrix, slope, origin, extended, units, aim)
    change = found - origin
    predicted = float(slope @ change) + extended.value(found) - extended.value(origin)
    noise = _NOISE * (abs(value) + here.floor_size)
    length = 1.0
    while length > _SHORTEST:
        coef = w.copy()
        coef[places] = part.nearest(w[places] + length * change[: len(places)])
        if length == 1.0:
            coef[places] = found[: len(places)]
        intercept = here.point.intercept + length * change[len(places) :]
        there = objective.evaluate(Point(coef.reshape(here.point.coef.shape), intercept))
        reached = there.value + penalty.value(coef)
        if reached <= value + 1e-4 * length * predicted + noise:
            return there, reached, length
        length *= 0.25
    return None


def _packed(point: Point, places: IntArray) -> FloatArray:
    """Return some coefficients and the intercepts as one vector."""
    return np.append(point.coef.ravel()[places], point.intercept)
