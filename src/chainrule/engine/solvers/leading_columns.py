"""A preconditioner for condensed rows: the Hessian of the most frequent columns, inverted.

Frequent columns occur together, so that their part of the Hessian is far from diagonal: levels of
crossed factors, a heavy column and the intercept. All others keep a diagonal. The part is small,
and formed again when the products since have cost as much as it does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.linalg import lapack

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.condensed import CondensedEvaluation, CondensedObjective

_SIZES: Final[tuple[int, ...]] = (1024, 512, 256, 128, 64, 32)

_DEAREST: Final[float] = 3.0
"""What the part may cost, in products with the Hessian."""

_SHARE: Final[float] = 0.25
"""What its inverse times a vector may cost, in the same unit."""

_PAIR: Final[float] = 1.0
_CUBE: Final[float] = 0.1
_SQUARE: Final[float] = 0.1
"""Time of a pair of entries in a row, of size^3 and of size^2, in visits of an entry."""

NONE: Final[FloatArray] = np.empty((0, 0))

Inverse = Callable[[FloatArray], FloatArray]


class LeadingColumns:
    """How many columns are taken, and what they cost.

    Parameters
    ----------
    condensed : CondensedObjective

    Attributes
    ----------
    size : int
        0 where no part is worth its price.
    price : float
        Of forming it, in products with the Hessian.
    """

    def __init__(self, condensed: CondensedObjective) -> None:
        self._condensed = condensed
        self.size, self.price = 0, np.inf
        rows = condensed.rows
        product = 2.0 * max(1, rows.n_entries)
        for size in _SIZES:
            if size > rows.n_columns:
                continue
            pairs = len(rows.own) * rows.per_row(size) ** 2 / 2
            price = (_PAIR * pairs + 2 * rows.n_entries + _CUBE * size**3) / product
            if price <= _DEAREST and _SQUARE * size**2 <= _SHARE * product:
                self.size, self.price = size, price
                break

    def inverse(self, at: CondensedEvaluation) -> FloatArray:
        """Return the inverse of the Hessian's part in the leading columns and the intercept.

        Without rows where it has none to be found.
        """
        condensed, size = self._condensed, self.size
        gram = condensed.rows.leading_gram(at.curvature, size)
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


def applied(part: FloatArray, diagonal: FloatArray, n_columns: int) -> Inverse:
    """Return a vector -> about the inverse Hessian times it.

    Parameters
    ----------
    part : ndarray of shape (k, k)
        For the leading columns and the intercept.
    diagonal : ndarray of shape (n_packed,)
        For the other columns.
    n_columns : int
    """

    def apply(vector: FloatArray) -> FloatArray:
        found = vector / diagonal
        size = len(part) - (len(vector) - n_columns)
        leading = part @ np.append(vector[:size], vector[n_columns:])
        found[:size], found[n_columns:] = leading[:size], leading[size:]
        return found

    return apply
