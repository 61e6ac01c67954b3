"""Newton decrements as bounds on the distance to an optimum: the theorem is in `certificate`."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.solvers.curvature import Curvature

_SMALL: Final[float] = 0.1


def growth(ratio: float) -> float:
    """Return (v + (1 - v) log(1 - v)) / v^2, which grows from 1/2 at 0 to 1 at 1, from above."""
    if ratio < 1e-3:
        return 0.5 + ratio
    return float(1.000001 * (ratio + (1 - ratio) * np.log1p(-ratio)) / ratio**2)


def newton_drop(
    curvature: Curvature,
    gradient: FloatArray,
    doubt: FloatArray,
    row_bounds: FloatArray,
    constant: float,
    *,
    lost: float,
    curvature_error: float,
    drift: float = 0.0,
) -> tuple[float, float, float] | None:
    """Bound f - f* in some parameters by their Newton decrement, and how far away its optimum is.

    Parameters
    ----------
    curvature : Curvature
        The Hessian in these parameters, for a loss of one score.
    gradient, doubt : ndarray
        The gradient, and what rounding may do to it.
    row_bounds : ndarray
        Bounds on the sizes of the numbers of a row.
    constant : float
        M, of self-concordance.
    lost, curvature_error : float
        What rounding may do to the scaled Hessian, absolute in the 2-norm, and relative.
    drift : float
        Bound on |log| of what the curvature has changed since the Hessian was taken.

    Returns
    -------
    drop, reach, length : float
        The bound on f - f*; bounds on the change of any score, and on the distance in the norm of
        the true Hessian. None where the decrement is not small enough for the theorem.
    """
    if not curvature.smallest > lost:
        return None
    trust = (1 - curvature_error) * (1 - lost / curvature.smallest)
    trust *= np.exp(-1.000001 * drift)
    if not trust > 0.01:
        return None
    norm = curvature.dual_norm(gradient)
    for quickly in (True, False):
        decrement = norm + curvature.largest_norm(doubt, quickly=quickly)
        decrement *= 1.000001 / np.sqrt(trust)
        widest = curvature.largest_norm(row_bounds, quickly=quickly) / np.sqrt(trust)
        ratio = constant * decrement * widest
        if ratio < _SMALL and decrement < (1 + _SMALL) * norm:
            break  # narrower bounds would change next to nothing
    if ratio >= 1:
        return None
    length = -np.log1p(-ratio) / (constant * widest) if constant * widest > 0 else decrement
    length = 1.000001 * float(length)
    return float(decrement**2 * growth(ratio)), length * float(widest), length
