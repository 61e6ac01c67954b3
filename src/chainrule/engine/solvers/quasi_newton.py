"""Steps with a curvature that is known beforehand, corrected by what the steps themselves show.

Limited-memory updates (Liu and Nocedal 1989) on top of a fixed inverse. For several classes there
is a curvature that costs one product X^T X and one small factor: that of level scores, where every
class has the same probability 1/K. It is (I - 11^T/K)/K for the outputs times X^T S X for the
columns, so that on coefficients which sum to zero over the classes each output is solved by itself.
Boehning's bound (1992) is K/2 times as large; limited-memory updates do not see such a factor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, norm
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.blocks import DenseBlock
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.runtime.executors import Partial
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, Stop, no_op_monitor

_MEMORY: Final[int] = 10
"""Steps that are remembered."""

_STEEP: Final[float] = 0.5
_LONGEST: Final[float] = 2.0**40

Inverse = Callable[[FloatArray], FloatArray]
HasConverged = Callable[[Evaluation, float], bool]
_Pairs = deque[tuple[FloatArray, FloatArray]]


def _two_loops(gradient: FloatArray, pairs: _Pairs, inverse: Inverse) -> FloatArray:
    """Return the quasi-Newton inverse Hessian times the gradient (Nocedal and Wright, 7.4)."""
    vector, weights = gradient.copy(), []
    for step, change in reversed(pairs):
        weight = float(step @ vector) / float(step @ change)
        weights.append(weight)
        vector = vector - weight * change
    vector = inverse(vector)
    for (step, change), weight in zip(pairs, reversed(weights), strict=True):
        vector = vector + (weight - float(change @ vector) / float(step @ change)) * step
    return vector


def is_accepted(
    before: Evaluation, slope: float, reached: Evaluation, gradient: FloatArray, vector: FloatArray
) -> bool:
    """Judge the full step as `line_search` would."""
    value, rise = before.value, float(gradient @ vector)
    if reached.value <= value + 1e-4 * slope or rise <= 0:
        return True
    return reached.value <= value + 64 * UNIT * before.magnitude and rise <= 0.5 * abs(slope)


def _lengthened(
    objective: Objective, start: Evaluation, direction: Point, value: float, slope: float
) -> float:
    """Return a step beyond 1, doubled while f falls and its slope is hardly less."""
    along = objective.along(start, direction, objective.raw_direction(direction))
    step = 1.0
    while step < _LONGEST:
        trial, rise = along(2 * step)
        if not trial < value:
            break
        step, value = 2 * step, trial
        if rise >= _STEEP * slope:
            break
    return step


def quasi_newton(
    objective: Objective,
    start: Evaluation,
    inverse: Inverse,
    *,
    has_converged: HasConverged,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
    polish: int = 0,
    keep: bool = True,
    lengthen: bool = False,
) -> Outcome:
    """Minimise by full steps with an inverse Hessian that the steps correct.

    Parameters
    ----------
    objective : Objective
    start : Evaluation
    inverse : callable
        A packed gradient -> the inverse Hessian times it, about.
    has_converged : callable
        Told an evaluation and by how much the next step is expected to lower f.
    max_iter : int
    monitor : callable
        Called with each evaluation but the first; True stops the solver.
    polish : int
        How many steps are still taken once they matter no more for f: for what f does not see of
        the coefficients.
    keep : bool
        Whether evaluations keep their raw predictions.
    lengthen : bool
        Whether steps are doubled as long as f falls nearly as steeply as where they began.
    """
    evaluation, history = start, list[IterationRecord]()
    pairs: _Pairs = deque(maxlen=_MEMORY)
    stop: Stop = "max_iter"
    while True:
        gradient = objective.pack(evaluation.gradient)
        vector = -_two_loops(gradient, pairs, inverse)
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "converged" if not gradient.any() else "stalled"
            break
        done = has_converged(evaluation, -slope / 2)
        if done:
            polish = polish - 1 if history else min(polish, 1) - 1
        if done and polish < 0:
            stop = "converged"
            break
        if len(history) >= max_iter:
            break
        clock = perf_counter()
        direction = objective.unpack(vector)
        step = 1.0
        reached = objective.evaluate(evaluation.point.moved(step, direction), keep=keep)
        after = objective.pack(reached.gradient)
        accepted = is_accepted(evaluation, slope, reached, after, vector)
        if done and not accepted:
            stop = "converged"
            break
        if not accepted:
            along = objective.along(evaluation, direction, objective.raw_direction(direction))
            step = line_search(along, evaluation.value, slope, evaluation.magnitude)
            if step == 0.0:
                stop = "stalled"
                break
            reached = objective.evaluate(evaluation.point.moved(step, direction), keep=keep)
            after = objective.pack(reached.gradient)
        elif lengthen and float(after @ vector) < _STEEP * slope:
            step = _lengthened(objective, evaluation, direction, reached.value, slope)
            if step > 1.0:
                reached = objective.evaluate(evaluation.point.moved(step, direction), keep=keep)
                after = objective.pack(reached.gradient)
        history.append(
            IterationRecord(evaluation.value, norm(gradient), step, perf_counter() - clock)
        )
        if float((after - gradient) @ vector) > 0:
            pairs.append((step * vector, after - gradient))
        evaluation = reached
        if monitor(evaluation):
            stop = "interrupted"
            break
    return Outcome(evaluation, stop, history)


def fixed_hessian_inverse(objective: Objective, curvature: float | None = None) -> Inverse:
    """Return the inverse Hessian where every example has the same curvature.

    By default that of level scores, 1/K, for vectors that sum to zero over the outputs.
    """
    n_outputs, size = objective.loss.n_outputs, objective.n_rows_of_hessian

    def one(block: RowBlock) -> Partial:
        s = block.sample_weight
        total, n_free = np.empty((size, size)), size - int(objective.fit_intercept)
        # BLAS is as fast here, and one compiled pass less has to be loaded
        X = DenseBlock(block.X.dense()) if isinstance(block.X, FusedBlock) else block.X
        total[:n_free, :n_free] = objective.among_free(X.sandwich(s))
        if objective.fit_intercept:
            total[-1] = total[:, -1] = objective.pack(Point(X.rmatvec(s[:, None]), s.sum()[None]))
        return (total,)

    (level,) = objective.sum_over_blocks(one)
    if curvature is None:
        level /= n_outputs
    else:
        level *= curvature
    strength = Point(objective.penalty.strength[:, None], np.zeros(1))
    level[np.diag_indices(size)] += objective.pack(strength)
    factored = Curvature(level, 1)

    def solve(vector: FloatArray) -> FloatArray:
        return factored.solve(vector.reshape(n_outputs, size).T).T.ravel()

    return solve
