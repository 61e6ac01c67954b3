"""The columns of a table as the numbers of one input: learned from some rows, applied to any.

Each input keeps how its columns were read, so that held-out rows and new tables are read in the
same way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from chainrule.descent.meaning import Meaning
from chainrule.errors import DataError
from chainrule.lecture import Array
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import refuse_missing
from chainrule.tables.specs import Feature, NumberSpec, Spec, features
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn, refuse_infinite, some_of

_MOST_LABELS = 50


class Reading(Enum):
    """How columns become numbers; the value is what a file of values holds."""

    FEATURES = "features"
    NUMBERS = "numbers"
    ONE_HOT = "one-hot"
    BINARY = "0 and 1"
    SIGNS = "-1 and 1"
    PLACES = "places"


@dataclass(frozen=True)
class InputColumns:
    """How the columns of one input are read.

    Parameters
    ----------
    name : str
        The input.
    reading : Reading
        How its columns become numbers.
    columns : tuple of str
        The columns, in order.
    words : tuple of str
        The labels in the order of their codes; of `BINARY` and `SIGNS` the lower one first.
    against_rest : bool
        Whether every other label counts as the first of two.
    specs : tuple of Spec
        The encoding of each feature.
    raw : bool
        Whether numeric features stay on the scale of the file.
    """

    name: str
    reading: Reading
    columns: tuple[str, ...]
    words: tuple[str, ...] = ()
    against_rest: bool = False
    specs: tuple[Spec, ...] = ()
    raw: bool = False

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the encoded features."""
        found = features(self.specs)
        return tuple(replace(f, mean=0.0, scale=1.0) for f in found) if self.raw else found

    def read(self, table: Table) -> Array:
        """Return the numbers of this input, one row per example.

        Raises
        ------
        DataError
            Naming the column and the row of what cannot be read.
        """
        if self.reading is Reading.FEATURES:
            encoded = encode(self.specs, table, blank=True)
            if not encoded.usable.all():
                self._refuse_row(table, int(np.flatnonzero(~encoded.usable)[0]))
            X = np.asarray(encoded.X, dtype=np.float64)
            return self._unscaled(X, table) if self.raw else X
        columns = {name: table.column(name) for name in self.columns}
        refuse_missing(Table(table.source, columns, table.row_numbers), fillable=False)
        if not self.words:
            return np.hstack([_numbers(table, column) for column in columns.values()])
        codes = np.stack([self._codes(table, column) for column in columns.values()], axis=1)
        if self.reading is Reading.PLACES:
            return np.asarray(codes, dtype=np.float64)
        if self.reading is Reading.ONE_HOT:
            return np.asarray(codes == np.arange(len(self.words)), dtype=np.float64)
        numbers = np.asarray(codes, dtype=np.float64)
        return 2 * numbers - 1 if self.reading is Reading.SIGNS else numbers

    def _refuse_row(self, table: Table, row: int) -> None:
        """Name the first cell of a row that cannot be read as in training."""
        for spec in self.specs:
            if encode((spec,), table, blank=True).usable[row]:
                continue
            column = table.column(spec.name)
            text = column.as_text()
            missing = bool(column.missing[row])
            why = (
                "the value is missing"
                if missing
                else f"the category {text.words[text.codes[row]]!r} did not occur in training"
            )
            raise DataError(
                f"{table.source}: column {spec.name!r}, row {table.row_numbers[row]}: {why}. "
                "Correct the cell, or leave the row out."
            )

    def _unscaled(self, X: Array, table: Table) -> Array:
        """Put the very numbers of the file back; a missing one becomes the mean."""
        place = 0
        for spec in self.specs:
            column = table.column(spec.name)
            if isinstance(spec, NumberSpec) and isinstance(column, NumberColumn):
                X[:, place] = np.where(column.missing, spec.mean, column.values)
            place += len(features((spec,)))
        return X

    def _codes(self, table: Table, column: Column) -> Array:
        text = column.as_text()
        code = {word: place for place, word in enumerate(self.words)}
        if self.against_rest:
            found = np.array([int(word == self.words[1]) for word in text.words])
        else:
            found = np.array([code.get(word, -1) for word in text.words])
        rows = found[text.codes]
        unknown = np.flatnonzero(rows < 0)
        if len(unknown):
            word = text.words[text.codes[unknown[0]]]
            raise DataError(
                f"{table.source}: column {column.name!r}, row {table.row_numbers[unknown[0]]}: "
                f"{word!r} is not one of the labels ({some_of(list(self.words))})."
            )
        return np.asarray(rows)


def read_labels(
    name: str,
    table: Table,
    columns: Sequence[str],
    meaning: Meaning,
    width: int | None,
    positive: str | None,
) -> InputColumns:
    """Return how the bound columns of an input are to be read.

    Parameters
    ----------
    name : str
        The input.
    table : Table
        All rows.
    columns : sequence of str
        The columns.
    meaning : Meaning
        The meaning of the input in the forward pass.
    width : int or None
        How many rows the input has for each example; None where nothing determines it.
    positive : str or None
        The label that counts as 1.

    Raises
    ------
    DataError
        When there are too many labels, or it is not clear which one counts as 1.
    """
    found = [table.column(column) for column in columns]
    words = any(isinstance(column, TextColumn) for column in found)
    if meaning is Meaning.PLACES:
        vocabulary = _sorted_words(found) if words else ()
        return InputColumns(name, Reading.PLACES, tuple(columns), vocabulary)
    plain = InputColumns(name, Reading.NUMBERS, tuple(columns))
    if len(columns) > 1:
        for column in found:
            if isinstance(column, TextColumn):
                raise DataError(
                    f"{table.source}: column {column.name!r} holds words; bind it to an input of "
                    f"its own, or use --bind {name}=features, which turns words into numbers."
                )
        return plain
    (column,) = found
    refuse_missing(Table(table.source, {column.name: column}, table.row_numbers), fillable=False)
    asked = positive is not None and positive in column.as_text().words
    several = width != 1 and (meaning is Meaning.CLASSES or _are_classes(column, width))
    one_hot = several or (width is None and (words or asked))
    if isinstance(column, NumberColumn) and not (asked or several):
        distinct = np.unique(column.values)
        if meaning is Meaning.MARGIN:
            coded = set(distinct) <= {-1.0, 1.0}
        elif meaning is Meaning.BINARY:
            coded = bool((distinct >= 0).all() and (distinct <= 1).all())
        else:
            coded = True
        if coded or len(distinct) != 2:
            return plain
    labels = _labels(column, table.source, positive, last=one_hot)
    if one_hot:
        return InputColumns(
            name, Reading.ONE_HOT, tuple(columns), _all_classes(labels, column, width, name)
        )
    return _two_labels(name, table.source, column, labels, meaning, positive)


def _are_classes(column: Column, width: int | None) -> bool:
    """Whether one column holds labels of as many classes as an input has rows."""
    if width is None:
        return False
    words = set(_sorted_words([column]))
    return isinstance(column, TextColumn) or len(words) == width or bool(_counting(words, width))


def _counting(words: Collection[str], width: int) -> tuple[str, ...]:
    """Return the labels 0 to width - 1, or 1 to width, where all these are among them."""
    for first in (0, 1):
        counted = tuple(str(first + k) for k in range(width))
        if set(words) <= set(counted):
            return counted
    return ()


def _labels(column: Column, source: str, positive: str | None, *, last: bool) -> list[str]:
    words = list(_sorted_words([column]))
    where = f"{source}: column {column.name!r}"
    if len(words) > _MOST_LABELS:
        kind = "numbers" if isinstance(column, NumberColumn) else "texts"
        raise DataError(
            f"{where} holds {len(words)} different {kind} ({some_of(words, 3)}); labels are at "
            f"most {_MOST_LABELS}."
        )
    if positive is not None and positive not in words:
        raise DataError(f"{where} does not hold {positive!r}; it holds {some_of(words)}.")
    if positive is not None and last:
        words = [*(word for word in words if word != positive), positive]
    return words


def _two_labels(
    name: str,
    source: str,
    column: Column,
    words: list[str],
    meaning: Meaning,
    positive: str | None,
) -> InputColumns:
    where = f"{source}: column {column.name!r}"
    if len(words) > 2 and positive is None:
        raise DataError(
            f"{where} holds {len(words)} labels ({some_of(words)}) and the input is one row. Say "
            f"which label counts as 1: --positive {words[-1]}; or declare the input with one row "
            "for each label."
        )
    if len(words) == 1 and positive is None:
        raise DataError(f"{where} holds one label only, {words[0]!r}; there is nothing to learn.")
    chosen = positive if positive is not None else words[-1]
    others = [word for word in words if word != chosen]
    rest = others[0] if len(others) == 1 else f"not {chosen}"
    reading = Reading.SIGNS if meaning is Meaning.MARGIN else Reading.BINARY
    return InputColumns(name, reading, (column.name,), (rest, chosen), len(others) != 1)


def _all_classes(words: list[str], column: Column, width: int | None, name: str) -> tuple[str, ...]:
    """Return the classes: those found, and where labels count to a given number all of these."""
    if width is None or width == len(words):
        return tuple(words)
    if counted := _counting(words, width):
        return counted
    raise DataError(
        f"column {column.name!r} holds {len(words)} labels ({some_of(words)}), and {name} has "
        f"{width} rows, one per class. Give as many rows as there are labels"
    )


def _sorted_words(columns: Sequence[Column]) -> tuple[str, ...]:
    found: set[str] = set()
    numbers = True
    for column in columns:
        text = column.as_text()
        numbers = numbers and text.from_numbers
        counted = zip(text.words, text.counts(), strict=True)
        found |= {word for word, count in counted if count}
    return tuple(sorted(found, key=float) if numbers else sorted(found))


def _numbers(table: Table, column: Column) -> Array:
    if isinstance(column, TextColumn):
        raise DataError(
            f"{table.source}: column {column.name!r} holds text where numbers were bound."
        )
    refuse_infinite(table, column)
    return column.values[:, None]
