"""Bounds on f - f* from a lower bound of the curvature around a point: for any loss.

They need no self-concordance constant, and no convexity if a local minimum will do, but a Hessian
of all rows for each width that is tried. See "local strong convexity" in `certificate`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.rounding import Rounding, measure_rounding
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome

_WIDER: Final[tuple[float, ...]] = (2.0, 16.0)
"""How much farther than a Newton step the curvature is bounded."""


def local_certificate(objective: Objective, outcome: Outcome) -> Certificate:
    """Prove how far the nearest local minimum is from the point where a solver stopped.

    Parameters
    ----------
    objective : Objective
        Of a loss with one output.
    outcome : Outcome

    Returns
    -------
    Certificate
        Of the kind "local strong convexity", or "none" with what is in the way.
    """
    rounding = measure_rounding(objective, outcome.evaluation)
    here = _Ball.around(objective, outcome, rounding, 0.0)
    if here is None:
        return _refused(objective, outcome, rounding, "the curvature here is not positive")
    for factor in _WIDER:
        width = factor * here.distance * here.reach
        ball = _Ball.around(objective, outcome, rounding, width)
        if ball is None:
            break
        if ball.distance * ball.reach <= width:
            units = 1 / objective.source.column_scale[:, None]
            keep = objective.pack(Point(units, np.zeros(1)))
            return claim(
                objective,
                outcome,
                rounding,
                "local strong convexity",
                0.5000005 * ball.distance**2,
                1.000001 * ball.distance * ball.per_unit(keep),
                "the curvature is positive as far as the next minimum",
            )
    return _refused(
        objective, outcome, rounding, "the curvature is not positive as far as a Newton step leads"
    )


class _Ball:
    """A lower bound B of the Hessian wherever no score moves by more than a width.

    Attributes
    ----------
    distance : float
        Bound on the gradient in the norm of B^-1: how far away a minimiser is in that of B.
    reach : float
        Bound on |u^T x_i| over all rows and |u|_B <= 1.
    """

    def __init__(self, curvature: Curvature, trust: float, distance: float, reach: float) -> None:
        self._curvature, self._trust = curvature, trust
        self.distance, self.reach = distance, reach

    @classmethod
    def around(
        cls, objective: Objective, outcome: Outcome, rounding: Rounding, width: float
    ) -> _Ball | None:
        """Return the bound within a width; None where it is not positive definite."""
        loss, wide = objective.loss, width + rounding.raw_prediction

        def lowest(raw: FloatArray, y: FloatArray) -> FloatArray:
            return loss.curvature_range(raw, y, wide)[0]

        raw = outcome.evaluation.raw_prediction
        hessian, sizes = objective.hessian_with(raw, lowest)
        if not np.isfinite(hessian).all():
            return None
        curvature = Curvature(hessian, 1)
        smallest = curvature.smallest
        # where curvatures of both signs cancel, rounding is relative to their sizes
        cancelled = max(1.0, float((sizes / curvature.scale**2).max()))
        lost = len(sizes) * rounding.summation * cancelled + curvature.eigenvalue_error
        if not smallest > 2 * lost:
            return None
        trust = 1 - lost / smallest
        gradient = objective.pack(outcome.evaluation.gradient)
        distance = curvature.dual_norm(gradient) + curvature.largest_norm(
            objective.pack(rounding.gradient)
        )
        reach = curvature.widest_spread(objective.row_bounds)
        root = float(np.sqrt(trust))
        return cls(curvature, trust, 1.000001 * distance / root, 1.000001 * reach / root)

    def per_unit(self, keep: FloatArray) -> float:
        """Bound the Euclidean norm of K u over |u|_B <= 1 for K = diag(keep)."""
        return self._curvature.inverse_root_trace(keep) / float(np.sqrt(self._trust))


def _refused(
    objective: Objective, outcome: Outcome, rounding: Rounding, because: str
) -> Certificate:
    if not objective.loss.facts.convex:
        because += "; the loss is not convex"
    return claim(objective, outcome, rounding, "none", np.inf, np.inf, because)
