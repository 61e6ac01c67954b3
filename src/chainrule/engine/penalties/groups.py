"""Group lasso: Euclidean norms of groups of coefficients, with squares.

    P(w) = sum_g l1_g |d w_g| + l2_g |d w_g|^2 / 2

where d holds a factor for each column. A group's coefficients are 0 together, or all take part. The
conjugate in u = slope / d is ((|u_g| - l1_g)_+)^2 / (2 l2_g), and without squares the indicator of
the ball |u_g| <= l1_g. The intercept is never penalised.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, IntArray
from chainrule.engine.penalties.elastic_net import STRONGEST, ElasticNet, Shape
from chainrule.errors import DataError


def norms_of_groups(u: FloatArray, labels: IntArray, n_groups: int) -> FloatArray:
    """Return the Euclidean norm of each group of a vector, of numbers of any size."""
    peak = np.zeros(n_groups)
    np.maximum.at(peak, labels, np.abs(u))
    unit = np.where((peak > 0) & np.isfinite(peak), peak, 1.0)
    with np.errstate(over="ignore"):
        return np.asarray(unit * np.sqrt(np.bincount(labels, (u / unit[labels]) ** 2, n_groups)))


@dataclass(frozen=True)
class GroupNorms(ElasticNet):
    """The penalty; `l1` and `l2` have one number per column, that of its group.

    Parameters
    ----------
    labels : ndarray of int, shape (n_features,)
        The group of each column: 0, 1, ...
    metric : ndarray of shape (n_features,)
        d: what coefficients are multiplied by in the norms.
    """

    labels: IntArray
    metric: FloatArray

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def strengths(self) -> tuple[FloatArray, FloatArray]:
        """The factors l1 and l2 of each group."""
        first, second = np.zeros(self.n_groups), np.zeros(self.n_groups)
        first[self.labels], second[self.labels] = self.l1, self.l2
        return first, second

    def norms(self, u: FloatArray) -> FloatArray:
        """Return the Euclidean norm of each group of a vector."""
        return norms_of_groups(u, self.labels, self.n_groups)

    def value(self, w: FloatArray) -> float:
        """Return P(w)."""
        norms = self.norms(self.metric * w)
        first, second = self.strengths
        return float(first @ norms + 0.5 * (second @ (norms * norms)))

    def nearest(self, w: FloatArray) -> FloatArray:
        """Return w: there are no bounds."""
        return w

    def excess(self, slope: FloatArray, doubt: FloatArray) -> FloatArray:
        """Return how far the norm of each group of slopes may be above its strength, at most 0.

        Parameters
        ----------
        slope, doubt : ndarray of shape (n_features,)
            Derivatives of the losses, and bounds on their errors.
        """
        size = self.norms(slope / self.metric) + self.norms(doubt / self.metric)
        size *= 1 + 4 * UNIT * (len(slope) + 2)
        return np.asarray(np.maximum(size - self.strengths[0], 0.0))

    def conjugates(self, slope: FloatArray, doubt: FloatArray) -> FloatArray:
        """Bound sup_v -slope v - P(v) of each group from above; inf where it is not bounded."""
        over, second = self.excess(slope, doubt), self.strengths[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = over * (over / (2 * second))  # squares of small numbers underflow
        return np.where(over == 0, 0.0, found * (1 + 8 * UNIT))

    def conjugate(self, u: FloatArray) -> FloatArray:
        """Return sup_v u v - P(v) of each group in the place of its first column, 0 elsewhere."""
        found = np.zeros(len(u))
        _, firsts = np.unique(self.labels, return_index=True)
        found[firsts] = self.conjugates(u, np.zeros(len(u)))
        return found

    def of(self, columns: IntArray) -> GroupNorms:
        """Return the penalty of some columns, whole groups."""
        labels = np.unique(self.labels[columns], return_inverse=True)[1]
        return GroupNorms(
            self.l1[columns],
            self.l2[columns],
            self.lower[columns],
            self.upper[columns],
            labels,
            self.metric[columns],
        )

    def residual(self, w: FloatArray, slope: FloatArray) -> FloatArray:
        """Return (slope + p) / d for the p nearest to -slope in the subdifferential of P at w."""
        v = self.metric * w
        pull = slope / self.metric + self.l2 * v
        size, steep = self.norms(v)[self.labels], self.norms(pull)[self.labels]
        with np.errstate(divide="ignore", invalid="ignore"):
            at_zero = pull * np.maximum(1 - self.l1 / steep, 0.0)
            elsewhere = pull + self.l1 * (v / size)
        return np.where(size > 0, elsewhere, np.where(steep > 0, at_zero, 0.0))

    def violation(self, w: FloatArray, slope: FloatArray) -> FloatArray:
        """Return the norm of the residual of the group of each column."""
        return np.asarray(self.norms(self.residual(w, slope))[self.labels])

    def whole(self, columns: BoolArray) -> BoolArray:
        """Return some columns with all others of their groups."""
        taken = np.zeros(self.n_groups, dtype=bool)
        taken[self.labels[columns]] = True
        return np.asarray(taken[self.labels])


@dataclass(frozen=True)
class GroupShape(Shape):
    """A group lasso without its strength: sqrt(size) |coef_g| for each group, and squares.

    Parameters
    ----------
    labels : ndarray of int, shape (n_features,)
        The group of each column: 0, 1, ...
    units : ndarray of shape (n_features,)
        What coefficients are multiplied by in the norms: standard deviations, or 1.
    """

    labels: IntArray
    units: FloatArray

    @classmethod
    def grouped(cls, shape: Shape, labels: IntArray) -> GroupShape:
        """Return a penalty of groups with the l1_ratio and the factors of another.

        Raises
        ------
        DataError
            When the other has bounds, or factors that differ within a group.
        """
        if shape.is_bounded:
            raise DataError("groups of columns have no bounds: omit positive and bounds, or groups")
        first = np.zeros(int(labels.max()) + 1)
        first[labels] = shape.factors
        if (first[labels] != shape.factors).any():
            raise DataError(
                "penalty_factor must be the same for all columns of a group: give one number per "
                "group"
            )
        sizes = np.bincount(labels)
        factors = shape.factors * np.sqrt(sizes[labels])
        ends = shape.lower, shape.upper
        return cls(shape.l1_ratio, factors, shape.factors, *ends, labels, np.ones(len(labels)))

    @property
    def is_plain(self) -> bool:
        """Whether this is the L2 penalty, the same for all columns."""
        return False

    def standardised(self, deviations: FloatArray) -> GroupShape:
        """Return the penalty of coefficients of columns divided by their standard deviations."""
        return replace(self, units=self.units * deviations)

    def penalty(self, strength: float | FloatArray, column_scale: FloatArray) -> GroupNorms:
        """Return the penalty of a strength for coefficients multiplied by `column_scale`."""
        with np.errstate(over="ignore"):
            l1 = strength * self.l1_ratio * self.factors
            l2 = strength * (1 - self.l1_ratio) * self.square_factors
        return GroupNorms(
            np.minimum(l1, STRONGEST),
            np.minimum(l2, STRONGEST),
            self.lower,
            self.upper,
            self.labels,
            # without penalty any metric serves: that of the scaled columns loses no digits
            np.where((l1 == 0) & (l2 == 0), 1.0, self.units / column_scale),
        )

    def largest(self, slopes: FloatArray, column_scale: FloatArray) -> float:
        """Return the least strength at which all penalised coefficients are 0.

        Parameters
        ----------
        slopes : ndarray of shape (n_features,)
            Derivatives of the losses where all penalised coefficients are 0.
        column_scale : ndarray of shape (n_features,)
        """
        unit = self.penalty(1.0, column_scale)
        counted = unit.strengths[0] > 0
        if not counted.any():
            return 0.0
        size = unit.norms(slopes / unit.metric)[counted]
        return float((size / unit.strengths[0][counted]).max()) * (1 + 8 * UNIT)
