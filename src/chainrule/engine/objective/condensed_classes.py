"""The objective of several classes on condensed rows: see `condensed` for a loss of one score.

Coefficients are packed column by column, the classes of each side by side in a multiple of four
places, with the intercepts last. Places beyond the last class stay 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.class_objective import ClassObjective, by_class
from chainrule.engine.objective.condensed import CondensedEvaluation, CondensedPoint, Rewritten
from chainrule.engine.objective.evaluation import Point, comparable
from chainrule.engine.objective.products import Products
from chainrule.engine.passes import class_rows
from chainrule.engine.passes.condensed_class_rows import CondensedClassRows


class CondensedClassObjective(Rewritten):
    """The objective of a softmax, on rewritten rows.

    In a `CondensedEvaluation` the curvature is that of a softmax, `curvature` being its
    probabilities and `bend` its weights.

    Parameters
    ----------
    objective : ClassObjective
        One that `can_condense`.
    """

    def __init__(self, objective: ClassObjective) -> None:
        source = objective.source
        blocks: Any = [source.matrix(index) for index in range(source.n_blocks)]
        self.n_classes = objective.loss.n_outputs
        self.rows: CondensedClassRows = CondensedClassRows(
            blocks, objective.penalty.strength, objective.n_threads, self.n_classes
        )
        super().__init__(objective, self.rows)
        self.places = self.rows.places
        parts = [source.codes(index) for index in range(source.n_blocks)]
        self._codes = np.concatenate([codes for _, codes, _ in parts])
        self._weight = np.concatenate([source.weights(rows) for rows, _, _ in parts])

    @property
    def n_packed(self) -> int:
        """How many coefficients are packed, the intercepts among them."""
        return (self.rows.n_columns + int(self.whole.fit_intercept)) * self.places

    @property
    def stiffness(self) -> FloatArray:
        """The diagonal of the penalty's Hessian."""
        of_columns = np.repeat(self.strength, self.places)
        return np.append(of_columns, np.zeros(self.n_packed - len(of_columns)))

    def levels(self, packed: FloatArray) -> FloatArray:
        """Return the intercepts of what is packed: as many as classes, or none."""
        return packed[self.rows.n_columns * self.places :][: self.n_classes]

    def tables(self, packed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the coefficients of columns, one row per column, and the intercepts."""
        table = packed.reshape(-1, self.places)
        level = table[-1] if self.whole.fit_intercept else np.zeros(self.places)
        return table[: self.rows.n_columns], level

    def start(self, intercept: FloatArray) -> CondensedPoint:
        """Return the point where all coefficients but the intercepts are zero.

        There the best intercepts are the logarithms of the classes' weights; what is given is for a
        class without any.
        """
        packed, level = np.zeros(self.n_packed), np.zeros(self.places)
        if self.whole.fit_intercept:
            total = np.bincount(self._codes, self._weight, minlength=self.n_classes)
            best = np.log(total) if (total > 0).all() else intercept
            level[: self.n_classes] = best - best.mean()
            packed[-self.places :] = level
        (alone,) = self.rows.room(1)
        alone[:] = 0.0
        return CondensedPoint(packed, alone, alone + level)

    def evaluate(self, point: CondensedPoint) -> CondensedEvaluation:
        """Evaluate value and gradients in one read of the columns."""
        residual, condensed, curvature, pushed, share = self.rows.room(5)
        heft, sums = np.empty(len(point.raw)), np.empty((3, self.places))
        into = residual, condensed, curvature, pushed, share, heft, sums
        value, gap = self.rows.examples(point.raw, self._codes, self._weight, point.alone, *into)
        packed = np.empty((3, self.n_packed))
        if self.whole.fit_intercept:
            packed[:, -self.places :] = sums
        tables = [self.tables(line)[0] for line in packed]
        coef, _ = self.tables(point.packed)
        shared, penalty = self.rows.table_gradients(
            residual, condensed, curvature, self.strength, coef, *tables
        )
        return self.evaluated(point, value + penalty, gap + shared, packed, (share, pushed, heft))

    def spreads(self, at: CondensedEvaluation, k: int) -> FloatArray:
        """Return the condensed curvature of each example for class k by itself."""
        share = at.curvature[:, k]
        return at.bend * share * (1 - share)

    def balanced_gap(self, at: CondensedEvaluation) -> float:
        """Return about what the gap is once intercepts are balanced, at the price of a read."""
        weighted = at.bend[:, None] * at.curvature[:, : self.n_classes]
        bend = np.diag(weighted.sum(axis=0)) - weighted.T @ at.curvature[:, : self.n_classes]
        shift, scores, pull = np.zeros(self.n_packed), *self.rows.room(2)
        self.levels(shift)[:] = -np.linalg.lstsq(bend, self.levels(at.gradient), rcond=1e-14)[0]
        coef, level = self.tables(shift)
        moved, gradient = np.empty_like(coef), self.tables(at.gradient)[0]
        curvature = at.curvature, at.bend
        self.rows.table_product(coef, level, curvature, self.strength, scores, pull, moved)
        self.count(1)
        moved += gradient
        pushed = at.pushed + self.rows.own[:, None] * pull
        return 0.5 * float((moved**2).sum(axis=1) @ (1 / self.strength) + (pushed**2).sum())

    def products(self, at: CondensedEvaluation) -> CondensedClassProducts:
        """Return the condensed Hessian at a point."""
        return CondensedClassProducts(self, at)

    def direction(
        self, at: CondensedEvaluation, packed: FloatArray, travelled: FloatArray
    ) -> tuple[CondensedPoint, float, float]:
        """Complete a step of what is packed: see `CondensedObjective.direction`.

        What all classes share moves no prediction, and is taken out of the step.
        """
        table, moved = packed.reshape(-1, self.places), travelled
        share = np.full(self.n_classes, 1 / self.n_classes)
        for numbers in (table, moved):
            classes = numbers[:, : self.n_classes]
            classes -= (classes @ share)[:, None]  # a mean along short rows takes far longer
        steps = np.zeros_like(moved)
        slope, decrement = self.rows.own_steps((at.curvature, at.bend), at.pushed, moved, steps)
        slope += float(at.gradient @ packed)
        return CondensedPoint(packed, steps, moved), slope, decrement

    def along(
        self, at: CondensedEvaluation, direction: CondensedPoint
    ) -> Callable[[float], tuple[float, float]]:
        """Return step -> (f, df/dstep) on a line, without reading X."""
        here, stiffness = at.point, self.stiffness
        pull = stiffness * direction.packed
        curvature = float(pull @ direction.packed + (direction.alone**2).sum())
        slope = float(pull @ here.packed + (here.alone * direction.alone).sum())
        level = 0.5 * float(stiffness @ here.packed**2 + (here.alone**2).sum())
        raw, change = (by_class(table[:, : self.n_classes]) for table in (here.raw, direction.raw))

        def at_step(step: float) -> tuple[float, float]:
            loss, rise = class_rows.along(raw, change, 0, step, self._codes, self._weight)
            value = loss + level + step * slope + 0.5 * step * step * curvature
            return comparable(value), rise + slope + step * curvature

        return at_step

    def whole_point(self, point: CondensedPoint) -> Point:
        """Return the coefficients of all columns."""
        coef, level = self.tables(point.packed)
        columns = [
            self.rows.spread(np.ascontiguousarray(coef[:, k]), point.alone[:, k])
            for k in range(self.n_classes)
        ]
        return Point(np.stack(columns, axis=1), level[: self.n_classes].copy())

    def raw_table(self, point: CondensedPoint) -> FloatArray:
        """Return the scores, (n_samples, n_classes)."""
        return point.raw[:, : self.n_classes]


class CondensedClassProducts(Products):
    """The Hessian of the condensed problem, as what it does to packed vectors.

    Parameters
    ----------
    objective : CondensedClassObjective
    at : CondensedEvaluation
    """

    is_compiled = True

    def __init__(self, objective: CondensedClassObjective, at: CondensedEvaluation) -> None:
        self._condensed, self._evaluation = objective, at
        rows = objective.rows
        self._scores, self._pull, self._travelled = rows.room(3)
        self._travelled[:] = 0.0

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the Hessian."""
        return self._evaluation.diagonal

    def times(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian times a vector."""
        condensed, found = self._condensed, np.empty(len(vector))
        (coef, level), at = condensed.tables(vector), self._evaluation
        total = condensed.rows.table_product(
            coef,
            level,
            (at.curvature, at.bend),
            condensed.strength,
            self._scores,
            self._pull,
            condensed.tables(found)[0],
        )
        condensed.count(1)
        if condensed.whole.fit_intercept:
            found[-condensed.places :] = total
        return found

    def advance(self, step: float) -> None:
        """Add the last vector, times this factor, to the direction that is put together."""
        self._travelled += step * self._scores

    def travelled(self) -> FloatArray:
        """Return the change of scores along the direction that was put together."""
        return self._travelled
