"""Truncated Newton: for many parameters or sparse data, where a Hessian cannot be formed."""

from __future__ import annotations

from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, norm
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.objective.products import products
from chainrule.engine.solvers.conjugate_gradients import conjugate_gradients
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.starting import balance_intercept
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, Stop, no_op_monitor

_FORCING: Final[tuple[float, float]] = (1e-4, 0.3)
_SHARE: Final[float] = 0.5
FINE: Final[float] = 1e-14
"""A tolerance that asks for all digits there are."""


def newton_cg(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
    max_inner: int = 1000,
) -> Outcome:
    """Minimise by Newton steps from preconditioned conjugate gradients.

    The preconditioner is a mixture of the Hessian's diagonal and the penalty's, as Hsia, Chiang and
    Lin (2018) recommend for logistic regression: columns that are often non-zero together have
    less curvature on their own than their diagonal says. An inner solve ends when the quadratic
    model improves too little per iteration (the quadratic rule of Nash and Sofer 1990), or when
    the gradient that it leaves proves the tolerance.

    Parameters
    ----------
    objective : Objective
    start : Point
    tolerance : float
        Relative to f: stop when strong convexity or the Newton decrement puts f - f* below.
    max_iter : int
        Largest number of outer steps.
    monitor : callable
        Called with each evaluation; True stops the solver.
    max_inner : int
        Largest number of conjugate gradient iterations per step.
    """
    evaluation = objective.evaluate(start)
    history: list[IterationRecord] = []
    stop: Stop = "max_iter"
    strength = _strength(objective)
    in_gap = gap_weights(objective)
    while True:
        if monitor(evaluation):
            stop = "interrupted"
            break
        gradient = objective.pack(evaluation.gradient)
        if estimated_gap(objective, evaluation) <= tolerance * evaluation.excess:
            stop = "converged"
            break
        if len(history) >= max_iter:
            break
        clock = perf_counter()
        curvature = products(objective, evaluation)
        diagonal = curvature.diagonal()
        diagonal = np.where(diagonal > 0, diagonal, 1.0)
        forcing = expected_forcing(gradient, diagonal, evaluation.excess)
        # for all digits the quadratic rule goes on
        enough = tolerance * evaluation.excess / 2 if tolerance > FINE else 0.0
        vector = conjugate_gradients(
            curvature,
            gradient,
            mixed_diagonal(diagonal, strength),
            forcing,
            max_inner,
            in_gap,
            enough,
        )
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "stalled"
            break
        if forcing < 0.05 and -slope / 2 <= tolerance * evaluation.excess / 4:
            tolerance = np.inf  # converged by the Newton decrement: take this last step
        direction = objective.unpack(vector)
        raw_direction = curvature.raw_direction(direction)
        along = objective.along(evaluation, direction, raw_direction)
        step = line_search(along, evaluation.value, slope, evaluation.magnitude)
        if step == 0.0 or -slope <= 4 * UNIT**2 * evaluation.excess:
            stop = "stalled"
            break
        point = objective.centred(evaluation.point.moved(step, direction))
        if objective.fit_intercept:
            raw = evaluation.raw_prediction + step * raw_direction
            point = balance_intercept(objective, point, raw)
        reached = objective.evaluate(point)
        if reached.value > evaluation.value + 64 * UNIT * evaluation.magnitude:
            stop = "stalled"  # the gradient was rounding, and so was the step
            break
        history.append(
            IterationRecord(evaluation.value, norm(gradient), step, perf_counter() - clock)
        )
        evaluation = reached
    return Outcome(evaluation, stop, history)


def expected_forcing(gradient: FloatArray, diagonal: FloatArray, excess: float) -> float:
    """Return how far an inner solve goes, by how far f is expected to fall in a step.

    It depends on this point alone, so that a warm start goes on as if never left.
    """
    ahead = float((gradient**2 / diagonal).sum()) / max(2 * excess, 1e-300)
    return float(np.clip(np.sqrt(ahead), *_FORCING))


def mixed_diagonal(diagonal: FloatArray, strength: FloatArray) -> FloatArray:
    """Return the preconditioner: a mixture of the Hessian's diagonal and the penalty's."""
    return _SHARE * diagonal + (1 - _SHARE) * np.where(strength > 0, strength, diagonal)


def estimated_gap(objective: Objective, evaluation: Evaluation) -> float:
    """Estimate f - f* from the gradient: by strong convexity, or by the scaled gradient."""
    gradient = evaluation.gradient
    if objective.penalty.is_none:
        diagonal = objective.pack(objective.hessian_diagonal(evaluation))
        vector = objective.pack(gradient)
        positive = diagonal > 0
        return float((vector[positive] ** 2 / diagonal[positive]).sum())
    strength = objective.penalty.strength[:, None]
    residual = float(np.abs(gradient.intercept).sum())
    return float((gradient.coef**2 / (2 * strength)).sum()) + 4 * residual


def gap_weights(objective: Objective) -> FloatArray:
    """Return what the square of each entry of a gradient adds to a bound of f - f*.

    The intercept is balanced at the end, so what is left of its gradient does not count.
    """
    strength = _strength(objective)
    return np.divide(0.5, strength, where=strength > 0, out=np.zeros_like(strength))


def _strength(objective: Objective) -> FloatArray:
    """Return what the penalty adds to each entry of the Hessian's diagonal."""
    strength = np.tile(objective.penalty.strength[:, None], objective.loss.n_outputs)
    return objective.pack(Point(strength, np.zeros(objective.loss.n_outputs)))
