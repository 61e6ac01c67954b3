"""Condensed rows of several classes: see `condensed_rows`, and `kernels.condensed_classes`.

A table has one row per example, or per column, and the numbers of its classes side by side, in a
multiple of four places.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import fused_blocks
from chainrule.engine.passes.class_rows import LEAST_ROWS, MOST_ROWS, TABLE
from chainrule.engine.passes.condensed_rows import CondensedRows, Sums
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.runtime.arguments import Pinned
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.native import NativeModule

_kernels = NativeModule("condensed_classes")

_GROUP: Final[int] = 4
"""Classes whose numbers, side by side, are read in about the time of one."""

_LINE: Final[int] = 8
"""Numbers of a line of the cache."""


class CondensedClassRows(CondensedRows):
    """Rewritten rows, and the passes over them with the coefficients of several classes.

    Parameters
    ----------
    blocks, strength, n_threads
        As for `CondensedRows`.
    n_classes : int

    Attributes
    ----------
    places : int
        Of a row of a table.
    """

    def __init__(
        self,
        blocks: Sequence[FusedSparseBlock],
        strength: FloatArray,
        n_threads: int,
        n_classes: int,
    ) -> None:
        self.n_classes, self.places = n_classes, -(-n_classes // _GROUP) * _GROUP
        super().__init__(blocks, strength, n_threads, self.places // _GROUP)

    def room(self, n: int) -> list[FloatArray]:
        """Return empty tables, one row per example, that begin with a line of the cache."""
        size, found = len(self.own) * self.places, []
        for _ in range(n):
            room = np.empty(size + _LINE)
            skipped = -(room.ctypes.data // room.itemsize) % _LINE
            found.append(room[skipped : skipped + size].reshape(-1, self.places))
        return found

    def table_product(
        self,
        coef: FloatArray,
        level: FloatArray,
        curvature: tuple[FloatArray, FloatArray],
        strength: FloatArray,
        scores: FloatArray,
        pull: FloatArray,
        into: FloatArray,
    ) -> FloatArray:
        """Fill in scores = X coef + level, their pull, and X^T pull + strength * coef.

        Parameters
        ----------
        coef, into : ndarray of shape (n_columns, places)
        level : ndarray of shape (places,)
        curvature : tuple of ndarray
            Shares and weights of the condensed Hessian, as `evaluate` fills them in.
        strength : ndarray of shape (n_columns,)
        scores, pull : ndarray of shape (n_samples, places)

        Returns
        -------
        ndarray of shape (places,)
            The sum of the pulls.
        """
        share, heft = curvature
        arrays = [Pinned(a) for a in (coef, level, scores, share, heft, pull, strength, into)]
        given, levels, found, shares, hefts, pulls, strengths, target = arrays
        sums = np.zeros((len(self._row_chunks), self.places))

        def by_row(index: int) -> None:
            start, stop = self._row_chunks[index]
            _kernels.row_pass(*self._rows, start, stop, given, levels, found)
            _kernels.pull_pass(
                start, stop, self.n_classes, shares, hefts, found, pulls, sums[index]
            )

        def by_column(index: int) -> None:
            start, stop = self._column_chunks[index]
            _kernels.column_pass(*self._columns, start, stop, pulls, strengths, given, target)

        for function, chunks in ((by_row, self._row_chunks), (by_column, self._column_chunks)):
            for _ in map_in_order(function, len(chunks), self._n_threads):
                pass
        return np.asarray(sums.sum(axis=0))

    def table_gradients(self, *arrays: FloatArray) -> Sums:
        """Fill in gradients and a diagonal: see `kernels.condensed_classes.gradient_pass`."""
        pinned = [Pinned(array) for array in arrays]
        return self._over(
            self._column_chunks,
            lambda start, stop: _kernels.gradient_pass(*self._columns, start, stop, *pinned),
        )

    def examples(
        self,
        raw: FloatArray,
        codes: IntArray,
        weight: FloatArray,
        alone: FloatArray,
        *into: FloatArray,
    ) -> Sums:
        """Evaluate the losses: see `kernels.condensed_classes.example_pass`."""
        step = min(max(TABLE // self.n_classes, LEAST_ROWS), MOST_ROWS, max(1, len(raw)))
        room = np.empty((2, self.n_classes, step)), np.empty((5, step)), np.empty(step, np.intp)
        given = raw, codes, weight, self.own, alone, self.n_classes
        found: Sums = _kernels.example_pass(*given, *into, *room)
        return found

    def own_steps(
        self,
        curvature: tuple[FloatArray, FloatArray],
        pushed: FloatArray,
        travelled: FloatArray,
        steps: FloatArray,
    ) -> tuple[float, float]:
        """Step along the own columns: see `kernels.condensed_classes.own_steps`."""
        vectors = self.own, *curvature, self.n_classes, pushed, travelled, steps
        found: tuple[float, float] = _kernels.own_steps(*vectors, np.empty((2, self.places)))
        return found


def pays(n_entries: float) -> bool:
    """Tell whether so many entries are worth the wait for a compiler, or there is none."""
    return n_entries >= fused_blocks.FUSED_FROM or is_at_hand()


@cache
def is_at_hand() -> bool:
    """Tell whether the passes are kept on disk; the answer holds for as long as the process."""
    table, vector, codes = np.zeros((1, 4)), np.zeros(1), np.zeros(1, np.intp)
    room = np.zeros((2, 1, 1)), table, codes
    given: Any = table, codes, vector, vector, table, 3, *[table] * 5, vector, table, *room
    return bool(_kernels.example_pass.is_at_hand(*given))


def load(dtype: str) -> None:
    """Load the passes, or compile them: for values that a byte holds, and for others."""
    for value in (2.0, 0.5):
        data, places = np.full(4, value, dtype), np.array([0, 1, 0, 2], np.int32)
        block = FusedSparseBlock(data, places, np.array([0, 2, 4], np.int32), 3)
        rows = CondensedClassRows([block], np.ones(3), 1, 3)
        weight, column = np.ones(2), np.ones((1, 4))
        tables = [np.zeros((2, 4)) for _ in range(7)]
        raw, alone, *others = tables
        codes = np.arange(2, dtype=np.intp)
        rows.examples(raw, codes, weight, alone, *others, weight, np.empty((3, 4)))
        rows.table_gradients(*others[:3], np.ones(1), column, *[np.empty((1, 4))] * 3)
        curvature = others[4], weight
        rows.table_product(column, np.ones(4), curvature, np.ones(1), raw, alone, np.empty((1, 4)))
        rows.own_steps(curvature, *tables[:3])
    is_at_hand.cache_clear()
