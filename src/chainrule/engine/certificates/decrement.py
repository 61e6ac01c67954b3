"""Newton decrements as bounds on the distance to an optimum: the theorem is in `certificate`."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.solvers.curvature import Curvature

_SMALL: Final[float] = 0.1
_LEAST_TRUST: Final[float] = 0.01


def growth(ratio: float) -> float:
    """Return (v + (1 - v) log(1 - v)) / v^2, which grows from 1/2 at 0 to 1 at 1, from above."""
    return float(growths(np.array([ratio]))[0])


def growths(ratios: FloatArray) -> FloatArray:
    """Return `growth` of every ratio."""
    small = ratios < 1e-3
    v = np.where(small, 0.5, ratios)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 1.000001 * (v + (1 - v) * np.log1p(-v)) / v**2
    return np.where(small, 0.5 + ratios, found)


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
        The Hessian in these parameters.
    gradient, doubt : ndarray
        The gradient, and what rounding may do to it.
    row_bounds : ndarray of shape (n_parameters,) or (n_classes, n_parameters)
        Bounds on the sizes of the numbers of a row, for several classes those in each one's score.
    constant : float
        M, of self-concordance.
    lost, curvature_error : float
        What rounding may do to the scaled Hessian, absolute in the 2-norm, and relative.
    drift : float
        Bound on |log| of what the curvature has changed since the Hessian was taken.

    Returns
    -------
    drop, reach, length : float
        The bound on f - f*; bounds on the change of any score, for several classes on that of a
        difference of two, and on the distance in the norm of the true Hessian. None where the
        decrement is not small enough for the theorem.
    """
    found = newton_drops(
        curvature,
        gradient[None],
        doubt[None],
        row_bounds,
        constant,
        lost=lost,
        unsure=np.array([curvature_error]),
        drift=np.array([drift]),
    )
    drop, reach, length = (float(part[0]) for part in found)
    return (drop, reach, length) if np.isfinite(drop) else None


def newton_drops(
    curvature: Curvature,
    gradients: FloatArray,
    doubts: FloatArray,
    row_bounds: FloatArray,
    constant: float,
    *,
    lost: float,
    unsure: FloatArray,
    drift: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Do what `newton_drop` does for a stack of points that share a Hessian; inf for None.

    Parameters
    ----------
    gradients, doubts : ndarray of shape (n, n_parameters)
    unsure, drift : ndarray of shape (n,)
        The relative errors of the curvature, and how far it may have changed.
    curvature, row_bounds, constant, lost
        As there.
    """
    nothing = np.full(len(gradients), np.inf)
    if not curvature.smallest > lost:
        return nothing, nothing, nothing
    trust = (1 - unsure) * (1 - lost / curvature.smallest)
    trust *= np.exp(-1.000001 * drift)
    trusted = trust > _LEAST_TRUST
    if not trusted.any():
        return nothing, nothing, nothing
    root = np.sqrt(np.where(trusted, trust, 1.0))
    norms = curvature.dual_norms(gradients)
    for quickly in (True, False):
        decrements = norms + curvature.largest_norms(doubts, quickly=quickly)
        decrements *= 1.000001 / root
        spreads = curvature.largest_norms(np.atleast_2d(row_bounds), quickly=quickly)
        widest = np.sort(spreads)[-2:].sum() / root
        ratios = constant * decrements * widest
        narrow = (ratios < _SMALL) & (decrements < (1 + _SMALL) * norms)
        if (narrow | ~trusted).all():
            break  # narrower bounds would change next to nothing
    met = trusted & (ratios < 1)
    ratios = np.where(met, ratios, 0.0)
    pace = constant * widest
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = 1.000001 * np.where(pace > 0, -np.log1p(-ratios) / pace, decrements)
    drops = decrements**2 * growths(ratios)
    kept = (np.where(met, part, np.inf) for part in (drops, lengths * widest, lengths))
    drop, reach, length = kept
    return drop, reach, length
