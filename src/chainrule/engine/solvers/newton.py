"""Newton's method with the full Hessian: for up to a few thousand parameters."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from chainrule.engine.arrays import UNIT, norm
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, Stop, no_op_monitor


def newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
) -> Outcome:
    """Minimise by Newton steps on the implicitly scaled Hessian, with a backtracking line search.

    The estimate of f - f* is half the squared Newton decrement (Boyd and Vandenberghe, *Convex
    Optimization*, 9.5.1). Once it is within the tolerance the step at hand, already paid for, is
    still taken: it about squares the remaining error.

    Parameters
    ----------
    objective : Objective
    start : Point
    tolerance : float
        Relative to f.
    max_iter : int
        Largest number of steps.
    monitor : callable
        Called with each evaluation; True stops the solver.
    """
    evaluation = objective.evaluate(start, with_hessian=True)
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    while True:
        assert evaluation.hessian is not None
        if not np.isfinite(evaluation.hessian).all():
            return Outcome(evaluation, "stalled", history)  # f or its curvature has overflowed
        curvature = Curvature(evaluation.hessian, objective.loss.n_outputs)
        here = Outcome(evaluation, "stalled", history, curvature, evaluation.point)
        if monitor(evaluation):
            stop = "interrupted"
            break
        if len(history) >= max_iter:
            break
        clock = perf_counter()
        gradient = objective.pack(evaluation.gradient)
        vector = -curvature.solve(gradient)
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "converged" if not gradient.any() else "stalled"
            break
        expected = -slope / 2
        done = expected <= tolerance * evaluation.excess
        direction = objective.unpack(vector)
        # the full step is nearly always right: look there first, and read X only once
        point = objective.centred(evaluation.point.moved(1.0, direction))
        reached = objective.evaluate(point, with_hessian=not done)
        step = 1.0
        if not reached.value <= evaluation.value + 1e-4 * slope:
            raw_direction = objective.raw_direction(direction)
            along = objective.along(evaluation, direction, raw_direction)
            step = line_search(along, evaluation.value, slope, evaluation.magnitude)
        if step == 0.0 or (done and expected <= 4 * UNIT**2 * evaluation.excess):
            stop = "converged" if done else "stalled"
            break
        if step != 1.0:
            point = objective.centred(evaluation.point.moved(step, direction))
            reached = objective.evaluate(point, with_hessian=not done)
        history.append(
            IterationRecord(
                evaluation.value,
                norm(gradient),
                step,
                perf_counter() - clock,
            )
        )
        if done:
            moved = reached.raw_prediction - evaluation.raw_prediction
            drift = float(objective.loss.log_curvature_change(moved).max())
            return Outcome(reached, "converged", history, curvature, evaluation.point, drift)
        evaluation = reached
    return Outcome(here.evaluation, stop, history, curvature, evaluation.point)
