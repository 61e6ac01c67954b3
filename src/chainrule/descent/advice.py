"""The learning rate to advise after divergence: below the inverse of the largest curvature."""

from __future__ import annotations

from math import floor, log10

import numpy as np

from chainrule.descent.objective import DescentObjective, Values
from chainrule.descent.scaling import StepScaling
from chainrule.lecture import Rows

_ROUNDS = 12
_EXAMPLES = 2000
_SINGLES = 20
_STEP = 1e-4


def lower_rate(
    objective: DescentObjective, at: Values, rate: float, scaling: StepScaling, *, single: bool
) -> float:
    """Return a rate with one digit, at most a tenth of one that was too large.

    Near a place where the curvature along the steepest direction is c, descent is steady below a
    rate of 2 / c. The curvature is found by power iteration on differences of the derived
    gradient.

    Parameters
    ----------
    objective : DescentObjective
        With its data, of which a bounded part is taken.
    at : mapping of Symbol to array
        The best values so far.
    rate : float
        The rate that was too high.
    scaling : StepScaling
        The divisor of a step.
    single : bool
        Whether a step takes one example: the steepest of them counts, not their mean.
    """
    count = objective.binding.count
    rows = np.random.default_rng(0).permutation(count)[: _SINGLES if single else _EXAMPLES]
    parts = np.split(rows, len(rows)) if single else [rows]
    size = len(parts[0]) if scaling.divides else 1
    curvature = max(_steepest(objective, at, part) for part in parts) / size
    limit = min(rate / 10, 1 / curvature) if curvature > 0 else rate / 10
    digit = 10.0 ** floor(log10(limit))
    return float(f"{floor(limit / digit * (1 + 1e-12)) * digit:.1g}")


def _steepest(objective: DescentObjective, at: Values, rows: Rows) -> float:
    rng = np.random.default_rng(1)
    here = objective.evaluate(at, rows).gradient
    direction = {s: rng.normal(size=v.shape) for s, v in at.items()}
    found = 0.0
    for _ in range(_ROUNDS):
        length = _length(direction)
        if not (np.isfinite(length) and length > 0):
            break
        direction = {s: v / length for s, v in direction.items()}
        there = objective.evaluate({s: v + _STEP * direction[s] for s, v in at.items()}, rows)
        direction = {s: (g - here[s]) / _STEP for s, g in there.gradient.items()}
        found = _length(direction)
    return found if np.isfinite(found) else 0.0


def _length(values: Values) -> float:
    return float(np.sqrt(sum(float(np.sum(v**2)) for v in values.values())))
