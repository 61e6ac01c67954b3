"""Scores of rows from the columns of a table, without the matrix of their encoding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.encoding import Sink, encode, encode_columns, level_places
from chainrule.tables.specs import CategorySpec, NumberSpec, Spec, features
from chainrule.tables.table import NumberColumn, Table, TextColumn

Floats = NDArray[np.float64]

_PIECE: Final = 1 << 16
"""Rows that are worked on at a time, so that what lies between stays in the cache."""

_Term = Callable[[slice, Floats], Floats]
"""What a column adds to the scores of some rows; takes room for as many numbers."""


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
    finite = _finite_scores(specs, coef[0], intercept[0], table)
    if finite is not None:
        return ScoredColumns(finite[:, None], usable)
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


def _finite_scores(
    specs: tuple[Spec, ...], coef: Floats, intercept: float, table: Table
) -> Floats | None:
    """Return the scores of rows that can all be encoded, in one pass and to the same bits.

    A value that the model cannot take makes the score of its row NaN or infinite, whatever the
    coefficient; then the result is None, and each column has to be checked on its own.
    """
    terms: list[_Term] = []
    place = 0
    for spec in specs:
        column = table.column(spec.name)
        if isinstance(spec, CategorySpec):
            terms.append(_levels(spec, column.as_text(), coef, place))
        elif isinstance(column, TextColumn) or (column.missing.any() and not spec.fills):
            return None
        else:
            terms += _numbers(spec, column, coef, place)
        place += len(features((spec,)))
    score = np.full(table.n_rows, intercept)
    room = np.empty(_PIECE)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, table.n_rows, _PIECE):
            some = score[start : start + _PIECE]
            rows = slice(start, start + len(some))
            for term in terms:
                some += term(rows, room[: len(some)])
            if not np.isfinite(some).all():
                return None
    return score


def _numbers(spec: NumberSpec, column: NumberColumn, coef: Floats, place: int) -> list[_Term]:
    has_gaps = bool(column.missing.any())
    # The types are fixed: a smaller one, as which a column may be stored, would round.
    mean, scale, slope = np.float64(spec.mean), np.float64(spec.scale), coef[place]

    def number(rows: slice, room: Floats) -> Floats:
        np.subtract(column.stored[rows], mean, out=room, dtype=np.float64)
        room /= scale
        if has_gaps:
            room[column.missing[rows]] = 0.0
        room *= slope
        return room

    if not (has_gaps and spec.indicator):
        return [number]
    return [number, lambda rows, room: np.multiply(column.missing[rows], coef[place + 1], out=room)]


def _levels(spec: CategorySpec, text: TextColumn, coef: Floats, place: int) -> _Term:
    # places count from 0; the base is -1, and -2 is what the model has no place for
    of_place = np.concatenate([coef, [np.nan, 0.0]])
    of_code = of_place[level_places(spec, text.words, place)]  # a missing code, -1, picks the last
    return lambda rows, room: np.take(of_code, text.codes[rows], out=room, mode="wrap")
