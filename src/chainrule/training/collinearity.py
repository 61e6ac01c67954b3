"""Columns that are linear combinations of others, found before an unpenalised fit.

Without a penalty such columns leave the optimum undetermined. Columns that are independent on a few
rows drawn at random are independent on all; where they are not, one pass of orthogonal
transformations over all rows (a tree of QR factorisations) tells which are. The fit is done on the
independent ones, and the answer of least norm over all columns is put together afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import linalg

from chainrule.training.arrays import UNIT, FloatArray, IntArray
from chainrule.training.executors import map_in_order, tree_reduce
from chainrule.training.objective import Point
from chainrule.training.sources import InMemorySource

_SAMPLED_ROWS: Final[int] = 8
"""Rows per column of the sample that is looked at first."""

_TALL: Final[int] = 4
"""Rows per column of one QR factorisation, at least: what is too square is slow."""

_SEED: Final[int] = 40_961


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
    """

    kept: IntArray
    dropped: IntArray
    coef: FloatArray
    intercept: FloatArray
    exact: bool

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
    n_rows = max(1000, _SAMPLED_ROWS * source.n_features)
    if n_rows < source.n_samples // 2:
        few = source.sample(n_rows, _SEED)
        found = _from_triangle(_triangle(few, fit_intercept, n_threads), int(fit_intercept))
        if not len(found.dropped):
            return found
    found = _from_triangle(_triangle(source, fit_intercept, n_threads), int(fit_intercept))
    return _verified(source, found) if len(found.dropped) else found


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
        for rows in _tall(source.block(index).X.dense_rows(), _TALL * width):
            ones = np.ones((len(rows), offset))
            total = reduced(np.vstack([total, np.hstack([ones, rows])]))
        return total

    parts = map_in_order(part, source.n_blocks, n_threads)
    return tree_reduce(parts, lambda left, right: reduced(np.vstack([left, right])))


def _tall(pieces: Iterator[FloatArray], n_rows: int) -> Iterator[FloatArray]:
    """Put pieces together until they have so many rows."""
    waiting: list[FloatArray] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(len(rows) for rows in waiting) >= n_rows:
            yield np.vstack(waiting)
            waiting = []
    if waiting:
        yield np.vstack(waiting)


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


def _verified(source: InMemorySource, found: Relations) -> Relations:
    """Round the relation to simple numbers and check it in arithmetic that cannot round.

    With all values and coefficients multiples of 2^-20 and small enough, sums of products are exact
    in float64; a copy of a column times a power of two is exact for any values.
    """
    coef, intercept = _simple(found.coef), _simple(found.intercept)
    first = next(iter(source.block(0).X.dense_rows()))[0]
    constant = (coef == 0).all(axis=0) & (intercept != 0)
    intercept[constant] = first[found.dropped[constant]]  # a constant column is its first value
    lone = ((coef != 0).sum(axis=0) + (intercept != 0)) <= 1
    lone &= (np.frexp(np.abs(coef).sum(axis=0))[0] == 0.5) | (coef == 0).all(axis=0)
    for index in range(source.n_blocks):
        for rows in source.block(index).X.dense_rows():
            for c, column in enumerate(found.dropped):
                part = coef[:, c] != 0
                terms, target = rows[:, found.kept[part]], rows[:, column]
                if not (terms @ coef[part, c] + intercept[c] == target).all():
                    return found
                if not lone[c] and not _cannot_round(terms, coef[part, c], intercept[c], target):
                    return found
    return Relations(found.kept, found.dropped, coef, intercept, exact=True)


def _simple(values: FloatArray) -> FloatArray:
    """Round to the nearest multiple of 1/64, if that is near to within rounding."""
    nearest = np.round(values * 64) / 64
    close = np.abs(nearest - values) <= 1e-9 * np.maximum(1.0, np.abs(values))
    return np.where(close, nearest, values)


def _cannot_round(
    terms: FloatArray, coef: FloatArray, intercept: float, target: FloatArray
) -> bool:
    """Whether all values are multiples of 2^-20 and the sums of products stay below 2^12."""
    for values in (terms, coef, np.asarray([intercept]), target):
        shifted = values * 2.0**20
        if not ((np.abs(shifted) < 2.0**52) & (shifted == np.round(shifted))).all():
            return False
    return bool((np.abs(terms) @ np.abs(coef) + abs(intercept) < 2.0**12).all())
