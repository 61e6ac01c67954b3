"""A preconditioner for condensed rows: the Hessian of the most frequent columns, inverted.

Frequent columns occur together, so that their part of the Hessian is far from diagonal: levels of
crossed factors, a heavy column and the intercept. All others keep a diagonal. The part is small,
and formed again when the products since have cost as much as it does.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.linalg import lapack

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.condensed import CondensedEvaluation, CondensedObjective
from chainrule.engine.objective.condensed_classes import CondensedClassObjective
from chainrule.engine.solvers.conjugate_gradients import Corrected

_SIZES: Final[tuple[int, ...]] = (1024, 512, 256, 128, 64, 32)

_DEAREST: Final[tuple[float, float]] = 3.0, 8.0
"""What the part may cost, in products with the Hessian: with one score, and with more."""

_TOGETHER: Final[float] = 4.0
"""Numbers side by side that take as long as the visit of an entry."""

_SHARE: Final[float] = 0.25
"""What its inverse times a vector may cost, in the same unit."""

_PAIR: Final[float] = 1.0
_CUBE: Final[float] = 0.1
_SQUARE: Final[float] = 0.1
"""Time of a pair of entries in a row, of size^3 and of size^2, in visits of an entry."""

NONE: Final[FloatArray] = np.empty((0, 0, 0))

Condensed = CondensedObjective | CondensedClassObjective


class LeadingColumns:
    """How many columns are taken, and what they cost.

    Parameters
    ----------
    condensed : CondensedObjective or CondensedClassObjective

    Attributes
    ----------
    size : int
        0 where no part is worth its price.
    price : float
        Of forming it, in products with the Hessian.
    """

    def __init__(self, condensed: Condensed) -> None:
        self._condensed = condensed
        self.size, self.price = 0, np.inf
        rows, n_outputs = condensed.rows, condensed.whole.loss.n_outputs
        visits = max(1, rows.n_entries)
        # entries are visited for four classes at a time; their parts are formed one by one
        product = 2.0 * visits * max(1.0, condensed.places / _TOGETHER)
        for size in _SIZES:
            if size > rows.n_columns:
                continue
            pairs = len(rows.own) * rows.per_row(size) ** 2 / 2
            forming = _PAIR * pairs + 2 * visits + _CUBE * size**3
            price, applying = n_outputs * forming / product, n_outputs * _SQUARE * size**2
            if price <= _DEAREST[n_outputs > 1] and applying <= _SHARE * product:
                self.size, self.price = size, price
                break

    def inverse(self, at: CondensedEvaluation) -> FloatArray:
        """Return the inverses of the Hessian's parts in the leading columns and the intercept.

        One part per class, (n_outputs, k, k); without entries where one has no inverse.
        """
        n_outputs = self._condensed.whole.loss.n_outputs
        curvatures = (self._condensed.spreads(at, k) for k in range(n_outputs))
        parts = [self._inverse(np.ascontiguousarray(curvature)) for curvature in curvatures]
        return np.stack(parts) if all(len(part) for part in parts) else NONE

    def _inverse(self, curvature: FloatArray) -> FloatArray:
        """Return the inverse for one class; without rows where it has none to be found."""
        condensed, size = self._condensed, self.size
        gram = condensed.rows.leading_gram(curvature, size)
        fit = int(condensed.whole.fit_intercept)
        gram = gram[: size + fit, : size + fit]
        gram[np.arange(size), np.arange(size)] += condensed.strength[:size]
        factor, failed = lapack.dpotrf(gram, lower=1)
        if failed:
            return NONE
        lower, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
        if failed:
            return NONE
        return np.ascontiguousarray(np.tril(lower) + np.tril(lower, -1).T)


def corrected(parts: FloatArray, diagonal: FloatArray, n_columns: int, places: int) -> Corrected:
    """Return a preconditioner: the parts, and a diagonal for the other columns.

    Parameters
    ----------
    parts : ndarray of shape (n_outputs, k, k)
        For the leading columns and the intercept of each class.
    diagonal : ndarray of shape (n_packed,)
    n_columns : int
        Those with a row of numbers each in what is packed; a last row may be of intercepts.
    places : int
        Of a row.
    """
    n_outputs, size = parts.shape[:2]
    n_rows = len(diagonal) // places
    leading = np.r_[: size - (n_rows - n_columns), n_columns:n_rows]
    diagonals = diagonal.reshape(n_rows, -1)[leading, :n_outputs]

    def correct(residual: FloatArray, conditioned: FloatArray) -> float:
        left = residual.reshape(n_rows, -1)[leading, :n_outputs]
        found = np.matmul(parts, left.T[:, :, None])[:, :, 0].T
        conditioned.reshape(n_rows, -1)[leading, :n_outputs] = found
        return float((left * (found - left / diagonals)).sum())

    return Corrected(diagonal, correct)
