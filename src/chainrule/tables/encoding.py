"""Encoding rows of a table as numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.specs import CategorySpec, NumberSpec, Spec, features
from chainrule.tables.table import Column, Table, TextColumn, refuse_infinite, some_of


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The encoded rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The numbers; zeros in the rows that could not be encoded.
    usable : ndarray of bool
        Whether each row could be encoded.
    """

    X: NDArray[np.float64]
    usable: NDArray[np.bool_]


def encode(specs: tuple[Spec, ...], table: Table, *, blank: bool = False) -> EncodedRows:
    """Return the rows of a table as a numeric matrix.

    Parameters
    ----------
    specs : tuple of Spec
        From `fit_encoding`.
    table : Table
        Any rows with these columns.
    blank : bool
        Mark rows that cannot be encoded (a missing value, a category never seen) as not usable;
        otherwise they raise.

    Returns
    -------
    EncodedRows
        The matrix and the usable rows.
    """
    X = np.zeros((table.n_rows, len(features(specs))), dtype=np.float64)
    usable = np.ones(table.n_rows, dtype=np.bool_)
    place = 0
    for spec in specs:
        column = table.column(spec.name)
        if isinstance(spec, NumberSpec):
            place = _encode_number(spec, column, table, X, usable, place, blank)
        else:
            place = _encode_category(spec, column, table, X, usable, place, blank)
    X[~usable] = 0.0
    return EncodedRows(X, usable)


def _encode_number(
    spec: NumberSpec,
    column: Column,
    table: Table,
    X: NDArray[np.float64],
    usable: NDArray[np.bool_],
    place: int,
    blank: bool,
) -> int:
    if isinstance(column, TextColumn):
        raise DataError(
            f"{table.source}: column {spec.name!r} holds text where the model learnt numbers."
        )
    refuse_infinite(table, column)
    gaps = column.missing
    if gaps.any() and not spec.fills:
        _cannot(table, spec.name, gaps, usable, blank, "the value is missing")
    X[:, place] = np.where(gaps, 0.0, (column.values - spec.mean) / spec.scale)
    if spec.indicator:
        X[:, place + 1] = gaps
    return place + 1 + spec.indicator


def _encode_category(
    spec: CategorySpec,
    column: Column,
    table: Table,
    X: NDArray[np.float64],
    usable: NDArray[np.bool_],
    place: int,
    blank: bool,
) -> int:
    text = column.as_text()
    position = {word: place + offset for offset, word in enumerate(spec.others)}
    position[spec.base] = -1  # the base has no indicator
    unknown = -2
    lookup = np.array([*(position.get(word, unknown) for word in text.words), unknown])
    if spec.fill is not None:
        lookup[-1] = position[spec.fill]
    target = lookup[text.codes]  # a missing code, -1, picks the last entry
    lost = target == unknown
    if (lost & text.missing).any():
        _cannot(table, spec.name, lost & text.missing, usable, blank, "the value is missing")
    unseen = lost & ~text.missing
    if unseen.any():
        word = text.words[text.codes[int(np.flatnonzero(unseen)[0])]]
        known = some_of([spec.base, *spec.others])
        _cannot(
            table,
            spec.name,
            unseen,
            usable,
            blank,
            f"the category {word!r} did not occur in training (known: {known})",
        )
    rows = np.flatnonzero(target >= 0)
    X[rows, target[rows]] = 1.0
    return place + len(spec.others)


def _cannot(
    table: Table,
    name: str,
    rows: NDArray[np.bool_],
    usable: NDArray[np.bool_],
    blank: bool,
    why: str,
) -> None:
    if not blank:
        row = table.row_numbers[int(np.flatnonzero(rows)[0])]
        raise DataError(
            f"{table.source}: column {name!r}, row {row}: {why}. Correct the cell, or ask for "
            "blank predictions of such rows: --blank."
        )
    usable &= ~rows
