"""Encoding rows of a table as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from chainrule.errors import DataError
from chainrule.tables.cells import spelling_key
from chainrule.tables.specs import RARE, CategorySpec, NumberSpec, Spec, features
from chainrule.tables.table import Column, Table, TextColumn, refuse_infinite, some_of

Matrix = Any
"""A NumPy array, or a SciPy matrix in CSR."""

_MANY_FEATURES: Final = 64
_SAVED: Final = 3


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """The encoded rows.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The numbers; zeros in the rows that could not be encoded. Sparse where most are zeros, as
        those of a category with many levels: a row then holds one entry per column of the file.
    usable : ndarray of bool
        Whether each row could be encoded.
    """

    X: Matrix
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
    usable = np.ones(table.n_rows, dtype=np.bool_)
    place, parts = 0, _Parts(table.n_rows, specs)
    for spec in specs:
        column = table.column(spec.name)
        if isinstance(spec, NumberSpec):
            _encode_number(spec, column, table, parts, usable, place, blank)
        else:
            _encode_category(spec, column, table, parts, usable, place, blank)
        place += len(features((spec,)))
    return EncodedRows(parts.matrix(usable), usable)


class _Parts:
    """Encoded columns, gathered as an array or as the entries of a sparse matrix."""

    def __init__(self, n_rows: int, specs: tuple[Spec, ...]) -> None:
        self.shape = (n_rows, len(features(specs)))
        n_entries = sum(1 + (isinstance(spec, NumberSpec) and spec.indicator) for spec in specs)
        self.is_sparse = (
            self.shape[1] > _MANY_FEATURES and self.shape[1] > _SAVED * n_entries and n_rows > 0
        )
        self._X = np.zeros((0, 0) if self.is_sparse else self.shape, dtype=np.float64)
        self._entries: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []

    def add(
        self,
        values: NDArray[np.float64] | float,
        rows: NDArray[Any] | slice,
        at: NDArray[Any] | int,
    ) -> None:
        """Put values into some rows, each at a place."""
        if not self.is_sparse:
            self._X[rows, at] = values
            return
        index = np.arange(self.shape[0])[rows]
        full = np.broadcast_to(np.asarray(values, dtype=np.float64), index.shape)
        self._entries.append((full, index, np.broadcast_to(np.asarray(at), index.shape)))

    def matrix(self, usable: NDArray[np.bool_]) -> Matrix:
        """Return the matrix, with zeros in the rows that are not usable."""
        if not self.is_sparse:
            self._X[~usable] = 0.0
            return self._X
        values, rows, at = (np.concatenate(list(part)) for part in zip(*self._entries, strict=True))
        used = usable[rows]
        entries = (values[used], (rows[used], at[used]))
        return sparse.csr_matrix(entries, shape=self.shape)


def _encode_number(
    spec: NumberSpec,
    column: Column,
    table: Table,
    parts: _Parts,
    usable: NDArray[np.bool_],
    place: int,
    blank: bool,
) -> None:
    if isinstance(column, TextColumn):
        raise DataError(
            f"{table.source}: column {spec.name!r} holds text where the model learnt numbers."
        )
    refuse_infinite(table, column)
    gaps = column.missing
    if gaps.any() and not spec.fills:
        _cannot(table, spec.name, gaps, usable, blank, "the value is missing")
    with np.errstate(over="ignore"):
        values = np.where(gaps, 0.0, (column.values - spec.mean) / spec.scale)
    if not np.isfinite(values).all():
        _cannot(
            table,
            spec.name,
            ~np.isfinite(values),
            usable,
            blank,
            f"the value is more than 1e308 standard deviations ({spec.scale:g}) from the mean",
        )
        values[~np.isfinite(values)] = 0.0
    parts.add(values, slice(None), place)
    if spec.indicator:
        parts.add(gaps.astype(np.float64), slice(None), place + 1)


def _encode_category(
    spec: CategorySpec,
    column: Column,
    table: Table,
    parts: _Parts,
    usable: NDArray[np.bool_],
    place: int,
    blank: bool,
) -> None:
    text = column.as_text()
    unknown = -2
    find = _Levels(spec, place, unknown)
    lookup = np.array([*map(find.place, text.words), unknown], dtype=np.int64)
    if spec.fill is not None:
        lookup[-1] = find.place(spec.fill)
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
    parts.add(1.0, rows, target[rows])


class _Levels:
    """The place of each level of a category: as spelled, or by a second spelling of it."""

    def __init__(self, spec: CategorySpec, first: int, unknown: int) -> None:
        base = -1  # the base has no indicator
        self._known = {word: first + offset for offset, word in enumerate(spec.others)}
        self._known[spec.base] = base
        for word in spec.rare:
            self._known.setdefault(word, self._known.get(RARE, base))
        self._unknown = {"error": unknown, "base": base}.get(
            spec.unknown, self._known.get(RARE, base)
        )
        keys: dict[str, set[int]] = {}
        for word, place in self._known.items():
            keys.setdefault(spelling_key(word), set()).add(place)
        # Two levels that are spellings of one number are told apart by their spelling alone.
        self._by_key = {key: places.pop() for key, places in keys.items() if len(places) == 1}

    def place(self, word: str) -> int:
        """Return the place of a string."""
        found = self._known.get(word)
        return self._by_key.get(spelling_key(word), self._unknown) if found is None else found


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
            "blank predictions of such rows: --blank; a fit with --unknown base or rare takes new "
            "categories."
        )
    usable &= ~rows
