"""A table in memory: numeric and text columns, with missing values marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.cells import NumberStyle

_HEAD: Final = 64
"""Numbers of a column that are looked at before all are."""

INTEGERS: Final = (np.int8, np.int16, np.int32)
"""The types of integers that columns are stored as, from the smallest."""

WordCodes = NDArray[np.signedinteger[Any]]
RowNumbers = NDArray[np.signedinteger[Any]]
"""Places of strings, in integers of any size."""


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A numeric column.

    Parameters
    ----------
    name : str
        The column's name in the file.
    stored : ndarray of float64, or of a smaller type
        The numbers, in any type that holds each of them exactly; where missing, NaN.
    missing : ndarray of bool
        Whether each row has no value.
    """

    name: str
    stored: NDArray[Any]
    missing: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def values(self) -> NDArray[np.float64]:
        """The numbers as float64; converted at each call where they are stored as another type."""
        return self.stored.astype(np.float64, copy=False)

    @property
    def is_whole(self) -> bool:
        """Whether the numbers are stored as integers, so that all are there and finite."""
        return self.stored.dtype.kind == "i"

    def take(self, rows: NDArray[np.intp] | slice) -> NumberColumn:
        """Return the column at `rows` (indices, or a slice)."""
        values = self.stored[rows]
        if len(self) and self.missing.strides == (0,):
            return NumberColumn(self.name, values, np.broadcast_to(self.missing[:1], len(values)))
        return NumberColumn(self.name, values, self.missing[rows])

    def small(self) -> NumberColumn:
        """Return the column stored in the smallest type."""
        return NumberColumn(self.name, smallest(self.stored), self.missing)

    def as_text(self) -> TextColumn:
        """Return the column as strings, a whole number without its decimal point."""
        codes = np.full(len(self), -1, dtype=np.int64)
        present = ~self.missing
        distinct, inverse = np.unique(self.stored[present], return_inverse=True)
        codes[present] = inverse
        words = tuple(number_word(value) for value in distinct)
        return TextColumn(self.name, codes, words, from_numbers=True)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A text column, stored as codes into its distinct strings.

    Parameters
    ----------
    name : str
        The column's name in the file.
    codes : ndarray of int
        Position in `words`; -1 where missing.
    words : tuple of str
        The distinct words, in no promised order.
    from_numbers : bool
        Whether the file holds numbers, which were taken as words.
    """

    name: str
    codes: WordCodes
    words: tuple[str, ...]
    from_numbers: bool = False

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        return self.codes < 0

    def take(self, rows: NDArray[np.intp] | slice) -> TextColumn:
        """Return the column at `rows` (indices, or a slice)."""
        return TextColumn(self.name, self.codes[rows], self.words, self.from_numbers)

    def small(self) -> TextColumn:
        """Return the column itself."""
        return self

    def counts(self) -> NDArray[np.int64]:
        """Return the number of rows of each distinct string."""
        places = np.add(self.codes, 1, dtype=np.intp)  # a missing code, -1, comes first
        return np.bincount(places, minlength=len(self.words) + 1)[1:]

    def as_text(self) -> TextColumn:
        """Return the column itself."""
        return self


Column = NumberColumn | TextColumn


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length.

    Parameters
    ----------
    source : str
        The source, for messages.
    columns : mapping of str to Column
        The columns in the order of the file.
    row_numbers : ndarray of int
        The number of each row in the source, counted from 1 without the header.
    kept : mapping of str to TextColumn
        Columns to copy to the output, every cell as it stands.
    styles : mapping of str to NumberStyle
        Numeric columns that the file does not write as programs write numbers.
    formats : mapping of str to str
        The format of each column of dates that the file holds as text.
    notes : tuple of str
        What was found out about the file, in sentences for the user.
    """

    source: str
    columns: Mapping[str, Column]
    row_numbers: RowNumbers
    kept: Mapping[str, TextColumn] = field(default_factory=dict)
    styles: Mapping[str, NumberStyle] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.row_numbers)

    def column(self, name: str) -> Column:
        """Return one column, or raise a `DataError` with the nearest names."""
        try:
            return self.columns[name]
        except KeyError:
            raise unknown_column(name, list(self.columns), self.source) from None

    def take(self, rows: NDArray[np.intp]) -> Table:
        """Return the table at `rows` (indices)."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        kept = {name: column.take(rows) for name, column in self.kept.items()}
        return replace(self, columns=columns, row_numbers=self.row_numbers[rows], kept=kept)

    def view(self, rows: NDArray[np.intp]) -> Table:
        """Return the table at `rows` (indices); each column is looked up whenever it is read."""
        kept = {name: column.take(rows) for name, column in self.kept.items()}
        columns = _TakenColumns(self.columns, rows)
        return replace(self, columns=columns, row_numbers=self.row_numbers[rows], kept=kept)

    def parts(self, n_rows: int) -> Iterator[Table]:
        """Yield all rows as tables in memory, as one or of at most `n_rows` rows."""
        if not isinstance(self.columns, _TakenColumns):
            yield self
            return
        for start in range(0, self.n_rows, n_rows):
            rows = slice(start, start + n_rows)
            numbers = self.row_numbers[rows]
            yield replace(self, columns=self.columns.part(rows), row_numbers=numbers, kept={})

    def without(self, names: set[str]) -> Table:
        """Return the table without the columns in `names`."""
        if isinstance(self.columns, _TakenColumns):
            return replace(self, columns=self.columns.without(names))
        kept = {name: column for name, column in self.columns.items() if name not in names}
        return replace(self, columns=kept)


class _TakenColumns(Mapping[str, Column]):
    """Some rows of columns, each looked up whenever it is read: many rows are not held twice."""

    def __init__(self, columns: Mapping[str, Column], rows: NDArray[np.intp]) -> None:
        self._columns, self._rows = columns, rows

    def __getitem__(self, name: str) -> Column:
        return self._columns[name].take(self._rows)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def part(self, rows: slice) -> dict[str, Column]:
        """Return some of the rows of all columns, looked up."""
        return {name: column.take(self._rows[rows]) for name, column in self._columns.items()}

    def without(self, names: set[str]) -> _TakenColumns:
        """Return the other columns."""
        kept = {name: column for name, column in self._columns.items() if name not in names}
        return _TakenColumns(kept, self._rows)


def numbered(n_rows: int) -> RowNumbers:
    """Return the numbers 1, 2, ... of rows, in as few bytes as hold them."""
    return np.arange(1, n_rows + 1, dtype=np.int32 if n_rows < 2**31 else np.int64)


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in the smallest type that holds each of them exactly, or as float64.

    >>> [smallest(np.array(x)).dtype.name for x in ([1.0, -300.0], [0.5, np.nan], [0.1])]
    ['int16', 'float32', 'float64']
    """
    kind = integer_type(values)
    if kind is not None:
        return values.astype(kind, copy=False)
    numbers = values.astype(np.float64, copy=False)
    with np.errstate(over="ignore"):
        is_single = _is_single(numbers[:_HEAD]) and _is_single(numbers)
    return numbers.astype(np.float32) if is_single else numbers


def _is_single(numbers: NDArray[np.float64]) -> bool:
    """Whether float32 holds each number, or that it is NaN."""
    return bool(((numbers.astype(np.float32) == numbers) | np.isnan(numbers)).all())


def integer_type(values: NDArray[Any]) -> type[np.signedinteger[Any]] | None:
    """Return the smallest of three types of integers that holds all numbers; None if none does.

    None holds a negative zero.
    """
    head = values[:_HEAD]
    if not len(values) or not (np.trunc(head) == head).all():
        return None
    low, high = values.min(), values.max()
    for kind in INTEGERS:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            if values.dtype.kind in "iu":
                return kind
            whole = values.astype(kind)
            zeros_have_signs = low <= 0 and bool(np.signbit(values[whole == 0]).any())
            return None if zeros_have_signs or not (whole == values).all() else kind
    return None


def gaps_of(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which numbers are NaN; for none, one False that takes no memory per row."""
    if values.dtype.kind == "i":
        return np.broadcast_to(np.False_, len(values))
    gaps = np.isnan(values)
    return gaps if gaps.any() else np.broadcast_to(np.False_, len(values))


def refuse_infinite(table: Table, column: NumberColumn) -> None:
    """Raise if a number is infinite, with its column and row."""
    if column.is_whole:
        return
    infinite = np.flatnonzero(np.isinf(column.stored))
    if len(infinite):
        raise DataError(
            f"{table.source}: column {column.name!r}, row {table.row_numbers[infinite[0]]}: the "
            f"value is infinite ({len(infinite)} such in the column). Correct it, or leave the "
            "cell empty if the value is missing."
        )


def number_word(value: float) -> str:
    """Format a number as a label: ``1.0`` becomes ``1``.

    >>> number_word(1.0), number_word(0.5), number_word(-0.0)
    ('1', '0.5', '0')
    """
    value = float(value)
    return str(int(value)) if value.is_integer() else repr(value)


def unknown_column(name: str, names: list[str], source: str) -> DataError:
    """Return the error for a missing column, with the nearest names and, when few, all names."""
    if len(names) == 1 and name in names[0].split():
        return DataError(
            f"{source}: its cells seem to be separated by blanks, and the header is read as the "
            f"name of one column, {names[0].strip()!r}. Write the file with commas or tabs: in "
            "pandas, read_csv(FILE, sep=r'\\s+').to_csv(FILE, index=False)."
        )
    parts = [part.strip() for part in name.split(",")]
    if len(parts) > 1 and all(part in names for part in parts):
        return DataError(
            f"{source}: no column is named {name!r}; {parts[0]!r} and {parts[1]!r} are two. Give "
            "the option once for each column."
        )
    near = get_close_matches(name, names, n=1)
    folded = [other for other in names if other.strip().casefold() == name.strip().casefold()]
    guess = (folded or near or [""])[0]
    hint = f" Did you mean {guess!r}?" if guess else ""
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    return DataError(f"{source}: no column is named {name!r}.{hint} The columns are: {shown}.")


def some_of(words: list[str], limit: int = 6) -> str:
    """Return the first `limit` strings, quoted and joined by commas.

    >>> some_of(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    shown = ", ".join(repr(word) for word in words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"
