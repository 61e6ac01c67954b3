"""Encoding rows of a table as numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import is_sparse
from chainrule.engine.runtime.stored_arrays import ArrayWriter
from chainrule.errors import DataError
from chainrule.tables.cells import spelling_key
from chainrule.tables.specs import RARE, CategorySpec, NumberSpec, Spec, features
from chainrule.tables.stored_table import StoredTable
from chainrule.tables.table import (
    Column,
    NumberColumn,
    Table,
    TextColumn,
    refuse_infinite,
    some_of,
)

Matrix = Any
"""A NumPy array, a SciPy matrix in CSR, or an array in a file."""

_MANY_FEATURES: Final = 64
_SAVED: Final = 3
_PART_BYTES: Final = 2**22
_UNKNOWN: Final = -2


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
    if isinstance(table, StoredTable):
        return _encode_parts(specs, table, blank=blank)
    usable = np.ones(table.n_rows, dtype=np.bool_)
    parts = _Parts(table.n_rows, specs)
    encode_columns(specs, table, parts, usable, blank=blank)
    return EncodedRows(parts.matrix(usable), usable)


class Sink(Protocol):
    """Takes encoded columns, one after the other."""

    def take_stored(self, spec: NumberSpec, column: NumberColumn) -> bool:
        """Take a column without gaps before it is scaled; False where that cannot be."""
        return False

    def add_numbers(self, values: NDArray[np.float64], place: int) -> None:
        """Take one number per row, of the feature at a place."""

    def add_levels(self, places: NDArray[np.int64], first: int) -> None:
        """Take the place of each row's level; a negative one has no feature."""


def encode_columns(
    specs: tuple[Spec, ...],
    table: Table,
    sink: Sink,
    usable: NDArray[np.bool_],
    *,
    blank: bool,
) -> None:
    """Encode the columns of a table, each into a sink; mark the rows that are not usable."""
    place = 0
    for spec in specs:
        column = table.column(spec.name)
        if isinstance(spec, NumberSpec):
            _encode_number(spec, column, table, sink, usable, place, blank)
        else:
            _encode_category(spec, column, table, sink, usable, place, blank)
        place += len(features((spec,)))


def _encode_parts(specs: tuple[Spec, ...], table: StoredTable, *, blank: bool) -> EncodedRows:
    """Encode a table in files part by part, into a file; sparse rows are held in memory."""
    width = len(features(specs))
    parts = (
        encode(specs, part, blank=blank) for part in table.parts(max(1, _PART_BYTES // (8 * width)))
    )
    usable, held = np.ones(table.n_rows, dtype=np.bool_), []
    with ArrayWriter(table.new_file("rows"), np.float64, (width,)) as writer:
        start = 0
        for part in parts:
            usable[start : start + part.X.shape[0]] = part.usable
            start += part.X.shape[0]
            if is_sparse(part.X):
                held.append(part.X)
            else:
                writer.append(part.X)
    if held:
        from scipy import sparse

        writer.path.unlink()
        return EncodedRows(sparse.vstack(held, format="csr"), usable)
    X = writer.array(held_bytes=table.held_bytes)
    # the rows of all folds are as large as the table, each
    finalize(X, _remove, writer.path, writer.path.stat())
    return EncodedRows(X, usable)


def _remove(path: Path, written: os.stat_result) -> None:
    with suppress(OSError):  # gone with its folder, or open still
        if os.path.samestat(path.stat(), written):  # not one of the same name by another fit
            path.unlink()


def is_sparse_for(specs: tuple[Spec, ...], n_rows: int) -> bool:
    """Whether so many encoded rows are sparse: most of their numbers are zeros."""
    n_features = len(features(specs))
    return n_features > max(_MANY_FEATURES, _SAVED * entries_per_row(specs)) and n_rows > 0


def entries_per_row(specs: tuple[Spec, ...]) -> int:
    """Return how many entries a row holds: one per column, and one per indicator of gaps."""
    return sum(1 + (isinstance(spec, NumberSpec) and spec.indicator) for spec in specs)


class _Parts(Sink):
    """Encoded columns, gathered as an array, or as the rows of a sparse matrix.

    A sparse row holds one entry per column of the file; that of a base category is a zero, so that
    all rows are equally long and nothing has to be sorted.
    """

    def __init__(self, n_rows: int, specs: tuple[Spec, ...]) -> None:
        self.shape = (n_rows, len(features(specs)))
        self.is_sparse = is_sparse_for(specs, n_rows)
        held = (n_rows, entries_per_row(specs)) if self.is_sparse else self.shape
        self._values = np.zeros(held, dtype=np.float64)
        self._places = np.zeros(held if self.is_sparse else (0, 0), dtype=np.int32)
        self._next = 0

    def add_numbers(self, values: NDArray[np.float64], place: int) -> None:
        """Put one number per row at a place."""
        k = self._next if self.is_sparse else place
        self._values[:, k] = values
        if self.is_sparse:
            self._places[:, k] = place
        self._next += 1

    def add_levels(self, places: NDArray[np.int64], first: int) -> None:
        """Put a one per row at its place; none where the place is negative."""
        rows = np.flatnonzero(places >= 0)
        if self.is_sparse:
            self._values[rows, self._next] = 1.0
            self._places[:, self._next] = np.where(places >= 0, places, first)
        else:
            self._values[rows, places[rows]] = 1.0
        self._next += 1

    def matrix(self, usable: NDArray[np.bool_]) -> Matrix:
        """Return the matrix, with zeros in the rows that are not usable."""
        self._values[~usable] = 0.0
        if not self.is_sparse:
            return self._values
        from scipy import sparse  # a table without many levels does not wait for it

        n_rows, width = self._values.shape
        ends = np.arange(0, n_rows * width + 1, width)
        return sparse.csr_matrix(
            (self._values.ravel(), self._places.ravel(), ends), shape=self.shape
        )


def _encode_number(
    spec: NumberSpec,
    column: Column,
    table: Table,
    sink: Sink,
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
    if not gaps.any() and not spec.indicator and sink.take_stored(spec, column):
        return
    with np.errstate(over="ignore"):
        values = column.values - spec.mean
        values /= spec.scale
    if gaps.any():
        values[gaps] = 0.0
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
    sink.add_numbers(values, place)
    if spec.indicator:
        sink.add_numbers(gaps.astype(np.float64), place + 1)


def _encode_category(
    spec: CategorySpec,
    column: Column,
    table: Table,
    sink: Sink,
    usable: NDArray[np.bool_],
    place: int,
    blank: bool,
) -> None:
    text = column.as_text()
    lookup, unknown = level_places(spec, text.words, place), _UNKNOWN
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
    sink.add_levels(target, place)


def level_places(spec: CategorySpec, words: Sequence[str], first: int) -> NDArray[np.int64]:
    """Return the place of each string, and last that of a missing one.

    The base has place -1, and what the model has no place for -2.
    """
    find = _levels_of(spec, first, _UNKNOWN)
    lookup = np.array([*map(find.place, words), _UNKNOWN], dtype=np.int64)
    if spec.fill is not None:
        lookup[-1] = find.place(spec.fill)
    return lookup


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


@lru_cache(maxsize=512)
def _levels_of(spec: CategorySpec, first: int, unknown: int) -> _Levels:
    """Return the levels of a category, made once for all batches of a stream."""
    return _Levels(spec, first, unknown)


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
