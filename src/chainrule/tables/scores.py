"""Scores of rows from the columns of a table, without the matrix of their encoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.encoding import Sink, encode, encode_columns
from chainrule.tables.specs import Spec
from chainrule.tables.table import Table

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScoredColumns:
    """The scores of rows.

    Parameters
    ----------
    score : ndarray of shape (n_samples, n_scores)
        The products of encoded rows and coefficients, plus intercepts.
    usable : ndarray of bool
        Whether each row could be encoded.
    """

    score: Floats
    usable: NDArray[np.bool_]


def score_columns(
    specs: tuple[Spec, ...], coef: Floats, intercept: Floats, table: Table, *, blank: bool = False
) -> ScoredColumns:
    """Return the scores of the rows of a table.

    Parameters
    ----------
    specs : tuple of Spec
    coef : ndarray of shape (n_scores, n_features)
    intercept : ndarray of shape (n_scores,)
    table : Table
        Any rows with these columns.
    blank : bool
        Mark rows that cannot be encoded as not usable; otherwise they raise.
    """
    if len(coef) > 1:  # a matrix product is faster than one sum per column and class
        encoded = encode(specs, table, blank=blank)
        return ScoredColumns(np.asarray(encoded.X @ coef.T) + intercept, encoded.usable)
    usable = np.ones(table.n_rows, dtype=np.bool_)
    sums = _Sums(np.full(table.n_rows, intercept[0]), coef[0])
    with np.errstate(over="ignore", invalid="ignore"):  # as in a product of matrices
        encode_columns(specs, table, sums, usable, blank=blank)
    return ScoredColumns(sums.score[:, None], usable)


class _Sums(Sink):
    """Adds each column, times its coefficient, to the scores."""

    def __init__(self, score: Floats, coef: Floats) -> None:
        self.score, self._coef = score, coef
        self._base = len(coef)
        self._of_place = np.append(coef, 0.0)

    def add_numbers(self, values: Floats, place: int) -> None:
        """Add one number per row."""
        self.score += values * self._coef[place]

    def add_levels(self, places: NDArray[np.int64], first: int) -> None:
        """Add the coefficient of each row's level; that of the base is 0."""
        self.score += self._of_place[np.where(places >= 0, places, self._base)]
