"""How far rounding can have moved what was computed: a priori bounds.

They come from one pass over |X|; or from no pass, a few times as wide, from the largest number of
each column and the sum of the losses.

The bounds are those of Higham, *Accuracy and Stability of Numerical Algorithms*, chapters 3 and 4,
for sums in any order; what the emitted kernels err is stated by the losses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log2
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, accumulated
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.losses.loss import TotalErrors
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.executors import Partial

_LEAST_ERROR: Final[float] = 64 * UNIT
"""What the least loss of an example may err, relative to the largest term in it."""

_SLACK: Final[float] = 1 + 1e-6
"""For the rounding of the bounds themselves."""


@dataclass(frozen=True)
class SumRounding:
    """Bounds at one point, on the objective and its gradient.

    Attributes
    ----------
    gradient : Point
        Bound on |computed - true gradient|, entry by entry.
    value : float
        Bound on |computed - true objective|.
    raw_prediction : float
        Bound on |computed - true raw prediction|, over all rows and outputs.
    reach : ndarray of shape (n_features,)
        sum_i s_i |x_ij|.
    largest : float
        Bound on every |raw prediction|.
    """

    gradient: Point
    value: float
    raw_prediction: float
    reach: FloatArray
    largest: float


@dataclass(frozen=True)
class Rounding(SumRounding):
    """Bounds at one point, on the curvature too.

    Attributes
    ----------
    of_sums : Point
        The part of the gradient's that is not due to raw predictions.
    of_scores : float
        Bound on the part that is, in the norm of the inverse of the true Hessian: however badly
        that is conditioned, X^T v is no longer there than v is among the examples.
    curvature : float
        Relative bound on the pointwise Hessians.
    summation : float
        Relative bound on the sums of one entry of the Hessian.
    hessian : float
        Bound, in the 2-norm of the scaled Hessian, on what pointwise Hessians err beyond that.
    longest_row : float
        max_i |weights x_i|, intercept included, for the weights that were given.
    """

    of_sums: Point
    of_scores: float
    curvature: float
    summation: float
    hessian: float
    longest_row: float


def measure_rounding(
    objective: Objective,
    evaluation: Evaluation,
    *,
    other: Point | None = None,
    weights: Point | None = None,
) -> Rounding:
    """Bound the rounding errors of `evaluation` (and of raw predictions at `other`).

    Parameters
    ----------
    objective : Objective
    evaluation : Evaluation
    other : Point, optional
        A second point whose raw predictions the bound shall cover too.
    weights : Point, optional
        What the numbers of a row are multiplied by for `longest_row`, output by output the same.
    """
    source, loss, point = objective.source, objective.loss, evaluation.point
    coef, intercept = _sizes(point, other)
    of_row, of_sum, of_sandwich = _units(objective)
    on_columns, on_ones = _weights(objective, weights)
    reached_most = np.zeros(source.n_blocks)
    largest = np.zeros(source.n_blocks)
    longest = np.zeros(source.n_blocks)

    def one(block: RowBlock) -> Partial:
        index = block.rows.start // source.rows_per_block
        raw = evaluation.raw_prediction[block.rows]
        reached, squares = block.X.row_sizes(coef, on_columns)
        size = (reached + intercept + np.abs(block.offset)).max(axis=1)
        reached_most[index] = size.max()
        error = of_row * size
        largest[index] = error.max()
        squares = squares + on_ones * on_ones
        longest[index] = squares.max()
        sensitive = loss.gradient_change(raw, block.y, error)
        slope = np.abs(loss.pointwise_gradient(raw, block.y))
        summed = of_sum * slope + loss.gradient_error(raw, block.y)
        residual = block.sample_weight[:, None] * np.hstack([summed + sensitive, summed])
        value = ((slope + sensitive) * error[:, None]).sum(axis=1) + loss.loss_error(raw, block.y)
        sizes = block.X.column_sizes(np.hstack([residual, block.sample_weight[:, None]]))
        return (
            sizes[:, :-1],
            residual.sum(axis=0),
            sizes[:, -1],
            np.asarray(block.sample_weight @ value),
            np.asarray(block.sample_weight @ (loss.steepest_bend(raw, block.y) * error**2)),
            np.asarray(block.sample_weight @ (squares * loss.hessian_error(raw, block.y, error))),
        )

    on_coef, on_intercept, reach, on_value, on_scores, on_hessian = objective.sum_over_blocks(one)
    pull = np.abs(objective.penalty.gradient(point.coef)) + np.abs(evaluation.gradient.coef)
    raw_error = float(largest.max())
    n_outputs = loss.n_outputs

    def part(which: slice) -> Point:
        on_coefs = on_coef[:, which] + 4 * UNIT * pull
        return objective.freed(Point(_SLACK * on_coefs, _SLACK * on_intercept[which]))

    return Rounding(
        gradient=part(slice(n_outputs)),
        of_sums=part(slice(n_outputs, None)),
        of_scores=_SLACK * _stretched(objective, raw_error) * float(np.sqrt(on_scores)),
        value=_SLACK * (float(on_value) + _of_total(evaluation, of_sum)),
        raw_prediction=raw_error,
        curvature=loss.curvature_error(raw_error),
        summation=of_sandwich,
        hessian=_SLACK * float(on_hessian),
        reach=_SLACK * reach,
        longest_row=_SLACK * float(np.sqrt(longest.max())),
        largest=_SLACK * float(reached_most.max()),
    )


def bound_rounding(
    objective: Objective,
    evaluation: Evaluation,
    *,
    other: Point | None = None,
    weights: Point | None = None,
) -> Rounding:
    """Do what `measure_rounding` does without reading X; the bounds are a few times as wide.

    |x_ij| gives way to the largest of its column. What depends on an example's predictions
    gives way to its loss, where no derivative exceeds the loss; elsewhere it is summed as it is.
    """
    sums, totals = _of_sums(objective, evaluation, other)
    source, loss, error = objective.source, objective.loss, sums.raw_prediction
    on_columns, on_ones = _weights(objective, weights)
    _, of_sum, of_sandwich = _units(objective)
    summed = of_sum * totals.steepest + totals.gradient
    squares = float(((source.column_bounds * on_columns) ** 2).sum()) + on_ones * on_ones
    return Rounding(
        gradient=sums.gradient,
        of_sums=_of_gradient(objective, evaluation, summed),
        of_scores=_SLACK * _stretched(objective, error) * float(np.sqrt(totals.bend) * error),
        value=sums.value,
        raw_prediction=error,
        curvature=loss.curvature_error(error),
        summation=of_sandwich,
        hessian=_SLACK * squares * totals.hessian,
        reach=sums.reach,
        longest_row=_SLACK * float(np.sqrt(squares)),
        largest=sums.largest,
    )


def bound_sums(objective: Objective, evaluation: Evaluation) -> SumRounding:
    """Return what `bound_rounding` says of the objective and its gradient."""
    return _of_sums(objective, evaluation, None)[0]


def _of_sums(
    objective: Objective, evaluation: Evaluation, other: Point | None
) -> tuple[SumRounding, TotalErrors]:
    """Bound the rounding of the objective and its gradient; return the totals it comes from."""
    source = objective.source
    coef, intercept = _sizes(evaluation.point, other)
    tops = source.column_bounds
    largest = float((tops @ coef + intercept + _beside(objective)).max())
    totals, error, summed, on_value = totals_at(objective, evaluation, largest)
    sums = SumRounding(
        gradient=_of_gradient(objective, evaluation, summed),
        value=on_value,
        raw_prediction=error,
        reach=_SLACK * tops * (_SLACK * source.total_weight),
        largest=_SLACK * largest,
    )
    return sums, totals


def totals_at(
    objective: Objective, evaluation: Evaluation, largest: float
) -> tuple[TotalErrors, float, float, float]:
    """Return what rounding does to sums at a point whose raw predictions have at most a size.

    Returns
    -------
    totals : TotalErrors
    error : float
        Of a raw prediction.
    summed : float
        Of the sum of all residuals, by their sizes.
    value : float
        Of the objective.
    """
    of_row, of_sum, _ = _units(objective)
    error = of_row * largest
    totals = _from_losses(objective, evaluation, of_sum, largest, error)
    if totals is None:
        totals = _over_examples(objective, evaluation, error)
    summed = of_sum * totals.steepest + totals.gradient + totals.change
    on_value = (totals.steepest + totals.change) * error + totals.loss
    return totals, error, summed, _SLACK * (on_value + _of_total(evaluation, of_sum))


@dataclass(frozen=True)
class StackedRounding:
    """Bounds at many points, from the largest number of each column.

    Attributes
    ----------
    coef : ndarray of shape (n, n_features)
        Bounds on |computed - true gradient|.
    intercept, value, raw_prediction, curvature : ndarray of shape (n,)
        As in `Rounding`.
    summation : float
        As in `Rounding`.
    has_hessian : bool
        Whether pointwise Hessians err by more than a factor: then more is to be bounded.
    """

    coef: FloatArray
    intercept: FloatArray
    value: FloatArray
    raw_prediction: FloatArray
    curvature: FloatArray
    summation: float
    has_hessian: bool


def stacked_rounding(
    objective: Objective, evaluations: Sequence[Evaluation], w: FloatArray, slope: FloatArray
) -> StackedRounding:
    """Do what `bound_rounding` does at many points, for losses of one score.

    Parameters
    ----------
    objective : Objective
        Of the losses alone.
    evaluations : sequence of Evaluation
    w, slope : ndarray of shape (n, n_features)
        Their coefficients and gradients.
    """
    source = objective.source
    levels = np.array([abs(float(at.point.intercept[0])) for at in evaluations])
    largest = np.abs(w) @ source.column_bounds + levels + _beside(objective)
    found = [
        totals_at(objective, at, one) for at, one in zip(evaluations, largest.tolist(), strict=True)
    ]
    totals, error, summed, value = zip(*found, strict=True)
    sums = _SLACK * np.array(summed)
    return StackedRounding(
        coef=4 * UNIT * _SLACK * np.abs(slope) + np.outer(sums, source.column_bounds),
        intercept=sums if objective.fit_intercept else np.zeros(len(sums)),
        value=np.array(value),
        raw_prediction=np.array(error),
        curvature=np.array([objective.loss.curvature_error(one) for one in error]),
        summation=_units(objective)[2],
        has_hessian=any(one.hessian != 0 for one in totals),
    )


def _beside(objective: Objective) -> float:
    """Return the largest size of an offset."""
    offset = objective.source.offset
    return 0.0 if offset is None else float(np.abs(offset).max(initial=0.0))


def _of_gradient(objective: Objective, evaluation: Evaluation, total: float) -> Point:
    """Bound the rounding of a gradient whose residuals err by a total."""
    on_coef = np.abs(evaluation.gradient.coef)
    if not objective.penalty.is_none:
        on_coef += np.abs(objective.penalty.gradient(evaluation.point.coef))
    on_coef *= 4 * UNIT * _SLACK
    on_coef += (_SLACK * total) * objective.source.column_bounds[:, None]
    on_intercept = np.full(objective.loss.n_outputs, _SLACK * total)
    return objective.freed(Point(on_coef, on_intercept))


def _from_losses(
    objective: Objective, evaluation: Evaluation, of_sum: float, largest: float, error: float
) -> TotalErrors | None:
    """Bound sums over all examples by the sum of their losses, where no derivative exceeds it."""
    source, loss = objective.source, objective.loss
    weight, pure = _SLACK * source.total_weight, source.has_pure_labels
    losses = max(evaluation.value - objective.penalty.value(evaluation.point.coef), 0.0)
    losses += 4 * UNIT * abs(evaluation.value)
    first = loss.total_errors(losses, weight, largest, error, pure)
    if first is None:
        return None
    losses = (losses + first.loss) * _SLACK * (1 + 2 * of_sum)
    return loss.total_errors(losses, weight, largest, error, pure)


def _over_examples(objective: Objective, evaluation: Evaluation, error: float) -> TotalErrors:
    """Bound sums over all examples, from the raw prediction of each."""

    def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> Partial:
        found = objective.loss.error_sums(raw, y, s, error)
        assert found is not None  # losses that bound their derivatives were asked before
        return tuple(map(np.asarray, vars(found).values()))

    sums = objective.sum_over_vectors(one, evaluation.raw_prediction)
    return TotalErrors(*(1.000001 * float(total) for total in sums))


def _stretched(objective: Objective, error: float) -> float:
    """Bound how much more the curvature of the true predictions can be: a factor."""
    constant = objective.loss.facts.self_concordance
    return float(np.exp(3 * max(1.0, constant or 0.0) * min(error, 50.0)))


def _of_total(evaluation: Evaluation, of_sum: float) -> float:
    """Bound the rounding of the sums of all losses, and of the least of them."""
    return of_sum * (abs(evaluation.value) + 2 * evaluation.floor_size) + (
        _LEAST_ERROR * evaluation.floor_size
    )


def _sizes(point: Point, other: Point | None) -> tuple[FloatArray, FloatArray]:
    """Return |coef| and |intercept|, or the larger of those of two points."""
    coef, intercept = np.abs(point.coef), np.abs(point.intercept)
    if other is not None:
        coef = np.maximum(coef, np.abs(other.coef))
        intercept = np.maximum(intercept, np.abs(other.intercept))
    return coef, intercept


def _weights(objective: Objective, weights: Point | None) -> tuple[FloatArray, float]:
    """Return the weights of columns, and that of the intercept; ones where none are given."""
    if weights is None:
        weights = objective.unpack(np.ones(objective.n_parameters))
    return np.ascontiguousarray(weights.coef[:, 0]), float(weights.intercept[0])


def _units(objective: Objective) -> tuple[float, float, float]:
    """Return what rounding does to a raw prediction, a sum over rows and a sandwich, relatively."""
    source = objective.source
    # over blocks in a tree; what a class does to itself is also a sum over the other classes
    depth = log2(source.n_blocks + 1) + objective.loss.n_outputs
    row, total, sandwich = source.longest_sums
    return (
        accumulated(row + 4),
        accumulated(total + depth + 8),
        accumulated(sandwich + depth + 8),
    )
