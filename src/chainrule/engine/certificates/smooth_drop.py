"""How far an objective falls to its best in some columns in which it is smooth.

Columns without penalty, and those whose penalty a tangent replaces, have a Newton decrement: it
bounds the fall, and how far away the best is. That distance bounds the change of the derivatives
in all other columns: by the largest shift of a score times the sum of all curvatures, or by
`length` sqrt(sum_i s_i h_i x_ij^2) for a length in the norm of the Hessian (Cauchy and Schwarz).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.certificates.decrement import newton_drop
from chainrule.engine.certificates.rounding import Rounding
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.curvature import Curvature


class Look(Protocol):
    """A way to bound what rounding does: `bound_rounding` or `measure_rounding`."""

    def __call__(
        self, objective: Objective, evaluation: Evaluation, *, weights: Point | None = None
    ) -> Rounding:
        """Return the bounds at a point."""


def drop_to_best(
    objective: Objective,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    columns: IntArray,
    smooth: tuple[Curvature, float],
    slopes: tuple[FloatArray, FloatArray],
    *,
    drift: float = 0.0,
) -> tuple[float, FloatArray] | None:
    """Bound the fall to the best in some columns and the intercept, the others held.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, self-concordant.
    evaluation : Evaluation
    rounding : Rounding
    look : callable
        Bounds what rounding does to a scaled Hessian.
    columns : ndarray of shape (k,)
    smooth : tuple of Curvature and float
        The Hessian of the losses and squares in the columns and the intercept, and the sum of the
        curvatures of all examples.
    slopes : tuple of ndarray
        What is left of the derivatives in the columns, and bounds on the errors of these.
    drift : float
        By how much the logarithm of any curvature may have changed since the Hessian was taken.

    Returns
    -------
    tuple of float and ndarray of shape (n_features,), or None
        The fall, and bounds on the change of the other derivatives; None where nothing is proven.
    """
    constant = objective.loss.facts.self_concordance
    (curvature, corner), (left, doubt) = smooth, slopes
    if constant is None or not curvature.is_definite:
        return None
    last = len(curvature.scale)
    # what rounding does to the scaled Hessian is bounded by rows in the same scale
    units = Point(np.zeros((objective.source.n_features, 1)), np.zeros(1))
    units.coef[columns, 0] = 1 / curvature.scale[: len(columns)]
    if objective.fit_intercept:
        units.intercept[0] = 1 / curvature.scale[-1]
    on_hessian = look(objective, evaluation, weights=units).hessian if rounding.hessian else 0.0
    found = newton_drop(
        curvature,
        np.append(left, evaluation.gradient.intercept)[:last],
        np.append(doubt, rounding.gradient.intercept)[:last],
        np.append(objective.source.column_bounds[columns], 1.0)[:last],
        constant,
        lost=last * rounding.summation + on_hessian + curvature.eigenvalue_error,
        curvature_error=rounding.curvature + 4 * max(1.0, constant) * rounding.raw_prediction,
        drift=drift,
    )
    if found is None:
        return None
    drop, reach, length = found
    changed = drift + constant * reach + rounding.curvature + 2 * rounding.raw_prediction
    tops = objective.source.column_bounds
    ends = (np.array([end]) for end in (reach, length, changed))
    return drop, derivative_changes(corner, corner * tops**2, tops, constant, *ends)[0]


def derivative_changes(
    corner: float,
    squares: FloatArray,
    tops: FloatArray,
    constant: float,
    reach: FloatArray,
    length: FloatArray,
    changed: FloatArray,
) -> FloatArray:
    """Bound how much the derivatives in some columns change on the way to the best.

    Parameters
    ----------
    corner : float
        The sum of the curvatures where a Hessian was taken.
    squares, tops : ndarray of shape (n_columns,)
        Bounds on sum_i s_i h_i x_ij^2 there, and on |x_ij|.
    constant : float
        M, of self-concordance.
    reach, length : ndarray of shape (n,)
        Bounds on the change of any score, and on the distance in the norm of the Hessian.
    changed : ndarray of shape (n,)
        By how much the logarithm of any curvature may have changed at the end of the way.

    Returns
    -------
    ndarray of shape (n, n_columns)
    """
    grown = np.exp(np.minimum(changed, 700.0))
    along = length * np.exp(np.minimum(constant * reach, 700.0)) * np.sqrt(grown)
    by_reach = np.outer(reach * (1.001 * corner) * grown, tops)
    return np.asarray(1.001 * np.minimum(by_reach, np.outer(along, np.sqrt(1.001 * squares))))
