"""Sums over the columns of sparse data, one vector a block of rows, used again pass after pass.

Where columns are many, a sum over rows is a long vector, and making room for one in every block of
every pass costs more time than the sums themselves. So each block of rows gets an accumulator: a
vector that lives as long as the objective. A pass fills all accumulators and adds them in a fixed
binary tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.evaluation import Evaluation, Point, comparable
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.fused_blocks import NOTHING
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock, fold
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, map_in_order, tree_reduce

_STRIPE: Final[int] = 2**15

Scalars = tuple[float, ...]


class Accumulators:
    """One vector of sums over columns for each block of rows.

    Parameters
    ----------
    n_blocks, n_features : int
    n_threads : int
    """

    def __init__(self, n_blocks: int, n_features: int, n_threads: int) -> None:
        self.of_block = np.empty((n_blocks, n_features))
        self._n_threads = n_threads

    def fill(
        self,
        function: Callable[[int, FloatArray], Scalars],
        penalty: tuple[FloatArray, FloatArray] = (NOTHING, NOTHING),
        into: FloatArray | None = None,
    ) -> tuple[Scalars, FloatArray]:
        """Fill each accumulator by ``function(index, accumulator)``; return the sums of both.

        Sums go in the order of one fixed binary tree.

        Parameters
        ----------
        function : callable
        penalty : tuple of ndarray
            Strengths and coefficients whose product is added, column by column.
        into : ndarray of shape (n_features,), optional
            Receives the sums over columns.
        """
        n_blocks, n_features = self.of_block.shape
        total = np.empty(n_features) if into is None else into

        def stripe(index: int) -> None:
            start = index * _STRIPE
            fold(self.of_block, start, min(start + _STRIPE, n_features), *penalty, total)

        of_blocks = map_in_order(
            lambda index: function(index, self.of_block[index]), n_blocks, self._n_threads
        )
        scalars = added(of_blocks)
        for _ in map_in_order(stripe, -(-n_features // _STRIPE), self._n_threads):
            pass
        return scalars, total


def added(scalars: Iterable[Scalars]) -> Scalars:
    """Return sums, place by place, in the order of one fixed binary tree."""
    return tree_reduce(
        scalars, lambda left, right: tuple(a + b for a, b in zip(left, right, strict=True))
    )


class SparseObjective(Objective):
    """The objective of a loss of one score on sparse rows, with compiled passes.

    It keeps the curvatures of the examples at the last point where value and gradient were
    evaluated.
    """

    def __init__(
        self,
        source: InMemorySource,
        loss: Loss,
        penalty: L2Penalty,
        *,
        fit_intercept: bool = True,
        n_threads: int = 1,
        columns: IntArray | None = None,
    ) -> None:
        super().__init__(
            source,
            loss,
            penalty,
            fit_intercept=fit_intercept,
            n_threads=n_threads,
            columns=columns,
        )
        self._bend = np.empty(source.n_samples)
        self._bent_at: Point | None = None

    @cached_property
    def _accumulators(self) -> Accumulators:
        return Accumulators(self.source.n_blocks, self.source.n_features, self.n_threads)

    @cached_property
    def _blocks(self) -> list[FusedSparseBlock] | None:
        """The blocks of rows, where they are parts of X and cost no memory."""
        source = self.source
        if getattr(source.given[0], "format", "") != "csr":
            return None
        blocks: list[Any] = [source.matrix(index) for index in range(source.n_blocks)]
        return blocks

    def sparse_blocks(self) -> list[FusedSparseBlock]:
        """Return all blocks of rows, in order."""
        if self._blocks is not None:
            return self._blocks
        blocks: list[Any] = [self.source.matrix(index) for index in range(self.source.n_blocks)]
        return blocks

    @cached_property
    def _examples(self) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Targets, weights and offsets, block by block."""
        offset = self.source.offset
        found = []
        for index in range(self.source.n_blocks):
            rows, y, weight = self.source.labels(index)
            found.append((y, weight, NOTHING if offset is None else offset[rows, 0]))
        return found

    def evaluate(
        self, point: Point, *, with_hessian: bool = False, keep: bool = True
    ) -> Evaluation:
        """Evaluate value and gradient, and on demand the Hessian, in one pass."""
        if with_hessian:
            return super().evaluate(point, with_hessian=with_hessian, keep=keep)
        if self.runtime is not None:
            self._bent_at = point
            return super().evaluate(point)
        raw_prediction = self._table()
        self._bent_at = None
        loss, coef, intercept = self.gradient_sums(point, raw_prediction[:, 0], self._bend)
        self._bent_at = point
        value = comparable(float(loss) + self.penalty.value(point.coef))
        return Evaluation(
            point,
            value,
            self.freed(Point(self.penalty.added(coef, point.coef), intercept)),
            lambda: raw_prediction,
            floor=self.floor(value),
            floor_size=self.floor_size,
        )

    def gradient_sums(self, point: Point, raw: FloatArray, bend: FloatArray) -> Partial:
        """Return loss and gradient of the losses, and fill in scores and curvatures.

        Parameters
        ----------
        point : Point
        raw, bend : ndarray of shape (n_samples,)
            Receive raw predictions and weighted curvatures.
        """
        coef, intercept = np.ascontiguousarray(point.coef[:, 0]), float(point.intercept[0])

        def one(index: int, X: FusedSparseBlock, accumulator: FloatArray) -> Scalars:
            rows, examples = self.source.rows(index), self._examples[index]
            kernel = self.loss.kernel
            return X.gradient_pass(
                kernel, examples, coef, intercept, raw[rows], bend[rows], accumulator
            )

        (loss, slope), total = self.fill(one)
        return np.asarray(loss), total[:, None], np.asarray([slope])

    def bend(self, at: Evaluation) -> FloatArray:
        """Return the weighted curvature of each example."""
        if at.point is self._bent_at and self.runtime is not None:
            return self.runtime.bends(self, at.point)
        if at.point is self._bent_at:
            return self._bend
        found = super().bend(at)
        assert found is not None
        return found

    def fill(
        self,
        function: Callable[[int, FusedSparseBlock, FloatArray], Scalars],
        penalty: tuple[FloatArray, FloatArray] = (NOTHING, NOTHING),
        into: FloatArray | None = None,
    ) -> tuple[Scalars, FloatArray]:
        """Fill each accumulator by ``function(index, X, accumulator)``, in one read of X.

        The rest is as in `Accumulators.fill`.
        """
        self.passes += 1

        def one(index: int, accumulator: FloatArray) -> Scalars:
            X: Any = self.source.matrix(index) if self._blocks is None else self._blocks[index]
            return function(index, X, accumulator)

        return self._accumulators.fill(one, penalty, into)


def objective_for(
    source: InMemorySource,
    loss: Loss,
    penalty: L2Penalty,
    *,
    fit_intercept: bool = True,
    n_threads: int = 1,
    columns: IntArray | None = None,
) -> Objective:
    """Return the objective of a problem, with the passes that suit its rows."""
    kind = Objective
    if source.is_fused and not source.is_dense and loss.kernel:
        kind = SparseObjective
    elif source.is_fused and source.has_codes and loss.n_outputs > 1:
        kind = ClassObjective
    return kind(
        source, loss, penalty, fit_intercept=fit_intercept, n_threads=n_threads, columns=columns
    )
