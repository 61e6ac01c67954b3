"""Proximal Newton steps: a quadratic model of the losses, the penalty as it is.

The model covers the columns that are not 0 or want to leave it; all others are looked at once per
step, through the gradient. Between two Hessians, differences of gradients correct the model
(Broyden, Fletcher, Goldfarb and Shanno 1970), so that a step mostly costs one read of X.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.gram import Snapshot, gram
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.limits import needs_bound
from chainrule.engine.solvers.quadratic_model import minimise, with_rank, with_two_ranks
from chainrule.engine.solvers.steps import IterationRecord, Stop

_NEAR: Final[float] = 0.8
"""The share of the strength from which a slope brings its column into the model."""

_FEW: Final[int] = 100
"""Columns up to which all are in the model: fewer Hessians are formed on the way."""

_SLOW: Final[float] = 0.3
"""The part of a violation that may be left by a step before the Hessian is formed anew."""

_NOISE: Final[float] = 1e-13
_SHORTEST: Final[float] = 1e-12
_LEAST: Final[float] = 1e-300
"""Below it, a product of a step and a change of the gradient has lost digits."""

_INEXACT: Final[float] = 1e-2


@dataclass
class Model:
    """The quadratic model of the losses.

    Attributes
    ----------
    columns : ndarray of shape (k,)
    matrix : ndarray of shape (k + 1, k + 1)
        The last row and column belong to the intercept.
    snapshot : Snapshot or None
        The last Hessian that it began with.
    is_exact : bool
        Whether it is the Hessian at the point where the solver stands.
    is_spent : bool
        Whether steps with it have become slow: the next one needs a Hessian of its own.
    """

    columns: IntArray
    matrix: FloatArray
    snapshot: Snapshot | None = None
    is_exact: bool = False
    is_spent: bool = False

    @classmethod
    def at(
        cls, objective: Objective, here: Evaluation, columns: IntArray, bound: float | None
    ) -> Model:
        """Return the model with the Hessian at a point, or with a bound of the curvature."""
        matrix = gram(objective, here, columns, bound=bound)
        known = Snapshot(columns, matrix, here.raw_prediction) if bound is None else None
        return cls(columns, matrix, known, is_exact=True)

    def moved_to(self, columns: IntArray) -> Model:
        """Return the same model with other numbers of the columns."""
        known = self.snapshot
        if known is not None:
            known = replace(known, columns=columns)
        return Model(columns, self.matrix, known, is_spent=self.is_spent)

    def without(self, left_out: BoolArray) -> Model | None:
        """Return the model without some of its columns; None where it has no Hessian of its own."""
        if not left_out.any():
            return self
        known, kept = self.snapshot, np.flatnonzero(~left_out)
        if known is None or not np.array_equal(known.columns, self.columns):
            return None
        known = Snapshot(known.columns[kept], known.part(kept), known.raw_prediction)
        return Model(known.columns, known.hessian, known, is_spent=self.is_spent)

    def corrected(self, step: FloatArray, change: FloatArray) -> Model:
        """Return the model with the change of the gradient that a step has shown."""
        product = self.matrix @ step
        length, curvature = float(step @ product), float(step @ change)
        if not (length > _LEAST and curvature > max(1e-8 * length, _LEAST)):
            return self
        matrix = with_two_ranks(self.matrix, product, -1 / length, change, 1 / curvature)
        return Model(self.columns, matrix, self.snapshot)


@dataclass
class Solution:
    """Where a solver stands.

    Attributes
    ----------
    evaluation : Evaluation
        Of the losses alone.
    value : float
        The penalty included.
    model : Model or None
    stop : Stop
    violation : float
        The largest violation of the conditions for an optimum, relative to the strengths.
    history : list of IterationRecord
    """

    evaluation: Evaluation
    value: float
    model: Model | None
    stop: Stop
    violation: float
    history: list[IterationRecord] = field(default_factory=list)


def proximal_newton(
    objective: Objective,
    penalty: ElasticNet,
    start: Evaluation,
    unit: FloatArray,
    model: Model | None = None,
    *,
    tolerance: float,
    max_iter: int,
    enough: float = 0.0,
    monitor: Callable[[Evaluation], bool] | None = None,
) -> Solution:
    """Minimise the losses of an objective and an elastic net.

    Parameters
    ----------
    objective : Objective
        Of the losses alone: its own penalty is none. One score per row.
    penalty : ElasticNet
    start : Evaluation
        Of the objective, within the bounds.
    unit : ndarray of shape (n_features,)
        What violations are measured in; the intercept's in the largest of them.
    model : Model, optional
        From a point nearby.
    tolerance : float
        The largest violation of the conditions for an optimum, relative to the strengths.
    max_iter : int
    enough : float
        Stop, too, where the model predicts that no more than this part of the objective above its
        floor is left to gain.
    monitor : callable, optional
        Called with every new evaluation, penalty included; True stops.
    """
    facts = objective.loss.facts
    bound = facts.curvature[1] if needs_bound(facts) else None
    here, w = start, start.point.coef[:, 0]
    value = here.value + penalty.value(w)
    violation = _violation(penalty, here)
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    clock = perf_counter()
    for _ in range(max_iter + 1):
        worst = _worst(objective, violation, here, unit)
        if worst <= tolerance:
            stop = "converged"
            break
        if len(history) == max_iter:
            break
        columns = _wanted(penalty, here, violation, model)
        if model is None or len(columns) > len(model.columns):
            model = Model.at(objective, here, columns, bound)
        aim = max(_INEXACT * worst * min(worst, 1.0), 0.05 * tolerance)
        found = None
        while found is None:
            aimed, predicted = _minimum(objective, penalty, here, unit, model, aim)
            if 0 <= -predicted <= enough * (value - here.floor) and enough > 0:
                stop = "converged"
                break
            found = _along(objective, penalty, here, value, aimed, predicted)
            if found is None and (model.is_exact or bound is not None):
                break
            if found is None:
                model = Model.at(objective, here, model.columns, None)
        if found is None:
            if stop != "converged":
                stop = "stalled"
            break
        there, new_value, length = found
        new_violation = _violation(penalty, there)
        now = perf_counter()
        history.append(IterationRecord(value, worst, length, now - clock))
        clock = now
        left = _worst(objective, new_violation, there, unit)
        if new_value >= value and left >= worst:
            stop = "stalled"  # rounding: neither the objective nor the violation can be lowered
            break
        in_model = float((new_violation / unit)[model.columns].max(initial=0.0))
        slow = bound is None and length == 1.0 and in_model > max(_SLOW * worst, tolerance)
        if slow or (length < 1.0 and bound is None):
            model = Model.at(objective, there, model.columns, None)
        else:
            moved = _packed(objective, there.point, model.columns)
            moved = moved - _packed(objective, here.point, model.columns)
            bent = _packed(objective, there.gradient, model.columns)
            bent = bent - _packed(objective, here.gradient, model.columns)
            model = model.corrected(moved, bent)
        here, value, violation = there, new_value, new_violation
        if monitor is not None and monitor(here):
            stop = "interrupted"
            break
    worst = _worst(objective, violation, here, unit)
    return Solution(here, value, model, stop, worst, history)


def _violation(penalty: ElasticNet, here: Evaluation) -> FloatArray:
    return penalty.violation(here.point.coef[:, 0], here.gradient.coef[:, 0])


def _worst(
    objective: Objective, violation: FloatArray, here: Evaluation, unit: FloatArray
) -> float:
    """Return the largest violation in its unit, the intercept's included."""
    found = float((violation / unit).max())
    if objective.fit_intercept:
        # a slope of the intercept is like that of a column of ones
        found = max(found, abs(float(here.gradient.intercept[0])) / float(unit.max()))
    return found


def _wanted(
    penalty: ElasticNet, here: Evaluation, violation: FloatArray, model: Model | None
) -> IntArray:
    """Return the columns of the next model: those of the last one, and those that it lacks."""
    w, slope = here.point.coef[:, 0], np.abs(here.gradient.coef[:, 0])
    if len(w) <= _FEW:
        return np.arange(len(w))
    needed = (w != 0) | (violation > 0) | (penalty.l1 == 0)
    known = np.zeros(len(w), dtype=bool)
    if model is not None:
        known[model.columns] = True
        if not (needed & ~known).any():
            return model.columns
    near = needed | (slope >= _NEAR * penalty.l1)
    most = max(100, 2 * int((w != 0).sum()))
    fresh = np.flatnonzero(near & ~known & (w == 0) & (penalty.l1 > 0))
    if len(fresh) > most:
        order = np.argsort(-(slope[fresh] / penalty.l1[fresh]), kind="stable")
        near[fresh[order[most:]]] = False
    return np.flatnonzero(near | known)


def _minimum(
    objective: Objective,
    penalty: ElasticNet,
    here: Evaluation,
    unit: FloatArray,
    model: Model,
    aim: float,
) -> tuple[Point, float]:
    """Return the minimum of the model, and the decrease that it predicts."""
    columns, square = model.columns, model.matrix[:-1, :-1]
    w, slope = here.point.coef[columns, 0], here.gradient.coef[columns, 0]
    border, corner = model.matrix[:-1, -1], float(model.matrix[-1, -1])
    level = float(here.gradient.intercept[0]) if objective.fit_intercept else 0.0
    part = penalty.of(columns)
    moves_level = objective.fit_intercept and corner > 0
    if moves_level:  # the intercept is at its best for any coefficients
        square = with_rank(square, border, -1 / corner)
        slope = slope - border * (level / corner)
    found = minimise(square, slope, w, part, unit[columns], aim)
    change = found - w
    coef, intercept = here.point.coef.copy(), here.point.intercept.copy()
    coef[columns, 0] = found
    lowered = float(slope @ change) + part.value(found) - part.value(w)
    if moves_level:
        intercept -= (level + float(border @ change)) / corner
        lowered -= level * level / corner
    return Point(coef, intercept), lowered


def _along(
    objective: Objective,
    penalty: ElasticNet,
    here: Evaluation,
    value: float,
    aimed: Point,
    predicted: float,
) -> tuple[Evaluation, float, float] | None:
    """Return the first point on the way that is low enough, its value and the step's length."""
    noise = _NOISE * (abs(value) + here.floor_size)
    step, length, point = aimed.moved(-1.0, here.point), 1.0, aimed
    # where an exponential is flat, steps are so long that only a tiny part of one is of use
    longest = max(float(np.abs(part).max(initial=0.0)) for part in (step.coef, step.intercept))
    shortest = _SHORTEST / max(1.0, longest)
    while length > shortest:
        there = objective.evaluate(point)
        reached = there.value + penalty.value(point.coef[:, 0])
        if reached <= value + 1e-4 * length * predicted + noise:
            return there, reached, length
        length *= 0.25
        moved = here.point.moved(length, step)
        point = Point(penalty.nearest(moved.coef.T).T, moved.intercept)
    return None


def _packed(objective: Objective, point: Point, columns: IntArray) -> FloatArray:
    """Return some coefficients and the intercept as one vector."""
    level = point.intercept if objective.fit_intercept else np.zeros(1)
    return np.append(point.coef[columns, 0], level)
