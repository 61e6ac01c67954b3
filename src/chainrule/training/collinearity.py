"""Columns that are linear combinations of others, found before an unpenalised fit.

Without a penalty such columns leave the optimum undetermined. One pass of orthogonal
transformations (a tree of QR factorisations) tells which columns are independent; the fit is done
on those, and the answer of least norm over all columns is put together afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from chainrule.training.arrays import UNIT, FloatArray, IntArray
from chainrule.training.executors import map_in_order, tree_reduce
from chainrule.training.objective import Point
from chainrule.training.sources import InMemorySource


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

    def members(self) -> IntArray:
        """Return all columns that take part in some relation, in order."""
        used = self.kept[(self.coef != 0).any(axis=1)]
        return np.sort(np.concatenate([used, self.dropped]))

    def expand(self, point: Point) -> Point:
        """Return the point of least |coef| over all columns with the same predictions.

        The predictions are the same along each null vector (one dropped column against the kept
        ones that make it up), so this is a small least-squares problem.
        """
        n_features = len(self.kept) + len(self.dropped)
        null = np.zeros((n_features, len(self.dropped)))
        null[self.kept] = -self.coef
        null[self.dropped, np.arange(len(self.dropped))] = 1.0
        coef = np.zeros((n_features, point.coef.shape[1]))
        coef[self.kept] = point.coef
        if not len(self.dropped):
            return Point(coef, point.intercept)
        amount = -np.linalg.lstsq(null, coef, rcond=None)[0]
        return Point(coef + null @ amount, point.intercept - self.intercept @ amount)


def find_relations(source: InMemorySource, *, fit_intercept: bool, n_threads: int = 1) -> Relations:
    """Split the columns into independent and dependent ones.

    Householder QR with column pivoting (Golub and Van Loan, *Matrix Computations*, 5.4.2), the
    intercept's column of ones first.
    """
    offset = int(fit_intercept)

    def triangle(index: int) -> FloatArray:
        total = np.zeros((0, source.n_features + offset))
        for rows in source.block(index).X.dense_rows():
            ones = np.ones((len(rows), offset))
            stacked = np.vstack([total, np.hstack([ones, rows])])
            total = linalg.qr(stacked, mode="r")[0][: stacked.shape[1]]
        return total

    def merge(left: FloatArray, right: FloatArray) -> FloatArray:
        stacked = np.vstack([left, right])
        return np.asarray(linalg.qr(stacked, mode="r")[0][: stacked.shape[1]])

    table = tree_reduce(map_in_order(triangle, source.n_blocks, n_threads), merge)
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
        r, order, rank = np.zeros((0, source.n_features)), np.arange(source.n_features), 0
    coef = linalg.solve_triangular(r[:rank, :rank], r[:rank, rank:]) if rank else r[:0, rank:]
    kept, dropped = order[:rank], order[rank:]
    intercept = np.zeros(len(dropped))
    if fit_intercept:
        intercept = (top[0, dropped] - top[0, kept] @ coef) / table[0, 0]
        intercept = intercept * norms[offset + dropped] / norms[0]
    coef = coef * norms[offset + dropped] / norms[offset + kept][:, None]
    relative = np.abs(coef) * norms[offset + kept][:, None] / norms[offset + dropped]
    coef = np.where(relative > tolerance, coef, 0.0)
    intercept = np.where(
        np.abs(intercept) * norms[0] > tolerance * norms[offset + dropped], intercept, 0.0
    )
    ranks = np.argsort(kept)
    found = Relations(kept[ranks], dropped, coef[ranks], intercept, exact=False)
    return _verified(source, found) if len(dropped) else found


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
