"""Sparse rows rewritten for many passes: by row and by column, without columns of one entry.

Columns that have an entry in one row alone act as a single one, which belongs to that row: with an
L2 penalty, coefficients t_j of columns with values v_j and strengths c_j move the score by any
amount at the least penalty where t_j is in proportion to v_j / c_j. So each row gets an own column
of one entry, sqrt(sum_j v_j^2 / c_j), with penalty 1/2. In text most columns are of this kind. The
others are put in the order of how often they occur, so that what is read often lies together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes import fused_blocks
from chainrule.engine.passes.fused_blocks import LINE
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.runtime.arguments import Pinned
from chainrule.engine.runtime.executors import beside, map_in_order
from chainrule.engine.runtime.native import NativeModule

MOST_BYTES: Final[int] = 2**27
"""Memory that the rewritten rows may take: a copy within the room of a fit."""

_CHUNK_ENTRIES: Final[int] = 150_000
"""Entries that a thread works on at a time, about: worth the way to another thread."""

_MOST_CHUNKS: Final[int] = 32

_SHARED_ENTRIES: Final[int] = 30_000
"""Those where threads share the passes of one compiled call: worth some looks at a board."""

_WORTH_A_CALL: Final[int] = 4
"""Chunks from which another thread is called for them."""

_BOARD: Final[int] = 16
"""Numbers by which they agree on who takes what: see `kernels.sharing`."""

ONE_CALL: Final[int] = 1_000_000
"""Entries up to which a Newton step is one compiled call, which Ctrl-C waits for."""

_LONG: Final[int] = 24
"""Entries of a column, on average, from which columns are long."""

_kernels = NativeModule("condensed")
_inner = NativeModule("inner_solve")

Sums = tuple[float, ...]


def pays(n_entries: float, n_features: int, dtype: str) -> bool:
    """Tell whether rows of so many entries are worth rewriting.

    They must take little memory. Long columns are read as fast where they are; and what is small
    does not wait for a compiler.
    """
    if 24 * n_entries > MOST_BYTES or (n_entries > ONE_CALL and n_entries > _LONG * n_features):
        return False
    return n_entries >= fused_blocks.FUSED_FROM or is_at_hand(dtype)


@cache
def is_at_hand(dtype: str) -> bool:
    """Tell whether the passes are kept on disk; the answer holds for as long as the process."""
    places, vector, table = np.zeros(1, np.uint32), np.zeros(1), np.zeros((1, 1))
    counts = np.zeros(1, np.int64)
    solves = []
    for kind in (np.uint8, np.float64):
        lines = np.zeros(1, kind), places, places, counts
        shared = counts, lines, lines, vector, vector, table, table, vector, vector
        solves.append(_inner.help_solve.is_at_hand(*shared))
        given = *shared, vector, table, vector, 0.0, 0.0, 1, vector
        solves.append(_inner.inner_solve.is_at_hand(*given))
    counted = _kernels.count_entries.is_at_hand(np.zeros(1, dtype), places, places, counts)
    return bool(counted and all(solves))


def load(dtype: str) -> None:
    """Load the passes, or compile them: for values that a byte holds, and for others."""
    for value in (2.0, 0.5):
        data, places = np.full(4, value, dtype), np.array([0, 1, 0, 2], np.int32)
        block = FusedSparseBlock(data, places, np.array([0, 2, 4], np.int32), 3)
        rows = CondensedRows([block], np.ones(3), 1)
        pair, one = np.ones(2), np.ones(1)
        rows.product(one, 0.0, pair, one, np.empty(1), (0.0, np.zeros(2)))
        rows.gradients(np.ones((2, 3)), one, one, np.empty(1), np.empty(1), np.empty(1))
        part = rows.leading_gram(pair, 1)
        rows.inner_solve(pair, one, pair, pair, part + np.eye(2), pair, 0.1, 0.0, 1)
        rows.spread(one, pair)


@dataclass(frozen=True)
class _Lines:
    """Rows or columns: the entries of each side by side."""

    values: npt.NDArray[Any]
    places: npt.NDArray[Any]
    begins: npt.NDArray[Any]

    def pinned(self) -> tuple[Pinned, Pinned, Pinned]:
        return Pinned(self.values), Pinned(self.places), Pinned(self.begins)

    def chunks(self, n_outputs: int) -> list[tuple[int, int]]:
        """Return ranges of lines with about as many entries each."""
        edges = self.cuts(max(1, _CHUNK_ENTRIES // n_outputs)).tolist()
        return [(a, b) for a, b in pairwise(edges) if b > a] or [(0, edges[-1])]

    def cuts(self, at_a_time: int) -> IntArray:
        """Return where ranges of lines begin that have about so many entries, and the end."""
        n_lines, n_entries = len(self.begins) - 1, int(self.begins[-1])
        n_chunks = int(np.clip(n_entries // at_a_time, 1, _MOST_CHUNKS))
        cuts = np.searchsorted(self.begins, n_entries * np.arange(1, n_chunks) / n_chunks)
        return np.array([0, *cuts, n_lines], dtype=np.int64)


class CondensedRows:
    """Rewritten rows, and the passes over them.

    Parameters
    ----------
    blocks : sequence of FusedSparseBlock
        All rows, in order.
    strength : ndarray of shape (n_features,)
        Of the penalty; positive.
    n_threads : int
    n_outputs : int
        Numbers that each entry is multiplied by in a pass.

    Attributes
    ----------
    own : ndarray of shape (n_samples,)
        The entry of each row's own column.
    kept : ndarray of shape (n_columns,)
        The columns of X that are left, in their new order.
    n_columns : int
    n_entries : int
        Those of shared columns.
    """

    def __init__(
        self,
        blocks: Sequence[FusedSparseBlock],
        strength: FloatArray,
        n_threads: int,
        n_outputs: int = 1,
    ) -> None:
        self._blocks, self._n_threads = blocks, n_threads
        n_features = len(strength)
        self._reach = 1.0 / strength
        counts, in_bytes = np.zeros(n_features, np.int64), True
        for block in blocks:
            in_bytes &= _kernels.count_entries(block.data, *block.places, counts)
        several = np.flatnonzero(counts > 1)
        # quarters of a power of two: near enough, and sorted in one go
        rarity = (4 * np.log2(counts[several].max(initial=1) / counts[several])).astype(np.uint8)
        self.kept: IntArray = several[np.argsort(rarity, kind="stable")]
        self.n_columns = len(self.kept)
        self._places = np.full(n_features, -1, np.int64)
        self._places[self.kept] = np.arange(self.n_columns)
        self.n_entries = int(counts[several].sum())
        rows = self._condensed(self.n_entries, np.uint8 if in_bytes else np.float64)
        columns = self._turned(rows, counts[self.kept])
        self._rows, self._columns = rows.pinned(), columns.pinned()
        self._row_chunks, self._column_chunks = rows.chunks(n_outputs), columns.chunks(n_outputs)
        self._cuts = tuple(lines.cuts(_SHARED_ENTRIES) for lines in (rows, columns))
        self._pull, self._scores = np.empty(len(self.own)), np.zeros(len(self.own))

    def _condensed(self, n_entries: int, kind: type) -> _Lines:
        n_samples = sum(block.shape[0] for block in self._blocks)
        self.own = np.empty(n_samples)
        found = _Lines(
            np.empty(n_entries, kind),
            np.empty(n_entries, np.uint32),
            np.zeros(n_samples + 1, np.uint32),
        )
        row = at = 0
        for block in self._blocks:
            arrays = block.data, *block.places, self._places, self._reach
            target = found.values, found.places, found.begins, self.own
            at = _kernels.condense(*arrays, row, at, *target)
            row += block.shape[0]
        np.sqrt(self.own, out=self.own)
        return found

    def _turned(self, rows: _Lines, counts: IntArray) -> _Lines:
        begins = np.zeros(len(counts) + 1, np.uint32)
        begins[1:] = np.cumsum(counts)
        found = _Lines(np.empty_like(rows.values), np.empty_like(rows.places), begins)
        starts = begins[:-1].copy()
        _kernels.turn(rows.values, rows.places, rows.begins, starts, found.values, found.places)
        return found

    def product(
        self,
        coef: FloatArray,
        intercept: float,
        bend: FloatArray,
        strength: FloatArray,
        into: FloatArray,
        travel: tuple[float, FloatArray],
    ) -> float:
        """Fill in X^T (bend * scores) + strength * coef, for scores = X coef + intercept.

        Returns the sum of bend * scores. The scores of the last call, times the number in
        `travel`, are added to the array in it.
        """
        vectors = [Pinned(v) for v in (self._scores, travel[1], self._pull, coef, into)]
        scores, travelled, pull, pinned, total = vectors
        bends, strengths = Pinned(bend), Pinned(strength)

        def by_row(start: int, stop: int) -> Sums:
            found = _kernels.row_pass(
                *self._rows, start, stop, pinned, intercept, bends, travel[0], scores, travelled,
                pull,
            )  # fmt: skip
            return (found,)

        def by_column(start: int, stop: int) -> Sums:
            found = _kernels.column_pass(
                *self._columns, start, stop, pull, strengths, pinned, total
            )
            return (found,)

        (level,) = self._over(self._row_chunks, by_row)
        self._over(self._column_chunks, by_column)
        return level

    def inner_solve(
        self,
        curvature: FloatArray,
        strength: FloatArray,
        gradient: FloatArray,
        diagonal: FloatArray,
        part: FloatArray,
        in_gap: FloatArray,
        forcing: float,
        enough: float,
        max_inner: int,
    ) -> tuple[int, FloatArray, FloatArray]:
        """Return the number of products, about -H^-1 gradient, and how far it moves the scores.

        See `kernels.inner_solve`.
        """
        room, solution = np.empty((4, len(gradient))), np.zeros(len(gradient))
        np.negative(gradient, out=room[0])
        of_rows, board = np.zeros((3, len(curvature))), np.zeros(_BOARD, np.int64)
        rows, columns = (*self._rows, self._cuts[0]), (*self._columns, self._cuts[1])
        sums = np.empty(max(map(len, self._cuts)))
        arrays = rows, columns, curvature, strength, room, of_rows, sums, np.empty(2)
        if len(sums) > _WORTH_A_CALL:
            beside(partial(_inner.help_solve, board, *arrays), self._n_threads)
        n_products = _inner.inner_solve(
            board, *arrays, diagonal, part, in_gap, forcing, enough, max_inner, solution
        )
        return n_products, solution, of_rows[2]

    def travel(self, step: float, travelled: FloatArray) -> None:
        """Add the scores of the last product, times a number."""
        travelled += step * self._scores
        self._scores[:] = 0.0

    def scores(self, coef: FloatArray, intercept: float) -> FloatArray:
        """Return X coef + intercept, without the own columns."""
        nothing = np.zeros(len(self.own))
        found = np.zeros(len(self.own))

        def by_row(start: int, stop: int) -> Sums:
            _kernels.row_pass(
                *self._rows, start, stop, coef, intercept, nothing, 0.0, found, nothing, self._pull
            )
            return ()

        self._over(self._row_chunks, by_row)
        return found

    def gradients(
        self, examples: FloatArray, strength: FloatArray, coef: FloatArray, *into: FloatArray
    ) -> Sums:
        """Fill in gradients and a diagonal: see `kernels.condensed.gradient_pass`."""
        arrays = [Pinned(array) for array in (examples, strength, coef, *into)]
        return self._over(
            self._column_chunks,
            lambda start, stop: _kernels.gradient_pass(*self._columns, start, stop, *arrays),
        )

    def per_row(self, n_leading: int) -> float:
        """Return how many entries in the first columns a row has, on average."""
        return float(self._columns[2].array[n_leading]) / len(self.own)

    def leading_gram(self, curvature: FloatArray, n_leading: int) -> FloatArray:
        """Return the lower half of X^T D X for the first columns and a column of ones."""
        found = np.empty((n_leading + 1, n_leading + 1))
        room = np.empty(n_leading, np.int64), np.empty(n_leading)
        _kernels.leading_gram(*self._rows, curvature, found, *room)
        return found

    def spread(self, coef: FloatArray, alone: FloatArray) -> FloatArray:
        """Return the coefficients of all columns of X.

        Parameters
        ----------
        coef : ndarray of shape (n_columns,)
        alone : ndarray of shape (n_samples,)
            Of the own columns.
        """
        found = np.zeros(len(self._reach))
        found[self.kept] = coef
        per_size = np.divide(alone, self.own, where=self.own > 0, out=np.zeros(len(alone)))
        row = 0
        for block in self._blocks:
            arrays = block.data, *block.places, self._places, self._reach, per_size
            _kernels.spread(*arrays, row, found)
            row += block.shape[0]
        return found

    def _over(self, chunks: list[tuple[int, int]], function: Callable[[int, int], Sums]) -> Sums:
        """Call a function on all chunks, and return the sums of what it returns, in order."""
        if len(chunks) == 1:
            return function(*chunks[0])
        parts = map_in_order(lambda k: function(*chunks[k]), len(chunks), self._n_threads)
        return tuple(sum(part) for part in zip(*parts, strict=True))


def example_pass(
    kernel: int,
    raw: FloatArray,
    of_data: tuple[FloatArray, FloatArray],
    own: FloatArray,
    alone: FloatArray,
    *into: FloatArray,
) -> Sums:
    """Evaluate the losses of all rows: see `kernels.condensed.example_pass`."""
    found: Sums = _kernels.example_pass(
        kernel, raw, *of_data, own, alone, *into, np.empty((3, LINE))
    )
    return found


def own_steps(*vectors: FloatArray) -> tuple[float, float]:
    """Step along the own columns: see `kernels.condensed.own_steps`."""
    found: tuple[float, float] = _kernels.own_steps(*vectors)
    return found
