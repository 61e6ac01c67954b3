"""Several classes: Newton steps by conjugate gradients, preconditioned class by class.

Far from the optimum the curvature of level scores leads the way, at the price of one product X^T X.
Nearby the blocks of the Hessian that belong to one class each take its place (`class_blocks`), and
are formed again when the products since have cost as much as they do.
"""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, norm
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.objective.products import ClassProducts
from chainrule.engine.solvers.class_blocks import (
    blocks_inverse,
    blocks_price,
    level_inverse,
)
from chainrule.engine.solvers.conjugate_gradients import Inverse, conjugate_gradients
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.newton_cg import estimated_gap, gap_weights
from chainrule.engine.solvers.quasi_newton import is_accepted
from chainrule.engine.solvers.starting import balance_intercept
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, Stop, no_op_monitor

_FORCING: Final[tuple[float, float]] = (1e-4, 0.3)
_FINE: Final[float] = 1e-14
_NEAR: Final[float] = 0.05
"""How much lower than f, relatively, a step expects to lead where blocks are first formed."""

_BETTER: Final[float] = 0.25
"""What a step leaves of the gap, at most, where another one is worth while for the proof alone."""

_FEW: Final[int] = 4
"""Products that level scores' curvature may take until then."""


def block_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
    max_inner: int = 500,
) -> Outcome:
    """Minimise a softmax problem of dense rows.

    Parameters
    ----------
    objective : ClassObjective
    start : Point
    tolerance : float
        Relative to f: stop when strong convexity or the Newton decrement puts f - f* below.
    max_iter : int
        Largest number of steps.
    monitor : callable
        Called with each evaluation; True stops the solver.
    max_inner : int
        Largest number of products with the Hessian per step.
    """
    assert isinstance(objective, ClassObjective)
    evaluation = objective.evaluate(objective.centred(start))
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    in_gap = gap_weights(objective)
    price, spent = blocks_price(objective), 0.0
    inverse: Inverse | None = None
    is_level, is_last, ahead = False, False, np.inf
    gap = estimated_gap(objective, evaluation)
    while True:
        if monitor(evaluation):
            stop = "interrupted"
            break
        allowed = tolerance * evaluation.excess
        if is_last or gap <= allowed:
            stop = "converged"
            break
        if len(history) >= max_iter:
            break
        clock = perf_counter()
        gradient = objective.pack(evaluation.gradient)
        curvature = ClassProducts(objective, evaluation)
        if inverse is None and not evaluation.point.coef.any():
            inverse, is_level = level_inverse(objective), True
        elif inverse is None or spent > price or (is_level and spent > _FEW and ahead < _NEAR):
            inverse, is_level, spent = blocks_inverse(objective, curvature.proba), False, 0.0
        ahead = float(gradient @ inverse(gradient)) / max(2 * evaluation.excess, 1e-300)
        forcing = float(np.clip(np.sqrt(max(ahead, 0.0)), *_FORCING))
        enough = allowed / 2 if tolerance > _FINE else 0.0
        before = objective.passes
        vector = conjugate_gradients(
            curvature, gradient, inverse, forcing, max_inner, in_gap, enough
        )
        spent += objective.passes - before
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "stalled"
            break
        is_last = forcing < 0.05 and -slope / 2 <= allowed / 4
        direction, step = objective.unpack(vector), 1.0
        reached = objective.evaluate(evaluation.point.moved(1.0, direction))
        after = objective.pack(reached.gradient)
        if not is_accepted(evaluation, slope, reached, after, vector):
            raw = reached.raw_prediction - evaluation.raw_prediction
            along = objective.along(evaluation, direction, raw)
            step = line_search(along, evaluation.value, slope, evaluation.magnitude)
            if step == 0.0:
                stop = "stalled"
                break
            reached = objective.evaluate(evaluation.point.moved(step, direction))
        if reached.value > evaluation.value + 64 * UNIT * evaluation.magnitude:
            stop = "stalled"  # the gradient was rounding, and so was the step
            break
        history.append(
            IterationRecord(evaluation.value, norm(gradient), step, perf_counter() - clock)
        )
        before_step, gap = gap, estimated_gap(objective, reached)
        evaluation = reached
        if objective.fit_intercept and not objective.penalty.is_none:
            residual = 4 * float(np.abs(evaluation.gradient.intercept).sum())
            if gap > allowed and (is_last or gap - residual <= allowed):
                point = balance_intercept(objective, evaluation.point, evaluation.raw_prediction)
                evaluation = objective.evaluate(objective.centred(point))
                gap = estimated_gap(objective, evaluation)
        # f itself is as good as it gets; what proves it may still have some way to go
        is_last = is_last and not allowed < gap <= _BETTER * before_step
    return Outcome(evaluation, stop, history)
