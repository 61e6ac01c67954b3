"""Descent with a bound of the curvature: it cannot fail where curvatures vanish.

f lies below the parabola with the largest curvature that the loss can have, so a step to the
minimum of that parabola always lowers f (majorisation; Boehning and Lindsay 1988). Limited-memory
updates learn what the bound misses, and steps are lengthened while f still falls steeply.
"""

from __future__ import annotations

from typing import Final

from chainrule.engine.data.rows import RowBlock
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.executors import Partial
from chainrule.engine.solvers.quasi_newton import Inverse, fixed_hessian_inverse, quasi_newton
from chainrule.engine.solvers.steps import Monitor, Outcome, no_op_monitor

_FEW_ROWS: Final[int] = 2000
_ROWS_PER_PARAMETER: Final[int] = 40
_SEED: Final[int] = 41_201
_ROUGH: Final[float] = 1e-3
_STEPS: Final[int] = 40


def descend(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
    inverse: Inverse | None = None,
) -> Outcome:
    """Minimise until a step is expected to lower f by less than `tolerance` f.

    Parameters
    ----------
    objective : Objective
        Of a loss with one output and a bounded curvature.
    start : Point
    tolerance : float
    max_iter : int
    monitor : callable
        Called with each evaluation; True stops the solver.
    inverse : callable, optional
        The inverse of the bound of the Hessian.
    """
    evaluation = objective.evaluate(start)
    if monitor(evaluation):
        return Outcome(evaluation, "interrupted")
    steepest = objective.loss.facts.curvature[1]
    return quasi_newton(
        objective,
        evaluation,
        inverse or fixed_hessian_inverse(objective, steepest),
        has_converged=lambda at, expected: expected <= tolerance * at.excess,
        max_iter=max_iter,
        monitor=monitor,
        lengthen=True,
    )


def rough_start(objective: Objective, start: Point) -> Point:
    """Return a point from which Newton steps lead on, from some of the rows.

    Where scores are predictions of the target itself, least squares is tried first: losses that
    grow slowly are flat far from it, and those that are not convex have minima that mean nothing.
    """
    source = objective.source
    n_rows = max(_FEW_ROWS, _ROWS_PER_PARAMETER * objective.n_parameters)
    few = objective
    if n_rows <= source.n_samples // 2:
        few = objective.on_rows(source.sample(n_rows, _SEED))
    inverse = fixed_hessian_inverse(few, few.loss.facts.curvature[1])
    if few.loss.predicts_target:
        squares = _least_squares(few, start)
        if few.evaluate(squares).value <= few.evaluate(start).value:
            start = squares
    found = descend(few, start, tolerance=_ROUGH, max_iter=_STEPS, inverse=inverse)
    objective.passes += (
        few.passes * few.source.n_samples / source.n_samples * (few is not objective)
    )
    return found.evaluation.point


def _least_squares(objective: Objective, start: Point) -> Point:
    """Return the point of least squares, penalised like the objective."""
    solve = fixed_hessian_inverse(objective, 1.0)

    def one(block: RowBlock) -> Partial:
        raw = block.X.matvec(start.coef) + start.intercept + block.offset
        residual = block.sample_weight[:, None] * (raw - block.y[:, None])
        return block.X.rmatvec(residual), residual.sum(axis=0)

    coef, intercept = objective.sum_over_blocks(one)
    gradient = Point(coef + objective.penalty.gradient(start.coef), intercept)
    return start.moved(-1.0, objective.unpack(solve(objective.pack(objective.freed(gradient)))))
