"""The objective on condensed rows: what a row has for itself is solved for beforehand.

Static condensation (Guyan 1965): the own coefficient u_i of row i meets no other unknown but the
row's score. In a Newton step it is eliminated exactly, which leaves the Hessian X^T D X and the
penalty for the columns that rows share, with curvatures d_i = h_i / (1 + s_i^2 h_i), s_i the entry
of the own column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.accumulators import SparseObjective
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.evaluation import Point, comparable
from chainrule.engine.objective.objective import Objective
from chainrule.engine.objective.products import Products
from chainrule.engine.passes import condensed_class_rows
from chainrule.engine.passes.condensed_rows import CondensedRows, example_pass, own_steps, pays
from chainrule.engine.passes.fused_blocks import line_sums

_REWRITING: Final[float] = 2.0
"""Reads of X that rewriting takes: entries are counted, then copied."""


@dataclass(frozen=True)
class CondensedPoint:
    """Coefficients of shared columns with the intercept last, of own columns, and all scores.

    Attributes
    ----------
    packed : ndarray of shape (n_columns + intercept,)
    alone, raw : ndarray of shape (n_samples,)
        Of several classes, tables (n_samples, places): see `condensed_classes`.
    """

    packed: FloatArray
    alone: FloatArray
    raw: FloatArray

    def moved(self, step: float, direction: CondensedPoint) -> CondensedPoint:
        """Return self + step * direction."""
        return CondensedPoint(
            self.packed + step * direction.packed,
            self.alone + step * direction.alone,
            self.raw + step * direction.raw,
        )


@dataclass(frozen=True)
class CondensedEvaluation:
    """Value and gradient at a point, from one pass.

    Attributes
    ----------
    point : CondensedPoint
    value, excess, magnitude : float
        As in `Evaluation`.
    gap : float
        A bound of f - f* by strong convexity, once the intercept is balanced.
    gradient, condensed, diagonal : ndarray of shape (n_columns + intercept,)
        The gradient w.r.t. what is packed; that of the problem in which own coefficients are
        eliminated, and the diagonal of its Hessian.
    curvature : ndarray of shape (n_samples,)
        Of that problem's Hessian.
    pushed, bend : ndarray of shape (n_samples,)
        The gradient w.r.t. own coefficients, and the curvature of losses.
    """

    point: CondensedPoint
    value: float
    excess: float
    magnitude: float
    gap: float
    gradient: FloatArray
    condensed: FloatArray
    diagonal: FloatArray
    curvature: FloatArray
    pushed: FloatArray
    bend: FloatArray


class Rewritten:
    """Parts of objectives on rewritten rows, whatever the number of scores.

    Parameters
    ----------
    objective : Objective
        One that `can_condense`.
    rows : CondensedRows

    Attributes
    ----------
    reads : int
        How many times the rewritten rows have been read.
    share : float
        Their entries, of those of X.
    strength : ndarray of shape (n_columns,)
        Of the penalty of shared columns.
    places : int
        Numbers that are packed for each column.
    """

    places = 1

    def __init__(self, objective: Objective, rows: CondensedRows) -> None:
        self.whole, self.rows = objective, rows
        self.reads, self.share = 0, rows.n_entries / max(1.0, objective.source.n_entries)
        objective.passes += _REWRITING
        objective.way = (
            f"most passes go over rewritten rows, with the {100 * self.share:.0f} % of the entries "
            "whose columns several rows share; what a row has alone is solved for beforehand"
        )
        self.strength = np.ascontiguousarray(objective.penalty.strength[rows.kept])

    def count(self, reads: int) -> None:
        """Take note of so many reads of the rewritten rows."""
        self.reads += reads
        self.whole.passes += reads * self.share

    def evaluated(
        self,
        point: CondensedPoint,
        value: float,
        gap: float,
        packed: FloatArray,
        of_examples: tuple[FloatArray, FloatArray, FloatArray],
    ) -> CondensedEvaluation:
        """Return an evaluation, from one read.

        Parameters
        ----------
        point, value, gap
            As in `CondensedEvaluation`.
        packed : ndarray of shape (3, n_packed)
            Gradient, condensed gradient and diagonal.
        of_examples : tuple of ndarray
            Curvature, the gradient w.r.t. own coefficients, and the curvature of losses.
        """
        self.count(1)
        value = comparable(value)
        excess = max(value - self.whole.floor(value), 0.0)
        size = excess + self.whole.floor_size
        gradient, condensed, diagonal = packed
        curvature, pushed, bend = of_examples
        return CondensedEvaluation(
            point, value, excess, size, gap, gradient, condensed, diagonal, curvature, pushed, bend
        )


class CondensedObjective(Rewritten):
    """The objective of a loss of one score, on rewritten rows.

    Parameters
    ----------
    objective : SparseObjective
        One that `can_condense`.
    """

    def __init__(self, objective: SparseObjective) -> None:
        source = objective.source
        blocks = objective.sparse_blocks()
        super().__init__(
            objective, CondensedRows(blocks, objective.penalty.strength, objective.n_threads)
        )
        labels = [source.labels(index)[1:] for index in range(source.n_blocks)]
        y, weight = (np.concatenate(parts) for parts in zip(*labels, strict=True))
        self._kernel, self._of_data = objective.loss.kernel, (y, weight)
        self._offset = source.offset

    @property
    def n_packed(self) -> int:
        """How many coefficients are packed, the intercept among them."""
        return self.rows.n_columns + int(self.whole.fit_intercept)

    @property
    def stiffness(self) -> FloatArray:
        """The diagonal of the penalty's Hessian."""
        return np.append(self.strength, np.zeros(int(self.whole.fit_intercept)))

    def levels(self, packed: FloatArray) -> FloatArray:
        """Return the intercept of what is packed, or nothing."""
        return packed[self.rows.n_columns :]

    def start(self, intercept: FloatArray) -> CondensedPoint:
        """Return the point where all coefficients but the intercept are zero."""
        packed, n_samples = np.zeros(self.n_packed), len(self.rows.own)
        raw = np.zeros(n_samples) if self._offset is None else self._offset[:, 0].copy()
        if self.whole.fit_intercept:
            packed[-1] = intercept[0]
            raw += intercept[0]
        return CondensedPoint(packed, np.zeros(n_samples), raw)

    def evaluate(self, point: CondensedPoint) -> CondensedEvaluation:
        """Evaluate value and gradients in one read of the columns."""
        n_samples, n_columns = len(point.raw), self.rows.n_columns
        examples, pushed, bend = np.empty((n_samples, 3)), np.empty(n_samples), np.empty(n_samples)
        value, slope, left, corner, gap = example_pass(
            self._kernel, point.raw, self._of_data, self.rows.own, point.alone, examples,
            pushed, bend,
        )  # fmt: skip
        packed = np.empty((3, self.n_packed))
        if self.whole.fit_intercept:
            packed[:, -1] = slope, left, corner
        shared, penalty = self.rows.gradients(
            examples, self.strength, point.packed[:n_columns], *packed[:, :n_columns]
        )
        of_examples = np.ascontiguousarray(examples[:, 2]), pushed, bend
        return self.evaluated(point, value + penalty, gap + shared, packed, of_examples)

    def spreads(self, at: CondensedEvaluation, k: int) -> FloatArray:
        """Return the condensed curvature of each example."""
        return at.curvature

    def balanced_gap(self, at: CondensedEvaluation) -> float:
        """Return about what the gap is once the intercept is balanced, at the price of a read."""
        n_columns, nothing = self.rows.n_columns, np.zeros(len(at.bend))
        pulled = np.empty(n_columns)
        unmoved = np.zeros(n_columns)
        level = self.rows.product(unmoved, 1.0, at.bend, self.strength, pulled, (0.0, nothing))
        self.count(1)
        shift = -float(at.gradient[-1]) / level if level > 0 else 0.0
        gradient = at.gradient[:n_columns] + shift * pulled
        pushed = at.pushed + shift * self.rows.own * at.bend
        return 0.5 * float(gradient @ (gradient / self.strength) + pushed @ pushed)

    def products(self, at: CondensedEvaluation) -> CondensedProducts:
        """Return the condensed Hessian at a point."""
        return CondensedProducts(self, at)

    def direction(
        self, at: CondensedEvaluation, packed: FloatArray, travelled: FloatArray
    ) -> tuple[CondensedPoint, float, float]:
        """Complete a step of what is packed by the steps of own coefficients.

        Parameters
        ----------
        at : CondensedEvaluation
        packed : ndarray of shape (n_packed,)
        travelled : ndarray of shape (n_samples,)
            How far it moves the scores.

        Returns
        -------
        direction : CondensedPoint
        slope : float
            The derivative of f along it.
        decrement : float
            By how much the step lowers the quadratic model through own coefficients alone.
        """
        steps = np.empty(len(travelled))
        slope, decrement = own_steps(self.rows.own, at.bend, at.pushed, travelled, steps)
        slope += float(at.gradient @ packed)
        return CondensedPoint(packed, steps, travelled), slope, decrement

    def along(
        self, at: CondensedEvaluation, direction: CondensedPoint
    ) -> Callable[[float], tuple[float, float]]:
        """Return step -> (f, df/dstep) on a line, without reading X."""
        n_columns, here = self.rows.n_columns, at.point
        coef, step_of_coef = here.packed[:n_columns], direction.packed[:n_columns]
        pull = self.strength * step_of_coef
        curvature = float(pull @ step_of_coef + direction.alone @ direction.alone)
        slope = float(pull @ coef + here.alone @ direction.alone)
        level = 0.5 * float((self.strength * coef) @ coef + here.alone @ here.alone)
        kernel, data = self._kernel, self._of_data

        def at_step(step: float) -> tuple[float, float]:
            loss, rise, _ = line_sums(kernel, here.raw, direction.raw, step, *data)
            value = loss + level + step * slope + 0.5 * step * step * curvature
            return comparable(value), rise + slope + step * curvature

        return at_step

    def whole_point(self, point: CondensedPoint) -> Point:
        """Return the coefficients of all columns."""
        coef = self.rows.spread(point.packed[: self.rows.n_columns], point.alone)
        intercept = point.packed[self.rows.n_columns :].sum()
        return Point(coef[:, None], np.asarray([float(intercept)]))

    def raw_table(self, point: CondensedPoint) -> FloatArray:
        """Return the scores, (n_samples, 1)."""
        return point.raw[:, None]


class CondensedProducts(Products):
    """The Hessian of the condensed problem, as what it does to packed vectors.

    Parameters
    ----------
    objective : CondensedObjective
    at : CondensedEvaluation
    """

    is_compiled = True

    def __init__(self, objective: CondensedObjective, at: CondensedEvaluation) -> None:
        self._condensed, self._curvature = objective, at.curvature
        self._diagonal = at.diagonal
        self._step, self._travelled = 0.0, np.zeros(len(at.curvature))
        self._known = False

    def diagonal(self) -> FloatArray:
        """Return the diagonal of the Hessian."""
        return self._diagonal

    def times(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian times a vector."""
        condensed, n_columns = self._condensed, self._condensed.rows.n_columns
        found = np.empty(len(vector))
        level = condensed.rows.product(
            vector[:n_columns],
            float(vector[n_columns:].sum()),
            self._curvature,
            condensed.strength,
            found[:n_columns],
            (self._step, self._travelled),
        )
        found[n_columns:] = level
        condensed.count(1)
        self._step = 0.0
        return found

    def advance(self, step: float) -> None:
        """Add the last vector, times this factor, to the direction that is put together."""
        self._step = step

    def travelled(self) -> FloatArray:
        """Return the change of scores along the direction that was put together."""
        self._condensed.rows.travel(self._step, self._travelled)
        self._step = 0.0
        return self._travelled


def can_condense(objective: Objective) -> bool:
    """Tell whether rows may be rewritten: all columns penalised and fitted, and not too large."""
    source = objective.source
    if not isinstance(objective, SparseObjective):
        if not isinstance(objective, ClassObjective) or source.is_dense:
            return False
        if source.offset is not None or not condensed_class_rows.pays(source.n_entries):
            return False
    return (
        objective.columns is None
        and bool((objective.penalty.strength > 0).all())
        and pays(source.n_entries, source.n_features, source.given[0].dtype.char)
    )
