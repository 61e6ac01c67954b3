"""Few passes: solve on a random sample first, then step on all rows with the sample's curvature.

For many more rows than parameters, a sixteenth of the rows knows the curvature to within a few
per cent. A step on all rows then costs one gradient, a single read of X, and removes all but a few
per cent of the error; limited-memory updates (Liu and Nocedal 1989) learn the rest.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.training.arrays import UNIT, FloatArray, norm
from chainrule.training.objective import Evaluation, Objective, Point
from chainrule.training.penalties import L2Penalty
from chainrule.training.solvers.curvature import Curvature
from chainrule.training.solvers.line_search import line_search
from chainrule.training.solvers.newton import newton
from chainrule.training.solvers.newton_cg import estimated_gap
from chainrule.training.solvers.steps import IterationRecord, Outcome, Stop, Watch, never
from chainrule.training.sources import InMemorySource

ROWS_PER_PARAMETER: Final[int] = 20
"""Rows that the smallest sample has for each parameter, at least."""

FRACTIONS: Final[tuple[int, ...]] = (64, 16)
"""One row in so many is drawn, sample after sample; the last gives the curvature."""

_MEMORY: Final[int] = 10
_SEED: Final[int] = 20_260
_SLOW: Final[float] = 0.2
_ROUGH: Final[float] = 1e-4


def pays(source: object, n_parameters: int) -> bool:
    """Tell whether a problem has rows enough for samples to know its curvature."""
    if not isinstance(source, InMemorySource) or not source.is_fused:
        return False
    return source.n_samples >= FRACTIONS[-1] * ROWS_PER_PARAMETER * n_parameters


def sampled_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    watch: Watch = never,
) -> Outcome:
    """Minimise by steps on all rows whose curvature is that of a random sample.

    Where the steps shrink the error too slowly for that, full Newton takes over: columns that are
    hardly ever non-zero can be missing from the sample.

    Parameters
    ----------
    objective : Objective
        Over an `InMemorySource`.
    start : Point
    tolerance : float
        Relative to f: stop when strong convexity puts f - f* below, or when a step expects less
        and the Hessian's proof is cheaper than going on.
    max_iter : int
        Largest number of steps on all rows.
    watch : callable
        Called with each evaluation on all rows; True stops the solver.
    """
    point, inverse = _from_samples(objective, start)
    evaluation, history = objective.evaluate(point), list[IterationRecord]()
    known = objective.value_at_origin()
    if start.coef.any():
        warm = objective.evaluate(start)
        known = min(known, warm.value)
        evaluation = warm if warm.value <= evaluation.value else evaluation
    if not evaluation.value <= known:  # the sample misled: it may lack what holds coef back
        return newton(objective, start, tolerance=tolerance, max_iter=max_iter, watch=watch)
    pairs: deque[tuple[FloatArray, FloatArray]] = deque(maxlen=_MEMORY)
    stop: Stop = "max_iter"
    last, slow = np.inf, 0
    # a pass that forms the Hessian costs about so many that do not
    extra = 1 + objective.n_parameters // 25
    while True:
        if watch(evaluation):
            stop = "interrupted"
            break
        gradient = objective.pack(evaluation.gradient)
        vector = -_two_loops(gradient, pairs, inverse)
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "converged" if not gradient.any() else "stalled"
            break
        if _has_converged(objective, evaluation, tolerance):
            stop = "converged"
            break
        if -slope / 2 <= tolerance * evaluation.value / 4:
            extra -= 1
            if extra < 0 or objective.penalty.is_none:
                stop = "converged"
                break
        if len(history) >= max_iter:
            break
        slow = slow + 1 if -slope > _SLOW * last else 0
        if slow > 1 and -slope > _ROUGH * tolerance * evaluation.value:
            return _handed_over(objective, evaluation, history, tolerance, max_iter, watch)
        last = -slope
        clock = perf_counter()
        direction = objective.unpack(vector)
        reached = objective.evaluate(evaluation.point.moved(1.0, direction))
        step = 1.0
        if not _is_accepted(
            evaluation.value, slope, reached, objective.pack(reached.gradient), vector
        ):
            raw_direction = objective.raw_direction(direction)
            along = objective.along(evaluation, direction, raw_direction)
            step = line_search(along, evaluation.value, slope)
            if step == 0.0:
                stop = "stalled"
                break
            reached = objective.evaluate(evaluation.point.moved(step, direction))
        history.append(
            IterationRecord(evaluation.value, norm(gradient), step, perf_counter() - clock)
        )
        change = objective.pack(reached.gradient) - gradient
        if float(change @ vector) > 0:
            pairs.append((step * vector, change))
        evaluation = reached
    return Outcome(evaluation, stop, history)


def _from_samples(objective: Objective, start: Point) -> tuple[Point, Curvature]:
    """Solve on growing samples; return the point and the curvature of all rows, estimated."""
    source = objective.source
    assert isinstance(source, InMemorySource)
    point, share = start, 1.0
    curvature: Curvature | None = None
    for number, fraction in enumerate(FRACTIONS):
        n_rows = source.n_samples // fraction
        if n_rows < ROWS_PER_PARAMETER * objective.n_parameters:
            continue
        sample = source.sample(n_rows, _SEED + number)
        share = sample.total_weight / source.total_weight
        small = Objective(
            sample,
            objective.loss,
            L2Penalty(share * objective.penalty.strength),
            fit_intercept=objective.fit_intercept,
            n_threads=objective.n_threads,
        )
        is_last = fraction == FRACTIONS[-1]
        outcome = newton(small, point, tolerance=1e-9 if is_last else 1e-6, max_iter=15)
        point, curvature = outcome.evaluation.point, outcome.curvature
        objective.passes += small.passes * sample.n_samples / source.n_samples
    assert curvature is not None
    return point, curvature.times(1 / share)


def _two_loops(
    gradient: FloatArray, pairs: deque[tuple[FloatArray, FloatArray]], inverse: Curvature
) -> FloatArray:
    """Return the quasi-Newton inverse Hessian times the gradient (Nocedal and Wright, 7.4)."""
    vector, weights = gradient.copy(), []
    for step, change in reversed(pairs):
        weight = float(step @ vector) / float(step @ change)
        weights.append(weight)
        vector = vector - weight * change
    vector = inverse.solve(vector)
    for (step, change), weight in zip(pairs, reversed(weights), strict=True):
        vector = vector + (weight - float(change @ vector) / float(step @ change)) * step
    return vector


def _has_converged(objective: Objective, evaluation: Evaluation, tolerance: float) -> bool:
    if objective.penalty.is_none:
        return False
    return estimated_gap(objective, evaluation) <= tolerance * evaluation.value


def _is_accepted(
    value: float, slope: float, reached: Evaluation, gradient: FloatArray, vector: FloatArray
) -> bool:
    """Judge the full step as `line_search` would."""
    rise = float(gradient @ vector)
    if reached.value <= value + 1e-4 * slope or rise <= 0:
        return True
    return reached.value <= value + 64 * UNIT * abs(value) and rise <= 0.5 * abs(slope)


def _handed_over(
    objective: Objective,
    evaluation: Evaluation,
    history: list[IterationRecord],
    tolerance: float,
    max_iter: int,
    watch: Watch,
) -> Outcome:
    outcome = newton(
        objective,
        evaluation.point,
        tolerance=tolerance,
        max_iter=max_iter - len(history),
        watch=watch,
    )
    outcome.history[:0] = history
    return outcome
