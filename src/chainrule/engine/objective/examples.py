"""Sums over the examples alone: targets, weights and raw predictions, without reading X."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Evaluation, Point, comparable
from chainrule.engine.passes.fused_blocks import line_sums
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, map_in_order, sum_over_chunks

_ROWS: Final[int] = 2**13
"""Rows of a sum over examples: few enough that BLAS, too, adds them up in one thread.

OpenBLAS shares dot products of more than 10,000 numbers among threads, where its bits depend on
how many there are.
"""


class ExampleSums:
    """Sums of an objective over its examples, without their features.

    Parameters
    ----------
    source : InMemorySource
    loss : Loss
    penalty : L2Penalty
    n_threads : int
    """

    def __init__(
        self, source: InMemorySource, loss: Loss, penalty: L2Penalty, n_threads: int
    ) -> None:
        self.source = source
        self.loss = loss
        self.penalty = penalty
        self.n_threads = n_threads

    def floor(self, value: float) -> float:
        """Return the sum of the least losses, a lower bound of f.

        Where no least loss is proven, it is as far below a value of f as that is below f at zero
        coefficients: a scale for solvers, which proves nothing.
        """
        if not self.loss.facts.has_least:
            return value - max(self.value_at_origin - value, UNIT * self.floor_size)
        return self._floor[0]

    @property
    def floor_size(self) -> float:
        """The sum of the sizes of the least losses; |f| at zero coefficients, if none is proven."""
        return self._floor[1]

    @cached_property
    def _floor(self) -> tuple[float, float]:
        if not self.loss.facts.has_least:
            return 0.0, max(abs(self.value_at_origin), 1e-300)
        if self.loss.facts.of_classes:
            return 0.0, 0.0

        def one(_: FloatArray, y: FloatArray, s: FloatArray) -> Partial:
            total, size = self.loss.least_sums(y, s)
            return np.asarray(total), np.asarray(size)

        total, terms = self.sum_over_vectors(one, np.empty((self.source.n_samples, 0)))
        return float(total), float(terms)

    def sum_over_vectors(
        self,
        function: Callable[[FloatArray, FloatArray, FloatArray], Partial],
        raw_prediction: FloatArray,
    ) -> Partial:
        """Sum ``function(raw_prediction, y, sample_weight)`` over blocks, without reading X."""
        source, step = self.source, self._rows_at_once

        def one(index: int) -> Partial:
            rows = slice(index * step, min((index + 1) * step, source.n_samples))
            return function(raw_prediction[rows], *source.labels_of(rows))

        return sum_over_chunks(one, -(-source.n_samples // step), self.n_threads)

    @property
    def _rows_at_once(self) -> int:
        """Rows of a part of a sum over examples: whole blocks, and not too few of them."""
        block = self.source.rows_per_block
        return block * max(1, _ROWS // block)

    def residual(self, raw_prediction: FloatArray) -> FloatArray:
        """Return the weighted derivatives of the losses in the raw predictions."""
        found, step = np.empty(raw_prediction.shape, order="F"), self._rows_at_once

        def one(index: int) -> None:
            rows = slice(index * step, min((index + 1) * step, self.source.n_samples))
            y, s = self.source.labels_of(rows)
            found[rows] = s[:, None] * self.loss.pointwise_gradient(raw_prediction[rows], y)

        for _ in map_in_order(one, -(-self.source.n_samples // step), self.n_threads):
            pass
        return found

    @property
    def has_compiled_lines(self) -> bool:
        """Whether sums over the examples alone, too, are worth a compiled loop."""
        return self.source.is_fused and bool(self.loss.kernel)

    def intercept_sums(
        self, raw_prediction: FloatArray, shift: FloatArray
    ) -> tuple[float, FloatArray, FloatArray]:
        """Return the loss with the intercept shifted, and its derivatives w.r.t. the shift."""
        ones = np.ones(min(self._rows_at_once, self.source.n_samples))

        def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> Partial:
            if self.has_compiled_lines:
                loss, slope, bend = line_sums(
                    self.loss.kernel, raw[:, 0], ones[: len(raw)], float(shift[0]), y, s
                )
                return np.asarray(loss), np.asarray([slope]), np.asarray([[bend]])
            raw = raw + shift
            return (
                np.asarray(s @ self.loss.pointwise_loss(raw, y)),
                s @ self.loss.pointwise_gradient(raw, y),
                np.tensordot(s, self.loss.pointwise_hessian(raw, y), axes=1),
            )

        loss, slope, bend = self.sum_over_vectors(one, raw_prediction)
        return float(loss), slope, bend

    @cached_property
    def value_at_origin(self) -> float:
        """The objective where everything is zero, found without reading X."""
        raw_prediction, level = self.source.offset, self.loss.level
        if raw_prediction is None and level is not None:
            return level * self.source.total_weight
        if raw_prediction is None:
            raw_prediction = np.zeros((self.source.n_samples, self.loss.n_outputs))
        (loss,) = self.sum_over_vectors(
            lambda raw, y, s: (np.asarray(s @ self.loss.pointwise_loss(raw, y)),), raw_prediction
        )
        return float(loss)

    def along(
        self, start: Evaluation, direction: Point, raw_direction: FloatArray
    ) -> Callable[[float], tuple[float, float]]:
        """Return step -> (f, df/dstep) on a line, without reading X."""
        curvature = float((self.penalty.gradient(direction.coef) * direction.coef).sum())
        slope = float((self.penalty.gradient(start.point.coef) * direction.coef).sum())
        level = self.penalty.value(start.point.coef)

        def at(step: float) -> tuple[float, float]:
            def one(index: int) -> Partial:
                rows, y, s = self.source.labels(index)
                change = raw_direction[rows]
                if self.has_compiled_lines:
                    level = start.raw_prediction[rows, 0]
                    total, pulled, _ = line_sums(self.loss.kernel, level, change[:, 0], step, y, s)
                    return np.asarray(total), np.asarray(pulled)
                raw = start.raw_prediction[rows] + step * change
                pull = (self.loss.pointwise_gradient(raw, y) * change).sum(axis=1)
                return np.asarray(s @ self.loss.pointwise_loss(raw, y)), np.asarray(s @ pull)

            loss, rise = sum_over_chunks(one, self.source.n_blocks, self.n_threads)
            value = float(loss) + level + step * slope + 0.5 * step * step * curvature
            return comparable(value), float(rise) + slope + step * curvature

        return at

    def bend(self, at: Evaluation) -> FloatArray | None:
        """Return the weighted curvature of each example, for `hessian_product` to use again.

        Only where it is one number, (n_samples,): losses of one output.
        """
        if self.loss.n_outputs > 1:
            return None
        found = np.empty(self.source.n_samples)

        def one(index: int) -> None:
            rows, y, s = self.source.labels(index)
            found[rows] = self._bends(at.raw_prediction[rows], y, s)

        for _ in map_in_order(one, self.source.n_blocks, self.n_threads):
            pass
        return found

    def bends_of(self, block: RowBlock, raw_prediction: FloatArray) -> FloatArray:
        """Return the weighted curvature of the examples of a block: of losses of one output."""
        return self._bends(raw_prediction, block.y, block.sample_weight)

    def _bends(self, raw_prediction: FloatArray, y: FloatArray, s: FloatArray) -> FloatArray:
        return np.asarray(s * self.loss.pointwise_hessian(raw_prediction, y)[:, 0, 0])
