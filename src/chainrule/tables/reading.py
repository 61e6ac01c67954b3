"""Tables from files: each column is what its owner says, or else what it looks like.

Two entry points: `read_table` for a whole file whose columns are not known yet, and `read_batches`
for a stream, in bounded memory, of columns whose kinds are known. What the owner has said decides
before anything is parsed: a column of categories, a target of labels and a column to copy are text,
byte for byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from chainrule.engine.runtime.machine import give_memory_back, return_freed_memory
from chainrule.errors import DataError
from chainrule.tables.arrow_columns import (
    is_text,
    natural_column,
    raw_cells,
    styled_column,
    text_column,
)
from chainrule.tables.cells import MISSING_WORDS, NumberStyle, find_style
from chainrule.tables.dates import DateColumn, moments_of
from chainrule.tables.files.errors import not_a_number
from chainrule.tables.files.opening import open_table
from chainrule.tables.files.options import AS_FOUND, ReadOptions
from chainrule.tables.files.table_file import TableFile
from chainrule.tables.mixed_columns import refuse_changing_type, refuse_mixed_styles
from chainrule.tables.table import Column, Table, TextColumn, numbered, some_of, unknown_column

_ROW_NAME = "(row name)"


@dataclass(frozen=True)
class Declared:
    """Declared roles of the columns of a table.

    Parameters
    ----------
    categories : collection of str
        Columns to take as text even where they hold numbers.
    numbers : collection of str
        Columns to take as numbers even where they are written as text.
    dates : tuple of DateColumn
        Columns of dates, and what to take from them.
    keep : collection of str
        Columns to copy, every cell as it stands.
    ignore : collection of str
        Columns to leave out.
    styles : mapping of str to NumberStyle
        How numeric columns are written, where it is known.
    options : ReadOptions
        How the file is to be read.
    only : collection of str, optional
        The columns to read, parts of dates among them; by default all.
    """

    categories: Collection[str] = ()
    numbers: Collection[str] = ()
    dates: tuple[DateColumn, ...] = ()
    keep: Collection[str] = ()
    ignore: Collection[str] = ()
    styles: Mapping[str, NumberStyle] = field(default_factory=dict)
    options: ReadOptions = AS_FOUND
    only: Collection[str] | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The words that mean "no value"."""
        words = self.options.na
        return MISSING_WORDS if words is None else tuple(dict.fromkeys(("", *words)))

    @property
    def named(self) -> list[str]:
        """All columns that are named anywhere."""
        dates = [date.name for date in self.dates]
        return [*self.categories, *self.numbers, *dates, *self.keep, *self.ignore]

    def check(self) -> None:
        """Raise a `DataError` where a column is declared twice, as different things."""
        roles = {
            "--category": set(self.categories),
            "--number": set(self.numbers),
            "--date": {date.name for date in self.dates},
            "--ignore": set(self.ignore),
        }
        seen: dict[str, str] = {}
        for option, names in roles.items():
            for name in sorted(names):
                if name in seen:
                    raise DataError(
                        f"column {name!r} is named by {seen[name]} and by {option}. Choose one."
                    )
                seen[name] = option


def read_table(
    path: str | Path,
    declared: Declared | None = None,
    *,
    categories: Collection[str] = (),
    ignore: Collection[str] = (),
) -> Table:
    """Read a whole file.

    Parameters
    ----------
    path : str or Path
        What `chainrule.tables.files.opening.open_table` takes.
    declared : Declared, optional
        What is known about the columns.
    categories, ignore : collection of str
        The same, where nothing else is known.

    Returns
    -------
    Table
        Its columns as numbers or strings.

    Raises
    ------
    DataError
        Naming the file, the column or row, and the next action.
    """
    declared = declared or Declared(categories=categories, ignore=ignore)
    opened = open_whole(path, declared)
    file, arrow, reader = opened.file, opened.read(opened.names), opened.reader
    n_rows, columns = arrow.num_rows, dict[str, Column]()
    kept = {name: raw_cells(name, arrow.column(name), file.source) for name in declared.keep}
    left = dict(zip(arrow.column_names, arrow.columns, strict=True))
    del arrow  # each column is given back once it is converted
    for name in opened.names:
        data = left.pop(name)
        if name not in declared.ignore:
            columns.update({c.name: c.small() for c in reader.of(name, data, 1)})
        del data
    pa.default_memory_pool().release_unused()
    give_memory_back()
    return Table(
        file.source,
        columns,
        numbered(n_rows),
        kept,
        reader.styles,
        reader.formats,
        opened.notes,
    )


def return_freed_columns() -> None:
    """Have memory of large columns returned to the system whenever they are freed."""
    return_freed_memory()
    pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own keeps it for a while


@dataclass(frozen=True, eq=False)
class OpenedTable:
    """A file whose columns are known by name, before they become numbers and strings.

    Parameters
    ----------
    file : TableFile
    declared : Declared
    names : list of str
        The columns that are not ignored.
    texts : collection of str
        The columns that are read as strings.
    reader : ColumnReader
        Converts one column at a time.
    """

    file: TableFile
    declared: Declared
    names: list[str]
    texts: Collection[str]
    reader: ColumnReader

    def read(self, names: Sequence[str]) -> Any:  # noqa: ANN401 - pyarrow ships no types
        """Return some columns whole, as an Arrow table.

        Raises
        ------
        DataError
            Naming the file, and the column or row.
        """
        try:
            arrow = self.file.read(names, self.texts)
        except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
            raise self.file.explain(error) from None
        if arrow.num_rows == 0:
            raise DataError(
                f"{self.file.source}: the file has column names and no rows. Give it at least one "
                "row per class."
            )
        return arrow

    @cached_property
    def arrow(self) -> Any:  # noqa: ANN401
        """All columns, as an Arrow table."""
        return self.read(self.names)

    @property
    def notes(self) -> tuple[str, ...]:
        """Findings about the file so far, in sentences for the user."""
        return tuple(dict.fromkeys([*self.file.notes, *self.reader.notes]))


def open_whole(path: str | Path, declared: Declared) -> OpenedTable:
    """Open a file and check what is declared of its columns.

    Raises
    ------
    DataError
        Naming the file, and the column.
    """
    declared.check()
    file = open_table(path, declared.options, declared.missing)
    names = _names(file)
    known = set(names)
    parts = {part for date in declared.dates for part in date.names}
    for name in (*declared.named, *(declared.only or ())):
        if name not in known and name not in parts:
            raise unknown_column(name, names, file.source)
    ignored = set(declared.ignore)
    if declared.only is not None:
        ignored |= known - {*declared.only, *declared.named}
    ignored -= set(declared.keep)
    wanted = [name for name in names if name not in ignored]
    codes = set(file.codes) - set(declared.named)
    if codes:
        shown = some_of([name for name in names if name in codes])
        file.notes.append(
            f"{shown}: digits with leading zeros are codes and stay text; --number reads them as "
            "numbers."
        )
    dates = [date.name for date in declared.dates]
    texts = {*declared.categories, *declared.numbers, *declared.keep, *dates, *codes}
    reader = ColumnReader(file, declared, codes, guesses=True)
    return OpenedTable(file, declared, wanted, texts | set(file.styled), reader)


def column_names(path: str | Path, options: ReadOptions = AS_FOUND) -> list[str]:
    """Return the names of the columns, which must be distinct and not empty."""
    return _names(open_table(path, options))


def read_batches(
    path: str | Path,
    *,
    numbers: Collection[str],
    texts: Collection[str],
    declared: Declared | None = None,
) -> Iterator[Table]:
    """Stream the named columns of a file, batch by batch, in bounded memory.

    Parameters
    ----------
    path : str or Path
        What `read_table` takes.
    numbers, texts : collection of str
        The columns to read as numbers, and those to read as text.
    declared : Declared, optional
        Dates, columns to copy, styles of numbers, and how the file is to be read.

    Yields
    ------
    Table
        The next rows, with their row numbers in the file.
    """
    opened = open_batches(path, numbers=numbers, texts=texts, declared=declared)
    yield from map(opened.table, opened.batches())


def open_batches(
    path: str | Path,
    *,
    numbers: Collection[str],
    texts: Collection[str],
    declared: Declared | None = None,
) -> OpenedBatches:
    """Open a file whose named columns are read as a stream; see `read_batches`."""
    declared = declared or Declared()
    file = open_table(path, declared.options, declared.missing)
    names = _names(file)
    dates = [date.name for date in declared.dates]
    wanted = list(dict.fromkeys([*numbers, *texts, *dates, *declared.keep]))
    for name in wanted:
        if name not in names:
            raise unknown_column(name, names, file.source)
    odd = {name for name in numbers if name in file.styled or name in declared.styles}
    as_text = {*texts, *dates, *declared.keep, *odd}
    known = Declared(texts, numbers, declared.dates, (), (), declared.styles, declared.options)
    reader = ColumnReader(file, known, set(), guesses=False)
    inputs = {*numbers, *texts, *dates}
    converted = [name for name in wanted if name in inputs]
    return OpenedBatches(
        file, reader, wanted, converted, declared.keep, as_text, set(numbers) - as_text
    )


@dataclass(frozen=True, eq=False)
class OpenedBatches:
    """A file that is read as a stream: batches in order, each converted on its own.

    Parameters
    ----------
    file : TableFile
    reader : ColumnReader
    names : list of str
        The columns to read.
    converted, keep : collection of str
        Those to convert, and those to copy.
    texts, numbers : collection of str
        Those to read as strings, and those as numbers.
    """

    file: TableFile
    reader: ColumnReader
    names: list[str]
    converted: Sequence[str]
    keep: Collection[str]
    texts: Collection[str]
    numbers: Collection[str]

    def batches(self) -> Iterator[tuple[int, Any]]:
        """Yield the number of the first row of each batch, and its Arrow columns."""
        first = 1
        with self._explained():
            for batch in self.file.batches(self.names, self.texts, self.numbers):
                if batch.num_rows:
                    yield first, batch
                    first += batch.num_rows

    def table(self, numbered: tuple[int, Any]) -> Table:
        """Return a batch as a table; batches may be converted in several threads."""
        first, batch = numbered
        columns: dict[str, Column] = {}
        with self._explained():
            for name in self.converted:
                columns.update({c.name: c for c in self.reader.of(name, batch.column(name), first)})
            kept = {n: raw_cells(n, batch.column(n), self.file.source) for n in self.keep}
        return Table(self.file.source, columns, np.arange(first, first + batch.num_rows), kept)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise the error that names the place in the file."""
        try:
            yield
        except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
            raise self.file.explain(error, self.reader.styles_of_numbers) from None


def _names(file: TableFile) -> list[str]:
    """Return the names of the columns that have one; they must be distinct."""
    try:
        names = file.names()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        raise file.explain(error) from None
    if names and names[0] == "":
        file.notes.append("the first column has no name, as a row number or row name: left out.")
        names = names[1:]
    names = [name for place, name in enumerate(names) if place or name != _ROW_NAME]
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise DataError(
                f"{file.source}: column {place} has no name (often a row number that a spreadsheet "
                "or pandas wrote). Name it in the header, or write the file without it."
            )
    if len(set(names)) < len(names):
        name, _ = Counter(names).most_common(1)[0]
        raise DataError(
            f"{file.source}: two columns are named {name!r}. Give each column a name of its own."
        )
    if not names:
        raise DataError(f"{file.source}: no column has a name. Write a header.")
    return names


def _plain(file: TableFile) -> NumberStyle:
    return NumberStyle(decimal=file.decimal)


class ColumnReader:
    """Arrow columns as what they were declared, or else as what they look like."""

    def __init__(
        self, file: TableFile, declared: Declared, codes: set[str], *, guesses: bool
    ) -> None:
        self._file, self._declared, self._guesses = file, declared, guesses
        self._categories = {*declared.categories, *codes}
        self._numbers = set(declared.numbers)
        self._dates = {date.name: date for date in declared.dates}
        self.styles: dict[str, NumberStyle] = {}
        self.formats: dict[str, str] = {}
        self.notes: list[str] = []

    @property
    def styles_of_numbers(self) -> dict[str, NumberStyle]:
        """How the columns that must hold numbers are written."""
        plain = _plain(self._file)
        return {name: self._declared.styles.get(name, plain) for name in self._numbers}

    def of(self, name: str, data: Any, first: int) -> Iterator[Column]:  # noqa: ANN401
        """Yield the columns that one Arrow column becomes; `first` is its first row's number."""
        source, missing = self._file.source, self._declared.missing
        if name in self._dates:
            date = self._dates[name]
            moments, form = moments_of(date, data, source, missing, first)
            if form is not None:
                self.formats[name] = form
            yield from date.columns(moments)
        elif name in self._categories:
            column = text_column(name, data, source, missing)
            self._tell_of_missing_words(name, data, column)
            yield column
        elif not is_text(data):
            column_found = natural_column(name, data, source, missing)
            if name in self._numbers and isinstance(column_found, TextColumn):
                self._refuse_text(column_found, first, None)
            yield column_found
        else:
            yield self._of_text(text_column(name, data, source, missing), first)

    def _of_text(self, text: TextColumn, first: int) -> Column:
        """Return strings as numbers where they are declared so or all spell numbers."""
        name, missing = text.name, self._declared.missing
        style = self._declared.styles.get(name)
        if style is None and (self._guesses or name in self._numbers):
            occurring = (w for w, n in zip(text.words, text.counts(), strict=True) if n)
            found = find_style(occurring, decimal=self._file.decimal)
            if found is not None:
                style = found.style
                self.styles[name] = style
                if not style.is_plain and self._guesses:
                    example = next(w for w, n in zip(text.words, text.counts(), strict=True) if n)
                    other = (
                        f" ({example!r} could also be {found.other.number(example):g}: --decimal "
                        f"{found.other.decimal})"
                        if found.other is not None and found.other.number(example) is not None
                        else ""
                    )
                    self.notes.append(
                        f"column {name!r} is read as numbers: {style}; {example!r} is "
                        f"{style.number(example):g}{other}. --category keeps the text."
                    )
        if name not in self._numbers and style is None:
            if self._guesses:
                refuse_changing_type(text, self._file.source)
                refuse_mixed_styles(text, self._file.source)
            return text
        if style is None:
            style = _plain(self._file)
        column = styled_column(text, style, missing)
        if (column.missing & ~text.missing).any():
            self._refuse_text(text, first, style)
        return column

    def _refuse_text(self, text: TextColumn, first: int, style: NumberStyle | None) -> None:
        """Raise for the first string that spells no number."""
        known = style or NumberStyle()
        wrong = np.array([known.number(w) is None for w in text.words], dtype=np.bool_)
        rows = np.flatnonzero(np.append(wrong, False)[text.codes])
        if len(rows):
            row = int(rows[0])
            word = text.words[text.codes[row]]
            raise not_a_number(self._file.source, text.name, first + row, word, style)

    def _tell_of_missing_words(self, name: str, data: Any, column: TextColumn) -> None:  # noqa: ANN401
        """Note where words such as NA, in a column that is text, were taken for no value."""
        if not self._guesses or not is_text(data) or not column.missing.any():
            return
        raw = raw_cells(name, data, self._file.source)
        words = [w for w in raw.words if w in self._declared.missing and w]
        if words:
            self.notes.append(
                f"column {name!r}: {some_of(words, 3)} means a missing value. If it is a value, "
                "name the words that mean missing: --na '' for the empty cell alone."
            )
