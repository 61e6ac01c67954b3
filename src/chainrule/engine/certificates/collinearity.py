"""Columns that are linear combinations of others, found before an unpenalised fit.

Without a penalty such columns leave the optimum undetermined. Columns that are independent on a few
rows are independent on all. Where they are not, those few rows tell what depends on what, and one
read of all rows either confirms it or finds rows that know better, which then join the few. The
fit is done with the dependent ones held at zero, and the answer of least norm over all columns is
put together afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import linalg

from chainrule.engine.arrays import UNIT, FloatArray, IntArray
from chainrule.engine.certificates.exact_arithmetic import whole_numbers
from chainrule.engine.data.rows import stratified_rows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.passes.blocks import tall
from chainrule.engine.runtime.executors import Partial, map_in_order, sum_over_chunks, tree_reduce

_LEAST_ROWS: Final[int] = 1000
_ROWS_PER_COLUMN: Final[int] = 2
"""Rows that are looked at first, at random."""

_ROUNDS: Final[int] = 8
"""How often rows may join those few before all are asked."""

_TALL: Final[int] = 4
"""Rows per column of one QR factorisation, at least: what is too square is slow."""

_SEED: Final[int] = 40_961
_DENOMINATOR: Final[int] = 1000
_NEAR: Final[float] = 1e-9
_TINY: Final[float] = 2.0**-500


@dataclass(frozen=True)
class Relations:
    """Which columns depend on which.

    Attributes
    ----------
    kept : ndarray of shape (n_kept,)
        Independent columns, in the order of the data.
    dropped : ndarray of shape (n_dropped,)
        Columns that depend on the kept ones.
    coef : ndarray of shape (n_kept, n_dropped)
    intercept : ndarray of shape (n_dropped,)
        ``X[:, dropped] = X[:, kept] @ coef + intercept``.
    exact : bool
        Whether this was verified without any rounding; else it holds to working precision.
    passes : float
        How many times X was read for it.
    """

    kept: IntArray
    dropped: IntArray
    coef: FloatArray
    intercept: FloatArray
    exact: bool
    passes: float = 0.0

    def in_units(self, source: InMemorySource) -> Relations:
        """Return the relations of the columns of a source as relations of the data."""
        scale, shift = source.column_scale, source.column_shift
        coef = self.coef * scale[self.dropped] / scale[self.kept][:, None]
        intercept = self.intercept * scale[self.dropped] + shift[self.dropped]
        return replace(self, coef=coef, intercept=intercept - shift[self.kept] @ coef)

    def members(self) -> IntArray:
        """Return all columns that take part in some relation, in order."""
        used = self.kept[(self.coef != 0).any(axis=1)]
        return np.sort(np.concatenate([used, self.dropped]))

    def expand(self, point: Point) -> Point:
        """Return the point of least |coef| over all columns with the same predictions.

        The predictions are the same along each null vector (one dropped column against the kept
        ones that make it up), so this is a small least-squares problem.
        """
        if not len(self.dropped):
            return point
        null = np.zeros((len(point.coef), len(self.dropped)))
        null[self.kept] = -self.coef
        null[self.dropped, np.arange(len(self.dropped))] = 1.0
        amount = -np.linalg.lstsq(null, point.coef, rcond=None)[0]
        return Point(point.coef + null @ amount, point.intercept - self.intercept @ amount)


def find_relations(source: InMemorySource, *, fit_intercept: bool, n_threads: int = 1) -> Relations:
    """Split the columns into independent and dependent ones.

    Householder QR with column pivoting (Golub and Van Loan, *Matrix Computations*, 5.4.2), the
    intercept's column of ones first.
    """
    n_rows = max(_LEAST_ROWS, _ROWS_PER_COLUMN * source.n_features)
    if n_rows < source.n_samples // 2:
        rows = stratified_rows(source.n_samples, n_rows, _SEED)
        few = source.take_rows(rows)
    else:
        rows, few = np.arange(source.n_samples), source
    passes, rounds = len(rows) / source.n_samples, 0
    if _are_independent(few, fit_intercept):
        every, none = np.arange(source.n_features), np.zeros((source.n_features, 0))
        return Relations(every, every[:0], none, none[0], exact=False, passes=passes)
    while True:
        found = _from_triangle(_triangle(few, fit_intercept, n_threads), int(fit_intercept))
        passes += len(rows) / source.n_samples
        if not len(found.dropped):
            break
        found, broken, reads = _checked(source, found, n_threads)
        passes += reads
        fresh = np.setdiff1d(broken, rows)
        if not len(fresh):
            break
        rounds += 1
        if rounds <= _ROUNDS:
            rows = np.union1d(rows, fresh)
            few = source.take_rows(rows)
        else:
            rows, few = np.arange(source.n_samples), source
    return replace(found, passes=passes)


def _are_independent(source: InMemorySource, fit_intercept: bool) -> bool:
    """Tell whether columns are so far from dependent that their products alone show it.

    A pivot of Cholesky's method, the square of a column's distance from those before, is known to
    rounding over the smallest of those pivots.
    """

    def one(index: int) -> Partial:
        rows = np.vstack(list(source.matrix(index).dense_rows()))
        if fit_intercept:
            rows = np.hstack([rows, np.ones((len(rows), 1))])
        return (rows.T @ rows,)

    (products,) = sum_over_chunks(one, source.n_blocks)
    norms = np.sqrt(products.diagonal())
    if not norms.all():
        return False
    factor, failed = linalg.lapack.dpotrf(products / norms / norms[:, None], lower=1)
    return not failed and bool(factor.diagonal().min() > (64 * UNIT * len(norms)) ** 0.25)


def _triangle(source: InMemorySource, fit_intercept: bool, n_threads: int) -> FloatArray:
    """Return R of the QR factorisation of all rows, a column of ones first if there is one."""
    offset = int(fit_intercept)
    width = source.n_features + offset

    def reduced(rows: FloatArray) -> FloatArray:
        return np.asarray(linalg.qr(rows, mode="r", overwrite_a=True, check_finite=False)[0])[
            :width
        ]

    def part(index: int) -> FloatArray:
        total = np.zeros((0, width))
        for rows in tall(source.matrix(index).dense_rows(), _TALL * width):
            ones = np.ones((len(rows), offset))
            total = reduced(np.vstack([total, np.hstack([ones, rows])]))
        return total

    parts = map_in_order(part, source.n_blocks, n_threads)
    return tree_reduce(parts, lambda left, right: reduced(np.vstack([left, right])))


def _from_triangle(table: FloatArray, offset: int) -> Relations:
    norms = np.linalg.norm(table, axis=0)
    norms[norms == 0] = 1.0
    table = table / norms
    top, rest = table[:offset, offset:], table[offset:, offset:]
    tolerance = 64 * UNIT * max(table.shape)
    if rest.shape[0]:
        _, r, order = linalg.qr(rest, mode="economic", pivoting=True)
        diagonal = np.abs(np.diagonal(r))
        rank = int((diagonal > tolerance).sum())
    else:
        n_features = table.shape[1] - offset
        r, order, rank = np.zeros((0, n_features)), np.arange(n_features), 0
    coef = linalg.solve_triangular(r[:rank, :rank], r[:rank, rank:]) if rank else r[:0, rank:]
    kept, dropped = order[:rank], order[rank:]
    intercept = np.zeros(len(dropped))
    if offset:
        intercept = (top[0, dropped] - top[0, kept] @ coef) / table[0, 0]
        intercept = intercept * norms[offset + dropped] / norms[0]
    coef = coef * norms[offset + dropped] / norms[offset + kept][:, None]
    relative = np.abs(coef) * norms[offset + kept][:, None] / norms[offset + dropped]
    coef = np.where(relative > tolerance, coef, 0.0)
    intercept = np.where(
        np.abs(intercept) * norms[0] > tolerance * norms[offset + dropped], intercept, 0.0
    )
    ranks = np.argsort(kept)
    return Relations(kept[ranks], dropped, coef[ranks], intercept, exact=False)


def _checked(
    source: InMemorySource, found: Relations, n_threads: int
) -> tuple[Relations, IntArray, int]:
    """Confirm relations on all rows, exactly if they can be.

    Returns
    -------
    found : Relations
    broken : ndarray
        The rows that break them worst.
    reads : int
        How many times X was read.
    """
    every = np.arange(len(found.dropped))
    null = np.zeros((source.n_features + 1, len(every)))
    null[found.kept], null[found.dropped, every], null[-1] = -found.coef, 1.0, -found.intercept
    whole = _in_whole_numbers(source, null)
    if whole is not None:
        factors, may_round = _factors(source, whole)
        residuals, _, fitting = _residuals(source, whole, factors, n_threads)
        if fitting and not may_round and not residuals.any():
            lead = whole[found.dropped, every]
            coef, intercept = -whole[found.kept] / lead, -whole[-1] / lead
            return replace(found, coef=coef, intercept=intercept, exact=True), every[:0], 1
    residuals, rows, _ = _residuals(source, null, np.zeros(source.n_features), n_threads)
    noise = 64 * UNIT * len(null) * _sizes(source, null)
    return found, np.unique(rows[residuals > noise]), 1 if whole is None else 2


def _in_whole_numbers(source: InMemorySource, null: FloatArray) -> FloatArray | None:
    """Return relations as simple whole numbers, if they are near some.

    A constant column is its first value, whatever that is.
    """
    whole = np.zeros_like(null)
    first = next(iter(source.matrix(0).dense_rows()))[0]
    for c, vector in enumerate(null.T):
        used = np.flatnonzero(vector)
        if len(used) == 2 and used[1] == len(first):
            whole[used, c] = 1.0, -first[used[0]]
            continue
        scaled = vector[used] / np.abs(vector[used]).min()
        numbers = whole_numbers(scaled, _DENOMINATOR)
        if numbers is None or not numbers.all():
            return None
        ratio = np.abs(numbers / numbers[np.abs(scaled).argmin()] / scaled)
        if (np.abs(ratio - 1) > _NEAR).any():
            return None
        whole[used, c] = numbers
    return whole


def _factors(source: InMemorySource, whole: FloatArray) -> tuple[FloatArray, bool]:
    """Return what makes numbers whole where sums of products cannot round; whether some may.

    Where all terms are multiples of one power of two, and together below 2^53 of it, no sum in
    whatever order rounds. Nor does that of two terms that are numbers of the data times powers of
    two: it is zero only if they are equal.
    """
    used = whole != 0
    powers = (np.frexp(np.abs(whole[:-1]))[0] == 0.5) | ~used[:-1]
    plain = (used.sum(axis=0) <= 2) & powers.all(axis=0)
    unit = np.exp2(np.floor(np.log2(np.maximum(_sizes(source, whole), _TINY))) - 52)
    factors = np.where(used[:-1] & ~plain, 1 / unit, np.inf).min(axis=1)
    may_round = ((whole[-1] / unit) % 1 != 0) & ~plain
    return np.where(np.isfinite(factors), factors, 0.0), bool(may_round.any())


def _sizes(source: InMemorySource, null: FloatArray) -> FloatArray:
    """Bound the sums of the sizes of all terms of relations, over all rows."""
    return np.asarray(source.column_bounds @ np.abs(null[:-1]) + np.abs(null[-1]))


def _residuals(
    source: InMemorySource, null: FloatArray, factors: FloatArray, n_threads: int
) -> tuple[FloatArray, IntArray, bool]:
    """Return the largest residual of each relation in each block, its row, and what `are_whole`."""

    def one(index: int) -> tuple[FloatArray, IntArray, bool]:
        X = source.matrix(index)
        off = np.abs(X.matvec(null[:-1]) + null[-1])
        worst = off.argmax(axis=0)
        start = source.rows(index).start
        return off.max(axis=0), start + worst, not factors.any() or X.are_whole(factors)

    parts = list(map_in_order(one, source.n_blocks, n_threads))
    residuals, rows, whole = zip(*parts, strict=True)
    return np.array(residuals), np.array(rows), all(whole)
