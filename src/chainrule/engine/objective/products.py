"""Products with the Hessian at one point, and how far a sum of directions moves the predictions."""

from __future__ import annotations

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.accumulators import Scalars, SparseObjective
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock


class Products:
    """The Hessian at a point, as what it does to packed vectors.

    Parameters
    ----------
    objective : Objective
    at : Evaluation
    """

    is_compiled = False
    """Whether vectors are so long that their arithmetic is worth a compiled loop."""

    def __init__(self, objective: Objective, at: Evaluation) -> None:
        self._objective = objective
        self._at = at
        self._curvatures = objective.bend(at)

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the Hessian."""
        return self._objective.pack(self._objective.hessian_diagonal(self._at))

    def times(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian times a vector."""
        direction = self._objective.unpack(vector)
        return self._objective.pack(
            self._objective.hessian_product(self._at, direction, self._curvatures)
        )

    def advance(self, step: float) -> None:
        """Add the last vector, times this factor, to the direction that is put together."""

    def raw_direction(self, direction: Point) -> FloatArray:
        """Return the change of raw prediction along the direction that was put together."""
        return self._objective.raw_direction(direction)


class SparseProducts(Products):
    """The same in compiled passes over sparse rows, which also sum the changes of prediction."""

    is_compiled = True

    def __init__(self, objective: SparseObjective, at: Evaluation) -> None:
        super().__init__(objective, at)
        self._lanes = objective
        self._bend = objective.bend(at)
        self._scores = np.zeros(objective.source.n_samples)
        self._travelled = np.zeros((objective.source.n_samples, 1), order="F")
        self._step = 0.0

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the Hessian."""

        def one(index: int, X: FusedSparseBlock, accumulator: FloatArray) -> Scalars:
            return (X.diagonal_pass(self._bend[self._lanes.source.rows(index)], accumulator),)

        (level,), total = self._lanes.fill(one)
        return self._packed(total + self._lanes.penalty.strength, level)

    def times(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian times a vector."""
        source, strength = self._lanes.source, self._lanes.penalty.strength
        coef, intercept = self._parts(vector)
        step, travelled = self._step, self._travelled[:, 0]

        def one(index: int, X: FusedSparseBlock, accumulator: FloatArray) -> Scalars:
            rows = source.rows(index)
            bend, scores = self._bend[rows], self._scores[rows]
            level = X.travelling_pass(
                bend, coef, intercept, scores, step, travelled[rows], accumulator
            )
            return (level,)

        self._step, found = 0.0, np.empty(len(vector))
        if self._lanes.columns is not None:
            (level,), total = self._lanes.fill(one, (strength, coef))
            return self._packed(total, level)
        (level,), _ = self._lanes.fill(one, (strength, coef), found[: source.n_features])
        if self._lanes.fit_intercept:
            found[-1] = level
        return found

    def advance(self, step: float) -> None:
        """Add the last vector, times this factor, to the direction that is put together."""
        self._step = step

    def raw_direction(self, direction: Point) -> FloatArray:
        """Return the change of raw prediction along the direction that was put together."""
        self._travelled[:, 0] += self._step * self._scores
        self._step = 0.0
        return self._travelled

    def _parts(self, vector: FloatArray) -> tuple[FloatArray, float]:
        """Return coef and intercept of a packed vector: where no column is held, not a copy."""
        if self._lanes.columns is None:
            n_features = self._lanes.source.n_features
            return vector[:n_features], float(vector[n_features:].sum())
        direction = self._lanes.unpack(vector)
        return direction.coef[:, 0], float(direction.intercept[0])

    def _packed(self, of_columns: FloatArray, level: float) -> FloatArray:
        return self._lanes.pack(Point(of_columns[:, None], np.asarray([level])))


class ClassProducts(Products):
    """The same for several classes, whose probabilities are computed once."""

    def __init__(self, objective: ClassObjective, at: Evaluation) -> None:
        super().__init__(objective, at)
        self._of_classes = objective
        self.proba = objective.probabilities(at)

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the Hessian."""
        return self._of_classes.pack(self._of_classes.diagonal(self.proba))

    def times(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian times a vector."""
        direction = self._of_classes.unpack(vector)
        return self._of_classes.pack(self._of_classes.times_hessian(self.proba, direction))


def products(objective: Objective, at: Evaluation) -> Products:
    """Return the products with the Hessian at a point, as fast as the objective has them."""
    if isinstance(objective, SparseObjective):
        return SparseProducts(objective, at)
    if isinstance(objective, ClassObjective):
        return ClassProducts(objective, at)
    return Products(objective, at)
