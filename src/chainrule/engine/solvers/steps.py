"""Result of every solver: the point, the course of the iterations, and the last curvature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.solvers.curvature import Curvature

Stop = Literal["converged", "stalled", "interrupted", "max_iter"]
Monitor = Callable[[Evaluation], bool]


@dataclass(frozen=True)
class IterationRecord:
    """One iteration: the objective and gradient it started from, and the step it took.

    Attributes
    ----------
    objective : float
        f before the step.
    gradient_norm : float
        Euclidean norm of the gradient before the step, intercept included.
    step : float
        Step length along the search direction, 1 for a full Newton step.
    seconds : float
        Wall clock of the iteration.
    """

    objective: float
    gradient_norm: float
    step: float
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """Where a solver stopped.

    Attributes
    ----------
    evaluation : Evaluation
        Value and gradient at the final point.
    stop : {'converged', 'stalled', 'interrupted', 'max_iter'}
        'converged' is only the solver's belief; the certificate decides.
    history : list of IterationRecord
    curvature : Curvature or None
        The Hessian at `reference`, if one was formed.
    reference : Point or None
        Where the curvature was taken.
    drift : float
        Bound on |log(curvature here / curvature at the reference)|, from the last step taken.
    """

    evaluation: Evaluation
    stop: Stop
    history: list[IterationRecord] = field(default_factory=list)
    curvature: Curvature | None = None
    reference: Point | None = None
    drift: float = 0.0


def no_op_monitor(_: Evaluation) -> bool:
    """Return False: a monitor that does nothing."""
    return False
