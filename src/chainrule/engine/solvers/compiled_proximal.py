"""Proximal Newton steps on dense rows in one compiled call per strength.

The general method takes a millisecond of Python per step, and a pass over some megabytes a tenth of
that. What is not solved here is left to it.
"""

from __future__ import annotations

from functools import cached_property
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
from chainrule.engine.runtime.native import NativeModule, Pinned, can_compile
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
    def _hessian(self) -> Pinned:
        """Room for the last Hessian of a call that forms one."""
        size = self._X.shape[1] + 1
        return Pinned(np.empty((size, size)))

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
        clock, objective, size = perf_counter(), self._objective, self._X.shape[1]
        limits = np.stack([penalty.l1, penalty.l2, penalty.lower, penalty.upper, unit])
        point = np.stack([start.point.coef[:, 0], start.gradient.coef[:, 0]])
        level, slope = float(start.point.intercept[0]), float(start.gradient.intercept[0])
        numbers = np.array([start.value, level, slope])
        raw = start.raw_prediction[:, 0].copy()
        state, known = _NO_MODEL, None if model is None else model.snapshot
        if model is not None and known is not None and len(model.columns) == size:
            matrix = model.matrix.copy()
            reference = known.raw_prediction[:, 0].copy()
            if not model.is_spent:
                state = _EXACT if model.is_exact else _CORRECTED
        else:
            matrix = np.empty((size + 1, size + 1))
            reference = np.empty(len(raw))
        log = np.empty((max(max_iter, 0), 3))
        stop, steps, worst, after, passes, hessians = _kernels.solve(
            self._kernel,
            *self._pinned,
            limits,
            objective.fit_intercept,
            penalty.is_smooth,
            state,
            tolerance,
            enough,
            start.floor,
            start.floor_size,
            stale,
            max_iter,
            point,
            numbers,
            raw,
            matrix,
            self._hessian,
            reference,
            log,
            *self._room,
        )
        objective.passes += passes + hessians
        found = None
        if hessians:
            known = Snapshot(self._every, self._hessian.array.copy(), reference[:, None])
        if known is not None and len(known.columns) == size:
            is_spent = after == _NO_MODEL  # proofs may use the Hessian
            found = Model(self._every, matrix, known, after == _EXACT, is_spent)
        value = comparable(float(numbers[0]))
        here = Evaluation(
            Point(point[0][:, None], numbers[1:2]),
            value,
            Point(point[1][:, None], numbers[2:3]),
            lambda: raw[:, None],
            None,
            objective.floor(value),
            objective.floor_size,
        )
        share = (perf_counter() - clock) / max(1, steps)
        history = [IterationRecord(f, off, step, share) for f, off, step in log[:steps].tolist()]
        total = here.value + penalty.value(here.point.coef[:, 0])
        return Solution(here, total, found, _STOPS[stop], worst, history)


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
    examples = 0, table, one, one, one, table
    choices = True, True, 0, 1.0, 1.0, 1.0, 1.0, 1.0, 0
    kept = table, one, one, table, table, one, table
    room = one, table, table, table, table, table, places, places, table, table
    return bool(_kernels.solve.is_at_hand(*examples, *choices, *kept, *room))


def _kernel_of(objective: Objective) -> int:
    loss = objective.loss
    return logistic_kernel() if isinstance(loss, BinaryLoss) else loss.kernel
