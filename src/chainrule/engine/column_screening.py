"""Columns whose coefficients are 0 at every optimum, whatever the others are.

The derivative of the losses of two classes in a coefficient is sum_i s_i (a_i - y_i) x_ij, with
every a_i between 0 and 1. So it lies between -sum_i s_i (y_i x_ij^+ + (1 - y_i) x_ij^-) and
sum_i s_i ((1 - y_i) x_ij^+ + y_i x_ij^-). Where neither exceeds the strength of the absolute value,
0 is optimal at any point (a static form of safe screening, El Ghaoui, Viallon and Rabbani 2012),
and the gap is the same without the column. Of words in texts, few others are left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray, accumulated
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.results import PathPoint

_MANY: Final[int] = 1000
"""Columns from which those that matter are worth a copy."""

_SHARE: Final[float] = 0.5
"""The share of them up to which it is."""


def needed_columns(
    source: InMemorySource, row: LossRow | None, shape: Shape, strength: float
) -> IntArray | None:
    """Return the columns that may leave 0 at a strength or above; None where that are too many.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of two classes, the only one that this is for.
    shape : Shape
    strength : float
    """
    is_sparse = not source.is_dense and source.can_take_columns
    if row is not None or source.n_classes != 2 or not is_sparse or type(shape) is not Shape:
        return None
    if source.n_features < _MANY or shape.l1_ratio == 0 or not strength > 0:
        return None
    penalty = shape.penalty(strength, source.column_scale)
    needed = np.flatnonzero(~(steepest_slopes(source) <= penalty.l1))
    if len(needed) > _SHARE * source.n_features:
        return None
    return needed if len(needed) else np.arange(1)


def steepest_slopes(source: InMemorySource) -> FloatArray:
    """Bound the sizes of the derivatives in all coefficients, at any point."""
    rows = source.all_rows()
    y, weight = np.asarray(rows.y, dtype=np.float64), rows.sample_weight
    by_class = np.column_stack([weight * (1 - y), weight * y])
    sums, sizes = rows.X.rmatvec(by_class), rows.X.column_sizes(by_class)
    above, below = sizes + sums, sizes - sums  # twice the positive and the negative parts
    found = np.maximum(above[:, 0] + below[:, 1], above[:, 1] + below[:, 0]) / 2
    return np.asarray(found + 4 * accumulated(source.n_samples + 8) * sizes.sum(axis=1))


def widened_point(point: Point, columns: IntArray, n_features: int) -> Point:
    """Return a point of some columns as one of all, whose coefficients are 0."""
    coef = np.zeros((n_features, point.coef.shape[1]))
    coef[columns] = point.coef
    return Point(coef, point.intercept)


def widened_fit(found: PathPoint, columns: IntArray, n_features: int) -> PathPoint:
    """Return a fit of some columns as one of all."""
    return replace(found, point=widened_point(found.point, columns, n_features))
