"""The optimum that accuracies are measured from: Newton's method, sums in extended precision."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.losses.families import Family
from benchmarks.losses.problems import Data

Array = npt.NDArray[Any]

_ENOUGH: Final = 1e-16
_MOST_STEPS: Final = 100
_BLOCK: Final = 2**16


def objective(data: Data, family: Family, coef: Array, intercept: float, lam: float) -> float:
    """Return f from its definition, less what it cannot fall below.

    Scores are float64, whose rounding moves f by about 1e-15 of itself; sums are extended.
    """
    total = np.longdouble(0.5 * lam) * (coef.astype(np.longdouble) ** 2).sum()
    scores = data.scores(coef, intercept)
    for start in range(0, len(scores), _BLOCK):
        rows = slice(start, start + _BLOCK)
        z, y, s = (v[rows].astype(np.longdouble) for v in (scores, data.y, data.weights))
        total += (s * family.value(z, y)).sum()
    return float(total)


def newton(data: Data, family: Family, lam: float) -> tuple[Array, float, float]:
    """Return coefficients, intercept, and the last squared decrement over the objective."""
    point = np.zeros(data.n_coefficients + 1)
    point[-1] = np.log(np.average(data.y, weights=data.weights))
    value = objective(data, family, point[:-1], point[-1], lam)
    share = np.inf
    for _ in range(_MOST_STEPS):
        gradient, hessian = _derivatives(data, family, point, lam)
        step = -np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        slope = float(gradient @ step)
        last, share = share, -slope / max(value, np.finfo(float).tiny)
        if share <= _ENOUGH or (share < 1e-12 and share >= last):
            break
        length = 1.0
        while length > 2**-40:
            trial = point + length * step
            at = objective(data, family, trial[:-1], trial[-1], lam)
            # close by, a difference of two objectives is rounding
            if at <= value + 1e-4 * length * slope or share < 1e-10:
                point, value = trial, at
                break
            length /= 2
        else:
            break
    return point[:-1], float(point[-1]), share


def _derivatives(data: Data, family: Family, point: Array, lam: float) -> tuple[Array, Array]:
    scores = data.scores(point[:-1], point[-1])
    slopes = data.weights * family.first(scores, data.y)
    curvatures = data.weights * family.second(scores, data.y)
    strengths = np.append(np.full(len(point) - 1, lam), 0.0)
    gradient = (strengths * point).astype(np.longdouble)
    hessian = np.diag(strengths)
    for rows, block in data.blocks():
        gradient += block.T @ slopes[rows]
        hessian += (block.T * curvatures[rows]) @ block
    return gradient.astype(np.float64), hessian
