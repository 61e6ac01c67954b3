"""Descent with a bound of the curvature: it cannot fail where curvatures vanish.

f lies below the parabola with the largest curvature that the loss can have, so a step to the
minimum of that parabola always lowers f (majorisation; Boehning and Lindsay 1988). Limited-memory
updates learn what the bound misses.
"""

from __future__ import annotations

from chainrule.engine.objective.objective import Objective, Point
from chainrule.engine.solvers.quasi_newton import fixed_hessian_inverse, quasi_newton
from chainrule.engine.solvers.steps import Monitor, Outcome, no_op_monitor


def descend(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
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
    """
    evaluation = objective.evaluate(start)
    if monitor(evaluation):
        return Outcome(evaluation, "interrupted")
    return quasi_newton(
        objective,
        evaluation,
        fixed_hessian_inverse(objective, objective.loss.facts.curvature[1]),
        has_converged=lambda at, expected: expected <= tolerance * at.excess,
        max_iter=max_iter,
        monitor=monitor,
    )
