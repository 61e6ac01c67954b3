"""Several classes, dense: few Hessians, since one costs K^2/2 times as much as for two classes.

Far from the optimum the curvature of level scores leads the way, at the price of gradients. Nearby,
one Hessian is formed, and the steps that follow use it as long as it serves; limited-memory updates
make good what changes on the way. It also proves how far the optimum can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.newton_cg import estimated_gap
from chainrule.engine.solvers.quasi_newton import fixed_hessian_inverse, quasi_newton
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, no_op_monitor

_ROUGH: Final[float] = 1e-3
"""What a step with level scores' curvature expects, relative to f, when it has led near enough."""

_PATIENCE: Final[int] = 12
"""Steps that a Hessian serves at most."""

_POLISH: Final[int] = 3
"""Steps that are taken beyond the tolerance, where gradients cost next to nothing."""

_FEW_ENTRIES: Final[int] = 1_000_000

_FARTHEST: Final[float] = 2.0
"""How far, as a logarithm, a curvature may have changed to be of use for a proof."""


def fixed_hessian_descent(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
) -> Outcome:
    """Minimise with a fixed Hessian until a step would lower f by less than `tolerance` f."""
    evaluation = objective.evaluate(objective.centred(start))
    if monitor(evaluation):
        return Outcome(evaluation, "interrupted")
    return quasi_newton(
        objective,
        evaluation,
        fixed_hessian_inverse(objective),
        has_converged=lambda at, expected: expected <= tolerance * at.excess,
        max_iter=max_iter,
        monitor=monitor,
    )


def class_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
) -> Outcome:
    """Minimise a softmax problem whose Hessian can be formed, a few times.

    Parameters
    ----------
    objective : Objective
        Of more than two classes.
    start : Point
    tolerance : float
        Relative to f: stop when strong convexity, or the curvature at hand, puts f - f* below.
    max_iter : int
        Largest number of steps.
    monitor : callable
        Called with each evaluation; True stops the solver.
    """
    outcome = fixed_hessian_descent(
        objective, start, tolerance=_ROUGH, max_iter=min(max_iter, 40), monitor=monitor
    )
    history: list[IterationRecord] = outcome.history
    while outcome.stop != "interrupted":
        at = objective.evaluate(objective.centred(outcome.evaluation.point), with_hessian=True)
        assert at.hessian is not None
        curvature = Curvature(at.hessian, objective.loss.n_outputs)
        known = _Known(objective, curvature, at, tolerance)
        outcome = quasi_newton(
            objective,
            at,
            curvature.solve,
            has_converged=known.proves,
            max_iter=min(_PATIENCE + _POLISH, max_iter - len(history)),
            monitor=monitor,
            polish=_POLISH if objective.source.n_entries <= _FEW_ENTRIES else 0,
        )
        history = history + outcome.history
        drift = known.drift(outcome.evaluation)
        if outcome.stop != "max_iter" or len(history) >= max_iter:
            if drift > _FARTHEST:
                return Outcome(outcome.evaluation, outcome.stop, history)
            return Outcome(outcome.evaluation, outcome.stop, history, curvature, at.point, drift)
    return Outcome(outcome.evaluation, outcome.stop, history)


@dataclass(frozen=True)
class _Known:
    """A curvature, where it was taken, and what is to be proven with it."""

    objective: Objective
    curvature: Curvature
    reference: Evaluation
    tolerance: float

    def drift(self, at: Evaluation) -> float:
        """Bound |log| of what the curvature has changed by since the reference."""
        moved: FloatArray = at.raw_prediction - self.reference.raw_prediction
        return float(self.objective.loss.log_curvature_change(moved).max())

    def proves(self, at: Evaluation, expected: float) -> bool:
        """Tell whether the certificate will prove f - f* <= tolerance f, about."""
        allowed = self.tolerance * at.excess
        if expected > allowed:
            return False
        if not self.objective.penalty.is_none and estimated_gap(self.objective, at) <= allowed:
            return True
        drift = self.drift(at)
        return drift <= _FARTHEST and expected * float(np.exp(drift)) <= allowed
