"""Certify that a finite optimum exists, instead of searching for a separating direction.

Where a few rows have an optimum of their own, nothing separates them, nor them and more rows: no
loss is negative, so that f grows in every direction in which theirs does.
"""

from __future__ import annotations

from typing import Final

from chainrule.engine.certificates.certificate import certify
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.newton import newton

_FEW_ROWS: Final[int] = 1000
_ROWS_PER_PARAMETER: Final[int] = 20
_STEPS: Final[int] = 16
_FINE: Final[float] = 1e-8
_SEED: Final[int] = 60_271


def has_optimum(objective: Objective, start: Point) -> bool:
    """Tell whether a few rows prove that there is an optimum: theirs, a known distance away.

    Where rows are so few that it would take about as long to fit them all, nothing is tried.
    """
    source = objective.source
    n_rows = max(_FEW_ROWS, _ROWS_PER_PARAMETER * objective.n_parameters)
    if n_rows > source.n_samples // 2:
        return False
    few = objective.on_rows(source.sample(n_rows, _SEED))
    outcome = newton(few, start, tolerance=_FINE, max_iter=_STEPS)
    objective.passes += few.passes * n_rows / source.n_samples
    return certify(few, outcome).kind == "Newton decrement"
