"""The objective: the only place that knows sums, weights, the intercept and the penalty.

    f(coef, intercept) = sum_i s_i loss(coef^T x_i + intercept + offset_i, y_i)
                         + sum_j strength_j |coef_j|^2 / 2

Every pass over the data is a sum over blocks in a fixed order (`executors`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.closures import arrays_of
from chainrule.engine.objective.evaluation import Evaluation, Point, comparable
from chainrule.engine.objective.examples import ExampleSums
from chainrule.engine.objective.runtimes import BlockSum, Runtime
from chainrule.engine.passes import class_tables
from chainrule.engine.passes.blocks import DenseBlock
from chainrule.engine.passes.fused_blocks import NOTHING, FusedBlock
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, sum_over_chunks
from chainrule.engine.runtime.journal import Journal

Fused = FusedBlock | FusedSparseBlock


class Objective(ExampleSums):
    """f, its derivatives and the other sums over rows that solvers and certificates need.

    Parameters
    ----------
    source : InMemorySource
    loss : Loss
    penalty : L2Penalty
        In the units of the source's (scaled) columns.
    fit_intercept : bool
    n_threads : int
        How many threads share the blocks; the answer has the same bits for any number.
    columns : ndarray, optional
        The free columns, if not all are: the coefficients of the others are held at zero, so that
        passes go over whole rows, and vectors, gradients and Hessians know nothing of them.

    Attributes
    ----------
    passes : float
        How many times X has been read so far; a part of the rows counts as that part.
    way : str
        How rows were rewritten for most of them: a phrase for `explain`, or nothing.
    journal : Journal or None
        Keeps the results of passes, so that a fit that was stopped goes on from there.
    runtime : Runtime or None
        Computes passes elsewhere: on the workers of a cluster.
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
        super().__init__(source, loss, penalty, n_threads)
        self.fit_intercept = fit_intercept
        self.columns = columns
        self.passes = 0.0
        self.way = ""
        self.journal: Journal | None = None
        self.runtime: Runtime | None = None

    @property
    def n_rows_of_hessian(self) -> int:
        """Parameters per output: free columns, and the intercept if there is one."""
        n_held = 0 if self.columns is None else self.source.n_features - len(self.columns)
        return self.source.n_features - n_held + int(self.fit_intercept)

    @property
    def free(self) -> IntArray | slice:
        """Which columns are free, as an index."""
        return slice(None) if self.columns is None else self.columns

    @property
    def n_parameters(self) -> int:
        """Size of a packed vector."""
        return self.n_rows_of_hessian * self.loss.n_outputs

    @property
    def row_bounds(self) -> FloatArray:
        """Bounds on the sizes of all numbers in a row, that of the intercept included."""
        ones = np.ones(int(self.fit_intercept))
        return np.concatenate([self.source.column_bounds[self.free], ones])

    def on_rows(self, sample: InMemorySource) -> Objective:
        """Return the objective of some of the rows, with their share of the penalty."""
        return self._on_rows(sample, Objective)

    def _on_rows(self, sample: InMemorySource, kind: type[Objective]) -> Objective:
        share = sample.total_weight / self.source.total_weight
        return kind(
            sample,
            self.loss,
            L2Penalty(share * self.penalty.strength),
            fit_intercept=self.fit_intercept,
            n_threads=self.n_threads,
            columns=self.columns,
        )

    def pack(self, point: Point) -> FloatArray:
        """Lay what is free of a point out as one vector: output by output, the intercept last."""
        rows = [point.coef[self.free]]
        if self.fit_intercept:
            rows.append(point.intercept[None, :])
        return np.concatenate(rows, axis=0).T.ravel()

    def unpack(self, vector: FloatArray) -> Point:
        """Invert `pack`."""
        table = vector.reshape(self.loss.n_outputs, self.n_rows_of_hessian).T
        found = self.origin()
        found.coef[self.free] = table[: len(table) - int(self.fit_intercept)]
        if self.fit_intercept:
            found.intercept[:] = table[-1]
        return found

    def freed(self, point: Point) -> Point:
        """Return a gradient with zeros for what is held: columns, or the intercept."""
        if self.columns is None and self.fit_intercept:
            return point
        return self.unpack(self.pack(point))

    def origin(self) -> Point:
        """Return the point where everything is zero."""
        n_outputs = self.loss.n_outputs
        return Point(np.zeros((self.source.n_features, n_outputs)), np.zeros(n_outputs))

    def centred(self, point: Point) -> Point:
        """Return the same predictions with outputs that sum to zero: the symmetric choice."""
        if self.loss.n_outputs == 1:
            return point
        return Point(
            point.coef - point.coef.mean(axis=1, keepdims=True),
            point.intercept - point.intercept.mean(),
        )

    def sum_over_blocks(self, function: Callable[[RowBlock], Partial]) -> Partial:
        """Return the sum of ``function(block)`` over all blocks, in a fixed order."""
        source = self.source
        self.passes += 1
        held = () if self.journal is None else tuple(arrays_of(function))
        name = function.__qualname__
        return self._summed(name, lambda i: function(source.block(i)), *held, filled=held)

    def sum_at(self, at: Evaluation, function: BlockSum, *arguments: Any) -> Partial:  # noqa: ANN401
        """Return the sum over all blocks of a function of the raw predictions at a point.

        Parameters
        ----------
        at : Evaluation
        function : callable
            (objective, block, raw predictions of its rows, *arguments) -> sums. It belongs to a
            module, so that workers can be sent its name.
        *arguments
            The same for all blocks.
        """
        self.passes += 1
        known = at.point.coef, at.point.intercept, *arrays_of(arguments)
        name, runtime = function.__qualname__, self.runtime
        if runtime is not None and runtime.holds(at):
            return self._recalled(
                name, lambda: runtime.sums_at(self, at, function, arguments), *known
            )
        raw = at.raw_prediction

        def one(index: int) -> Partial:
            block = self.source.block(index)
            return function(self, block, raw[block.rows], *arguments)

        return self._summed(name, one, *known)

    def _recalled(self, name: str, function: Callable[[], Partial], *known: FloatArray) -> Partial:
        """Return the sums of a pass that workers compute, or what a journal says they were."""
        if self.journal is None:
            return function()
        return self.journal.recalled_or(("on workers", name, *known), function)

    def _summed(
        self,
        name: str,
        function: Callable[[int], Partial],
        *known: FloatArray,
        table: FloatArray | None = None,
        filled: Sequence[FloatArray] = (),
    ) -> Partial:
        """Return the sum of ``function(index)`` over all blocks, or what a journal says it was.

        Parameters
        ----------
        name : str
            Of what is summed, for the journal; with `known`, the arrays that it depends on.
        function : callable
        table : ndarray, optional
            What the function fills in on the way.
        filled : sequence of ndarray
            Among these, it may fill in some.
        """
        n_blocks, n_threads = self.source.n_blocks, self.n_threads
        if self.journal is None:
            return sum_over_chunks(function, n_blocks, n_threads)
        return self.journal.summed((name, *known), function, n_blocks, n_threads, table, filled)

    def evaluate(
        self, point: Point, *, with_hessian: bool = False, keep: bool = True
    ) -> Evaluation:
        """Evaluate value and gradient, and on demand the Hessian, in one pass.

        Where the raw predictions will hardly be asked for, they need not be kept: on very many rows
        a fresh table of them takes as long as a read of X.
        """
        runtime = self.runtime
        table = self._table() if keep and runtime is None else None
        name = "evaluate with Hessian" if with_hessian else "evaluate"
        self.passes += 1
        if runtime is not None:
            found = self._recalled(
                name,
                lambda: runtime.sums(self, point, with_hessian=with_hessian, keep=keep),
                point.coef,
                point.intercept,
            )
        else:
            found = self._summed(
                name,
                lambda index: self.block_sums(index, point, table, with_hessian=with_hessian),
                point.coef,
                point.intercept,
                table=table,
            )
        loss, coef, intercept, *rest = found
        gradient = self.freed(Point(self.penalty.added(coef, point.coef), intercept))
        value = comparable(float(loss) + self.penalty.value(point.coef))
        scores: Callable[[], FloatArray] = lambda: self.raw_predictions(point)  # noqa: E731
        if table is not None:
            scores = lambda: table  # noqa: E731
        elif keep and runtime is not None:
            scores = runtime.scores(self, point)
        return Evaluation(
            point,
            value,
            gradient,
            scores,
            self._penalised(self._square(rest[0])) if rest else None,
            self.floor(value),
            self.floor_size,
        )

    def block_sums(
        self, index: int, point: Point, table: FloatArray | None = None, *, with_hessian: bool
    ) -> Partial:
        """Return what one block of rows adds to loss, gradient and, on demand, Hessian.

        Parameters
        ----------
        index : int
        point : Point
        table : ndarray, optional
            Receives the raw predictions of the block.
        with_hessian : bool
        """
        if self.has_class_tables and (self.source.is_dense or not with_hessian):
            return self._by_class(index, point, table, with_hessian)
        block = self.source.block(index)
        if self.loss.kernel and isinstance(block.X, Fused):
            return self._fused(block, block.X, point, table, with_hessian)
        raw = block.X.matvec(point.coef) + point.intercept + block.offset
        if table is not None:
            table[block.rows] = raw
        s = block.sample_weight
        losses, slopes, bends = self.loss.terms(raw, block.y, with_hessian=with_hessian)
        residual = s[:, None] * slopes
        sums: Partial = (
            np.asarray(s @ losses),
            block.X.rmatvec(residual),
            residual.sum(axis=0),
        )
        return sums if bends is None else (*sums, self._sandwich(block, bends))

    def raw_predictions(self, point: Point) -> FloatArray:
        """Return the raw predictions at a point, (n_samples, n_outputs)."""
        found = self.raw_direction(point)
        return found if self.source.offset is None else found + self.source.offset

    def raw_direction(self, direction: Point) -> FloatArray:
        """Return the change of raw prediction along `direction`, (n_samples, n_outputs)."""
        self.passes += 1
        if self.runtime is not None:
            return self.runtime.changes(self, direction)
        change = self._table()

        def one(index: int) -> Partial:
            block = self.source.block(index)
            change[block.rows] = block.X.matvec(direction.coef) + direction.intercept
            return ()

        known = direction.coef, direction.intercept
        self._summed("raw predictions", one, *known, table=change)
        return change

    def hessian_product(
        self, at: Evaluation, direction: Point, bend: FloatArray | None = None
    ) -> Point:
        """Return the Hessian at a point times a direction, without forming it."""

        def one(block: RowBlock) -> Partial:
            if bend is not None and isinstance(block.X, Fused):
                return _bent_product(block.X, bend[block.rows], direction)
            return _product(self, block, at.raw_prediction[block.rows], direction)

        if self.runtime is not None and self.runtime.holds(at):
            coef, intercept = self.sum_at(at, block_product, direction)
        else:
            coef, intercept = self.sum_over_blocks(one)
        return self.freed(Point(coef + self.penalty.gradient(direction.coef), intercept))

    def hessian_diagonal(self, at: Evaluation) -> Point:
        """Return the diagonal of the Hessian."""
        coef, intercept = self.sum_at(at, block_diagonal)
        return Point(coef + self.penalty.strength[:, None], intercept)

    def hessian_with(
        self,
        raw_prediction: FloatArray,
        curvature: Callable[[FloatArray, FloatArray], FloatArray],
    ) -> tuple[FloatArray, FloatArray]:
        """Return the Hessian of f if examples had other curvatures: for losses of one output.

        Parameters
        ----------
        raw_prediction : ndarray of shape (n_samples, 1)
        curvature : callable
            (raw_prediction, y) -> the curvature of each example, (n_rows,).

        Returns
        -------
        hessian : ndarray of shape (n_parameters, n_parameters)
        sizes : ndarray of shape (n_parameters,)
            Its diagonal if all curvatures were taken by their size.
        """

        def one(block: RowBlock) -> Partial:
            bends = curvature(raw_prediction[block.rows], block.y)
            sizes = block.sample_weight * np.abs(bends)
            return (
                self._sandwich(block, bends[:, None, None]),
                block.X.sandwich_diagonal(sizes[:, None]),
                np.asarray([sizes.sum()]),
            )

        hessian, coef, intercept = self.sum_over_blocks(one)
        sizes = self.pack(Point(coef + self.penalty.strength[:, None], intercept))
        return self._penalised(hessian.reshape(self.n_parameters, self.n_parameters)), sizes

    def among_free(self, square: FloatArray) -> FloatArray:
        """Return the part of a matrix that belongs to free columns, given all columns' pairs."""
        return square[self.free][:, self.free]

    def _table(self) -> FloatArray:
        """Return room for one number an output and row, output by output: see `matvec`."""
        return np.empty((self.source.n_samples, self.loss.n_outputs), order="F")

    @property
    def has_class_tables(self) -> bool:
        """Whether passes go class by class: labels are codes, and rows dense or read in place."""
        source = self.source
        return self.loss.n_outputs > 1 and source.has_codes and (source.is_dense or source.is_fused)

    def _by_class(
        self, index: int, point: Point, table: FloatArray | None, with_hessian: bool
    ) -> Partial:
        rows, codes, weight = self.source.codes(index)
        X = self.source.matrix(index)
        assert isinstance(X, DenseBlock | Fused)
        # a table of all examples in Fortran order is one with a row per class in C order
        raw, start = (None, 0) if table is None else (table.T, rows.start)
        if with_hessian and raw is None:
            raw = np.empty((self.loss.n_outputs, len(codes)))
        loss, coef, intercept = X.class_pass(codes, weight, point.coef, point.intercept, raw, start)
        sums: Partial = np.asarray(loss), coef, intercept
        if not with_hessian or raw is None or isinstance(X, FusedSparseBlock):
            return sums
        fit = self.fit_intercept
        values, part = X.values[:, self.free], raw[:, start : start + len(codes)]
        return (*sums, class_tables.class_pairs(values, weight, part, fit_intercept=fit))

    def _square(self, hessian: FloatArray) -> FloatArray:
        if self.has_class_tables and self.source.is_dense:
            hessian = class_tables.class_hessian(hessian, self.loss.n_outputs)
        return hessian.reshape(self.n_parameters, self.n_parameters)

    def _sandwich(self, block: RowBlock, bends: FloatArray) -> FloatArray:
        n_outputs, size = self.loss.n_outputs, self.n_rows_of_hessian
        n_free = size - int(self.fit_intercept)
        h = bends * block.sample_weight[:, None, None]
        total = np.zeros((n_outputs, size, n_outputs, size))
        for k in range(n_outputs):
            for other in range(k + 1):
                d = np.ascontiguousarray(h[:, k, other])
                corner = total[k, :, other, :]
                corner[:n_free, :n_free] = self.among_free(block.X.sandwich(d))
                if self.fit_intercept:
                    corner[:n_free, -1] = block.X.rmatvec(d[:, None])[self.free, 0]
                    corner[-1, :n_free] = corner[:n_free, -1]
                    corner[-1, -1] = d.sum()
                total[other, :, k, :] = corner.T
        return total

    def _fused(
        self,
        block: RowBlock,
        X: Fused,
        point: Point,
        table: FloatArray | None,
        with_hessian: bool,
    ) -> Partial:
        raw = np.empty(len(block.y)) if table is None else table[block.rows, 0]
        offset = block.offset[:, 0] if isinstance(block.offset, np.ndarray) else NOTHING
        loss, coef, intercept, hessian, border, corner = X.score_pass(
            self.loss.kernel,
            block.y,
            block.sample_weight,
            offset,
            np.ascontiguousarray(point.coef[:, 0]),
            float(point.intercept[0]),
            raw,
            with_hessian=with_hessian,
        )
        sums: Partial = np.asarray(loss), coef[:, None], np.asarray([intercept])
        if not with_hessian:
            return sums
        hessian, border = self.among_free(hessian), border[self.free]
        if self.fit_intercept:
            hessian = np.block(
                [[hessian, border[:, None]], [border[None, :], np.array([[corner]])]]
            )
        return (*sums, hessian)

    def _penalised(self, hessian: FloatArray) -> FloatArray:
        hessian.flat[:: len(hessian) + 1] += self._stiffness
        return hessian

    @cached_property
    def _stiffness(self) -> FloatArray:
        """Contribution of the penalty to the diagonal of a Hessian."""
        unpenalised = np.zeros(int(self.fit_intercept))
        return np.tile(
            np.append(self.penalty.strength[self.free], unpenalised), self.loss.n_outputs
        )


def block_product(
    objective: Objective, block: RowBlock, raw: FloatArray, direction: Point
) -> Partial:
    """Return what one block of rows adds to the Hessian times a direction."""
    if objective.loss.n_outputs == 1 and isinstance(block.X, Fused):
        return _bent_product(block.X, objective.bends_of(block, raw), direction)
    return _product(objective, block, raw, direction)


def block_diagonal(objective: Objective, block: RowBlock, raw: FloatArray) -> Partial:
    """Return what one block of rows adds to the diagonal of the Hessian."""
    h = objective.loss.pointwise_hessian(raw, block.y)
    d = block.sample_weight[:, None] * np.diagonal(h, axis1=1, axis2=2)
    return block.X.sandwich_diagonal(d), d.sum(axis=0)


def _bent_product(X: Fused, bend: FloatArray, direction: Point) -> Partial:
    along = np.ascontiguousarray(direction.coef[:, 0])
    product, level = X.product_pass(bend, along, float(direction.intercept[0]))
    return product[:, None], np.asarray([level])


def _product(objective: Objective, block: RowBlock, raw: FloatArray, direction: Point) -> Partial:
    change = block.X.matvec(direction.coef) + direction.intercept
    product = objective.loss.hessian_product(raw, block.y, change)
    pull = block.sample_weight[:, None] * product
    return block.X.rmatvec(pull), pull.sum(axis=0)
