"""The objective of several classes with compiled passes, and products with its Hessian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Evaluation, Point, comparable
from chainrule.engine.objective.objective import Fused, Objective
from chainrule.engine.passes import class_rows
from chainrule.engine.runtime.executors import Partial, map_in_order, sum_over_chunks


class ClassObjective(Objective):
    """A softmax problem whose labels are codes and whose rows are read in place.

    Tables have one row per class, (n_classes, n_samples); raw predictions as the objective hands
    them out are views of these.
    """

    def on_rows(self, sample: InMemorySource) -> Objective:
        """Return the objective of some of the rows, with their share of the penalty."""
        return self._on_rows(sample, type(self))

    def along(
        self, start: Evaluation, direction: Point, raw_direction: FloatArray
    ) -> Callable[[float], tuple[float, float]]:
        """Return step -> (f, df/dstep) on a line, without reading X."""
        curvature = float((self.penalty.gradient(direction.coef) * direction.coef).sum())
        slope = float((self.penalty.gradient(start.point.coef) * direction.coef).sum())
        level = self.penalty.value(start.point.coef)
        raw, change = by_class(start.raw_prediction), by_class(raw_direction)

        def at(step: float) -> tuple[float, float]:
            def one(index: int) -> Partial:
                rows, codes, weight = self.source.codes(index)
                found = class_rows.along(raw, change, rows.start, step, codes, weight)
                return np.asarray(found[0]), np.asarray(found[1])

            loss, rise = sum_over_chunks(one, self.source.n_blocks, self.n_threads)
            value = float(loss) + level + step * slope + 0.5 * step * step * curvature
            return comparable(value), float(rise) + slope + step * curvature

        return at

    def probabilities(self, at: Evaluation) -> FloatArray:
        """Return the probabilities of the classes, (n_classes, n_samples)."""
        raw = by_class(at.raw_prediction)
        found = np.empty_like(raw)

        def one(index: int) -> None:
            rows = self.source.rows(index)
            class_rows.probabilities(raw, rows.start, rows.stop, found)

        for _ in map_in_order(one, self.source.n_blocks, self.n_threads):
            pass
        return found

    def times_hessian(self, proba: FloatArray, direction: Point) -> Point:
        """Return the Hessian times a direction, given the probabilities where it is taken."""
        self.passes += 1

        def one(index: int) -> Partial:
            rows = self.source.rows(index)
            weight, X = self.source.weights(rows), self.source.matrix(index)
            assert isinstance(X, Fused)
            return X.class_product(proba, rows.start, weight, direction.coef, direction.intercept)

        coef, intercept = sum_over_chunks(one, self.source.n_blocks, self.n_threads)
        return self.freed(Point(coef + self.penalty.gradient(direction.coef), intercept))

    def intercept_sums(
        self, raw_prediction: FloatArray, shift: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Return the loss with the intercepts shifted, and its derivatives w.r.t. the shift."""
        raw = by_class(raw_prediction)

        def one(index: int) -> Partial:
            rows, codes, weight = self.source.codes(index)
            loss, slope = class_rows.shifted(raw, rows.start, shift, codes, weight)
            moved = raw[:, rows] + shift[:, None]
            proba = np.empty_like(moved)
            class_rows.probabilities(moved, 0, len(codes), proba)
            weighted = proba * self.source.weights(rows)
            return np.asarray(loss), slope, weighted.sum(axis=1), weighted @ proba.T

        loss, slope, single, pairs = sum_over_chunks(one, self.source.n_blocks, self.n_threads)
        return float(loss), slope, np.diag(single) - pairs

    def hessian_diagonal(self, at: Evaluation) -> Point:
        """Return the diagonal of the Hessian."""
        return self.diagonal(self.probabilities(at))

    def diagonal(self, proba: FloatArray) -> Point:
        """Return the diagonal of the Hessian, given the probabilities where it is taken."""
        self.passes += 1

        def one(index: int) -> Partial:
            d = self.variances(proba, self.source.rows(index)).T
            return self.source.matrix(index).sandwich_diagonal(d), d.sum(axis=0)

        coef, intercept = sum_over_chunks(one, self.source.n_blocks, self.n_threads)
        return Point(coef + self.penalty.strength[:, None], intercept)

    def variances(self, proba: FloatArray, rows: slice) -> FloatArray:
        """Return the weighted curvature of each class by itself, for rows of one block."""
        shares = proba[:, rows]
        return np.asarray(shares * (1 - shares) * self.source.weights(rows))


def by_class(table: FloatArray) -> FloatArray:
    """Return a table of one column per class as one of one row per class, in C order."""
    return np.ascontiguousarray(table.T)
