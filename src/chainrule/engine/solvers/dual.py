r"""More columns than rows: Newton on one number per row, through the Gram matrix of the rows.

With a penalty the optimum is coef = S^-1 X^T alpha, S the strengths: X enters through
G = X S^-1 X^T alone, m x m, computed once. With rho the weighted residuals and D the weighted
curvatures of the examples, the gradient is X^T (rho + alpha), and a Newton step delta solves

    (D G + I) delta + D 1 step = -(rho + alpha),    1^T (alpha + delta) = 0,

the second line for the intercept. With delta = S u, S = D^(1/2), the system is symmetric:
(S G S + I) u = ..., one Cholesky factor a step (Rasmussen and Williams, *Gaussian Processes for
Machine Learning*, 2006, algorithm 3.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.machine import single_threaded_algebra
from chainrule.engine.solvers.curvature import positive_solve
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.newton import newton
from chainrule.engine.solvers.newton_cg import newton_cg
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, no_op_monitor

_LEAST_ROOT: Final[float] = 1e-100
"""Curvatures that have underflowed count as the square of this, which changes no step."""

_ON_COLUMNS: Final[float] = 1e5
"""How much coarser the tolerance is on the columns: a step there takes many reads of X."""

_FEW: Final[int] = 600
"""Unknowns of a system that one thread solves fast enough."""


def row_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
) -> Outcome:
    """Minimise a penalised two-class objective with one unknown per row.

    What rounding in G leaves to do on the columns themselves, Newton does: often nothing.

    Parameters
    ----------
    objective : Objective
        Penalised, with one output.
    start : Point
        Its intercept is where the rows start; the rest is used only if it lies lower than they get.
    tolerance : float
        Relative to f.
    max_iter : int
    monitor : callable
        Called with the evaluations on the columns; True stops the solver.
    """
    gram = _gram(objective)
    # threads of BLAS gain nothing on systems this small, and lose much where a core is busy
    with single_threaded_algebra() if len(gram) <= _FEW else nullcontext():
        return _row_newton(objective, gram, start, tolerance, max_iter, monitor)


def _row_newton(
    objective: Objective,
    gram: FloatArray,
    start: Point,
    tolerance: float,
    max_iter: int,
    monitor: Monitor,
) -> Outcome:
    """Solve on the rows, and finish on the columns."""
    origin = float(start.intercept[0])
    with np.errstate(over="ignore", invalid="ignore"):  # judged by the objective below
        point, history = _solve_on_rows(objective, gram, origin, tolerance, max_iter)
        reached = objective.evaluate(point).value
    known = objective.evaluate(start).value if start.coef.any() else objective.value_at_origin
    if not reached <= known:
        point = start
    on_columns = newton if objective.n_parameters <= _FEW else newton_cg
    outcome = on_columns(
        objective,
        point,
        tolerance=_ON_COLUMNS * tolerance,
        max_iter=max_iter - len(history),
        monitor=monitor,
    )
    outcome.history[:0] = history
    return outcome


def _solve_on_rows(
    objective: Objective, gram: FloatArray, intercept: float, tolerance: float, max_iter: int
) -> tuple[Point, list[IterationRecord]]:
    source, loss = objective.source, objective.loss
    labels = [source.labels(index) for index in range(source.n_blocks)]
    y = np.concatenate([part for _, part, _ in labels])
    weight = np.concatenate([part for _, _, part in labels])
    alpha = np.zeros(len(y))
    offset = 0.0 if source.offset is None else source.offset[:, 0]
    history: list[IterationRecord] = []
    while len(history) < (max_iter + 1) // 2:  # where rows get nowhere, columns may
        clock = perf_counter()
        pull = gram @ alpha
        raw = (pull + intercept + offset)[:, None]
        value = float(weight @ loss.pointwise_loss(raw, y)) + 0.5 * float(alpha @ pull)
        excess = max(value - objective.floor(value), 0.0)
        residual = weight * loss.pointwise_gradient(raw, y)[:, 0]
        bend = weight * loss.pointwise_hessian(raw, y)[:, 0, 0]
        root = np.maximum(np.sqrt(bend), _LEAST_ROOT)
        system = gram * root
        system *= root[:, None]
        system.flat[:: len(system) + 1] += 1.0
        both = positive_solve(system, np.stack([(residual + alpha) / root, root]))
        if both is None:
            break  # scales so wild that the ones on the diagonal are lost: left to the columns
        to_gradient, to_intercept = both * root
        step = 0.0
        if objective.fit_intercept:
            bends = float(to_intercept.sum())
            if not bends > 0:
                break  # every curvature has underflowed
            step = float(alpha.sum() - to_gradient.sum()) / bends
        delta = -to_gradient - step * to_intercept
        change = gram @ delta
        slope = float((residual + alpha) @ change) + step * float(residual.sum())
        if not slope < -4 * UNIT**2 * excess:
            break
        along = _along(objective, raw[:, 0], change + step, y, weight, alpha, delta, pull, change)
        length = line_search(along, value, slope, excess + objective.floor_size)
        if length == 0.0:
            break
        alpha, intercept = alpha + length * delta, intercept + length * step
        size = float(np.sqrt(max((residual + alpha) @ gram @ (residual + alpha), 0.0)))
        history.append(IterationRecord(value, size, length, perf_counter() - clock))
        if -slope / 2 <= 1e-6 * tolerance * excess:  # steps are cheap here, on the columns not
            break
    return _on_columns(objective, alpha, intercept), history


def _along(
    objective: Objective,
    raw: FloatArray,
    raw_change: FloatArray,
    y: FloatArray,
    weight: FloatArray,
    alpha: FloatArray,
    delta: FloatArray,
    pull: FloatArray,
    change: FloatArray,
) -> Callable[[float], tuple[float, float]]:
    level, tilt, bend = float(alpha @ pull), float(delta @ pull), float(delta @ change)

    def at(step: float) -> tuple[float, float]:
        there = (raw + step * raw_change)[:, None]
        residual = weight * objective.loss.pointwise_gradient(there, y)[:, 0]
        value = float(weight @ objective.loss.pointwise_loss(there, y))
        value += 0.5 * level + step * tilt + 0.5 * step * step * bend
        return value, float(residual @ raw_change) + tilt + step * bend

    return at


def _rows(objective: Objective) -> Iterator[tuple[slice, FloatArray]]:
    """Yield a few rows at a time, with their place."""
    start = 0
    for index in range(objective.source.n_blocks):
        for rows in objective.source.block(index).X.dense_rows():
            yield slice(start, start + len(rows)), rows
            start += len(rows)


def _gram(objective: Objective) -> FloatArray:
    """Return X S^-1 X^T."""
    n_samples, strength = objective.source.n_samples, objective.penalty.strength
    common = float(strength[0]) if (strength == strength[0]).all() else 0.0
    gram = np.empty((n_samples, n_samples))
    for place, rows in _rows(objective):
        # a product of rows with themselves takes half the time of another: leave them as they are
        scaled = rows if common else rows / strength
        for other, columns in _rows(objective):
            if other.start > place.start:
                break
            gram[place, other] = scaled @ columns.T
            gram[other, place] = gram[place, other].T
        objective.passes += (place.stop + (place.stop - place.start)) / n_samples
    return gram / common if common else gram


def _on_columns(objective: Objective, alpha: FloatArray, intercept: float) -> Point:
    coef = np.zeros(objective.source.n_features)
    for place, rows in _rows(objective):
        coef += rows.T @ alpha[place]
    objective.passes += 1
    return Point((coef / objective.penalty.strength)[:, None], np.array([intercept]))
