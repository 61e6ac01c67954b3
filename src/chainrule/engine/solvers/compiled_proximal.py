"""Proximal Newton steps on dense rows in one compiled call per strength.

The general method takes a millisecond of Python per step, and a pass over some megabytes a tenth of
that. What is not solved here is left to it.
"""

from __future__ import annotations

from functools import cached_property, partial
from time import perf_counter
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.losses.compiled import logistic_kernel
from chainrule.engine.objective.evaluation import Evaluation, Point, comparable
from chainrule.engine.objective.gram import Snapshot
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.fused_blocks import NOTHING, FusedBlock, inner_rows
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.runtime.arguments import Pinned
from chainrule.engine.runtime.native import NativeModule, can_compile
from chainrule.engine.solvers.limits import needs_bound
from chainrule.engine.solvers.proximal_newton import Model, Solution
from chainrule.engine.solvers.steps import IterationRecord, Stop

MOST_COLUMNS: Final[int] = 512
"""Columns up to which a plain compiled factorisation takes about as long as LAPACK's."""

MOST_ENTRIES: Final[float] = 2e6
"""Entries of X up to which one thread takes no longer than the general method."""

_NO_MODEL, _CORRECTED, _EXACT = 0, 1, 2
_STOPS: Final[tuple[Stop, ...]] = ("max_iter", "converged", "stalled")

_kernels = NativeModule("proximal")


def contiguous_rows(source: InMemorySource) -> FusedBlock:
    """Return dense rows as one float64 array, row after row."""
    rows: Any = source.all_rows().X
    return FusedBlock(np.ascontiguousarray(rows.values, dtype=np.float64))


class CompiledProximal:
    """Solves problems of the same dense rows, one after the other.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, for rows that `suits` accepts.
    rows : FusedBlock
        The rows of its source as one array.
    """

    def __init__(self, objective: Objective, rows: FusedBlock) -> None:
        self._objective, source = objective, objective.source
        self._rows, self._X = rows, rows.values
        block = source.all_rows()
        self._y = np.ascontiguousarray(block.y)
        self._weight = np.ascontiguousarray(block.sample_weight)
        self._offset = NOTHING
        if isinstance(block.offset, np.ndarray):
            self._offset = np.ascontiguousarray(block.offset[:, 0])
        self._kernel = _kernel_of(objective)
        self._pinned = (*map(Pinned, (self._X, self._y, self._weight, self._offset)),)
        self._every = np.arange(source.n_features)

    @classmethod
    def suits(cls, objective: Objective) -> bool:
        """Tell whether the rows are few and dense, and the loss has a compiled kernel."""
        source = objective.source
        if not (
            is_small(source)
            and objective.runtime is None
            and objective.columns is None
            and not needs_bound(objective.loss.facts)
            and can_compile()
        ):
            return False
        return _kernel_of(objective) != 0 and (source.is_fused or is_at_hand())

    @cached_property
    def _room(self) -> tuple[Pinned, ...]:
        n_rows, size = self._X.shape
        inner = min(inner_rows(size), n_rows)
        found = (
            np.empty(n_rows),
            *(np.empty((size, size)) for _ in range(3)),
            np.empty((9, size + 1)),
            np.empty((5, size)),
            np.empty(size, dtype=np.int64),
            np.empty(size, dtype=np.int64),
            np.empty((5 + inner, size)),
            np.empty((3, inner)),
        )
        return tuple(map(Pinned, found))

    def model_at(self, point: Point) -> Model:
        """Return the model of all columns with the Hessian at a point."""
        raw, size = np.empty(len(self._X)), self._X.shape[1]
        *_, square, border, corner = self._rows.score_pass(
            self._kernel,
            self._y,
            self._weight,
            self._offset,
            np.ascontiguousarray(point.coef[:, 0]),
            float(point.intercept[0]),
            raw,
            with_hessian=True,
        )
        self._objective.passes += 1
        hessian = np.empty((size + 1, size + 1))
        hessian[:size, :size] = square
        hessian[:size, size] = hessian[size, :size] = border
        hessian[size, size] = corner
        known = Snapshot(self._every, hessian, raw[:, None])
        return Model(self._every, hessian, known, is_exact=True)

    def extended(self, model: Model) -> Model:
        """Return a model with the columns that it lacks, at its Hessian's own point."""
        known, size = model.snapshot, self._X.shape[1]
        if known is None or len(known.columns) == size:
            return model
        lacking = np.ones(size, dtype=bool)
        lacking[known.columns] = False
        fresh, objective = np.flatnonzero(lacking), self._objective
        bend = objective.loss.pointwise_hessian(known.raw_prediction, self._y)[:, 0, 0]
        rows = self._X[:, fresh] * (self._weight * bend)[:, None]
        hessian = np.empty((size + 1, size + 1))
        kept = np.append(known.columns, size)
        hessian[np.ix_(kept, kept)] = known.hessian
        hessian[fresh, :size] = rows.T @ self._X
        hessian[fresh, size] = rows.sum(axis=0)
        hessian[:, fresh] = hessian[fresh].T
        known = Snapshot(self._every, hessian, known.raw_prediction)
        return Model(self._every, hessian, known)

    def solve(
        self,
        penalty: ElasticNet,
        start: Evaluation,
        unit: FloatArray,
        model: Model | None = None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float = 0.0,
        stale: float = np.inf,
    ) -> Solution:
        """Do what `proximal_newton` does.

        Parameters
        ----------
        penalty, start, unit, model, tolerance, max_iter, enough
            As there.
        stale : float
            The change of a raw prediction from which the Hessian is formed anew.
        """
        one = ElasticNet(penalty.l1[None], penalty.l2[None], penalty.lower, penalty.upper)
        (found,) = self.walk(
            one,
            start,
            unit[None],
            model,
            tolerance=tolerance,
            max_iter=max_iter,
            enough=enough,
            stale=stale,
        )
        return found

    def walk(
        self,
        penalties: ElasticNet,
        start: Evaluation,
        units: FloatArray,
        model: Model | None = None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float = 0.0,
        stale: float = np.inf,
    ) -> list[Solution]:
        """Solve for one penalty after the other, up to the first that stalls, in one call.

        Only the last solution has a model that may go on; the others' are their last Hessians.

        Parameters
        ----------
        penalties : ElasticNet
            With l1 and l2 of shape (n, k).
        units : ndarray of shape (n, k)
        start, model, tolerance, max_iter, enough, stale
            As in `solve`.
        """
        clock, objective, size = perf_counter(), self._objective, self._X.shape[1]
        count, n_rows = len(units), len(self._X)
        limits = np.empty((count, 5, size))
        parts = penalties.l1, penalties.l2, penalties.lower, penalties.upper, units
        for k, part in enumerate(parts):
            limits[:, k] = part
        points, numbers = np.empty((count + 1, 2, size)), np.empty((count + 1, 3))
        raws, references = np.empty((count + 1, n_rows)), np.empty((count + 1, n_rows))
        points[0, 0], points[0, 1] = start.point.coef[:, 0], start.gradient.coef[:, 0]
        numbers[0] = start.value, start.point.intercept[0], start.gradient.intercept[0]
        raws[0] = start.raw_prediction[:, 0]
        state, known = _NO_MODEL, None if model is None else model.snapshot
        if model is not None and known is not None and len(model.columns) == size:
            matrix = model.matrix.copy()
            references[0] = known.raw_prediction[:, 0]
            if not model.is_spent:
                state = _EXACT if model.is_exact else _CORRECTED
        else:
            matrix, known = np.empty((size + 1, size + 1)), None
        logs, told = np.empty((count, max(max_iter, 0), 3)), np.empty((count, 6))
        snapshots = np.empty((count, size + 1, size + 1))
        n_done = _kernels.walk(
            self._kernel,
            *self._pinned,
            limits,
            objective.fit_intercept,
            penalties.is_smooth,
            state,
            tolerance,
            enough,
            start.floor,
            start.floor_size,
            stale,
            max_iter,
            points,
            numbers,
            raws,
            matrix,
            snapshots,
            references,
            logs,
            told,
            *self._room,
        )
        share = (perf_counter() - clock) / max(1.0, told[:n_done, 1].sum())
        found = list[Solution]()
        for t, (stop, steps, worst, after, passes, hessians) in enumerate(told[:n_done].tolist()):
            objective.passes += passes + hessians
            if hessians:
                known = Snapshot(self._every, snapshots[t], references[t + 1][:, None])
            if known is None:
                reached = None
            else:
                is_last, is_spent = t == n_done - 1, after == _NO_MODEL
                held = matrix if is_last else known.hessian
                reached = Model(self._every, held, known, is_last and after == _EXACT, is_spent)
            value = comparable(float(numbers[t + 1, 0]))
            here = Evaluation(
                Point(points[t + 1, 0][:, None], numbers[t + 1, 1:2]),
                value,
                Point(points[t + 1, 1][:, None], numbers[t + 1, 2:3]),
                partial(_as_column, raws[t + 1]),
                None,
                objective.floor(value),
                objective.floor_size,
            )
            history = [
                IterationRecord(f, off, step, share)
                for f, off, step in logs[t, : int(steps)].tolist()
            ]
            w = points[t + 1, 0]
            total = value + float(limits[t, 0] @ np.abs(w)) + 0.5 * float(limits[t, 1] @ (w * w))
            found.append(Solution(here, total, reached, _STOPS[int(stop)], worst, history))
        return found


def _as_column(numbers: FloatArray) -> FloatArray:
    return numbers[:, None]


def is_small(source: InMemorySource) -> bool:
    """Tell whether rows are so few that one compiled call takes no longer than the threads do."""
    return (
        source.is_dense
        and source.n_classes == 2
        and source.n_entries <= MOST_ENTRIES
        and source.n_features <= MOST_COLUMNS
    )


def is_at_hand() -> bool:
    """Tell whether the compiled steps are loaded, or kept on disk by an earlier process."""
    one, table, places = np.ones(1), np.ones((1, 1)), np.ones(1, dtype=np.int64)
    tables = np.ones((1, 1, 1))
    examples = 0, table, one, one, one, tables
    choices = True, True, 0, 1.0, 1.0, 1.0, 1.0, 1.0, 0
    kept = tables, table, table, table, tables, table, tables, table
    room = one, table, table, table, table, table, places, places, table, table
    return bool(_kernels.walk.is_at_hand(*examples, *choices, *kept, *room))


def _kernel_of(objective: Objective) -> int:
    loss = objective.loss
    return logistic_kernel() if isinstance(loss, BinaryLoss) else loss.kernel
