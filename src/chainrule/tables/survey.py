"""Reading of each column of a file, with reasons: the findings behind ``chainrule columns``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from chainrule.errors import DataError
from chainrule.tables.arrow_columns import (
    ArrowColumn,
    is_temporal,
    is_text,
    text_column,
    without_date,
)
from chainrule.tables.cells import NumberStyle
from chainrule.tables.dates import date_format
from chainrule.tables.encoding_fit import looks_like_identifier
from chainrule.tables.reading import Declared, OpenedTable, open_whole
from chainrule.tables.remarks import category_remarks, number_remarks
from chainrule.tables.table import Column, NumberColumn, TextColumn, number_word

_EXAMPLES: Final = 3
_LEVELS_COUNTED: Final = 100_000


@dataclass(frozen=True)
class ColumnFinding:
    """The finding on one column.

    Parameters
    ----------
    name : str
    role : {"number", "category", "date", "ignore"}
        What it is read as, or should be.
    why : str
        The reason.
    levels : int
        The number of distinct values.
    missing : int
        The number of rows without a value.
    examples : tuple of str
        The first distinct values.
    warnings : tuple of str
        What may be wrong.
    """

    name: str
    role: str
    why: str
    levels: int
    missing: int
    examples: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """The findings on a file.

    Parameters
    ----------
    source : str
    n_rows : int
    columns : tuple of ColumnFinding
    notes : tuple of str
        What was found out about the file as a whole.
    """

    source: str
    n_rows: int
    columns: tuple[ColumnFinding, ...]
    notes: tuple[str, ...]


def survey_file(path: str | Path, declared: Declared) -> Survey:
    """Read a file and return what each column is taken for, and why."""
    opened = open_whole(path, declared)
    findings = tuple(_findings(opened))
    return Survey(opened.file.source, opened.arrow.num_rows, findings, tuple(opened.file.notes))


def _findings(opened: OpenedTable) -> Iterator[ColumnFinding]:
    for name in opened.names:
        data = opened.arrow.column(name)
        raw = _raw(opened, name, data)
        if raw is None:
            why = f"it holds {data.type}, which chainrule does not fit"
            yield ColumnFinding(name, "ignore", why, 0, int(data.null_count), ())
            continue
        counts = raw.counts()
        words = [w for w, n in zip(raw.words, counts, strict=True) if n]
        levels, missing = len(words), int(raw.missing.sum())
        examples = tuple(words[:_EXAMPLES])
        role, why, warnings = _role(opened, name, data, raw)
        yield ColumnFinding(name, role, why, levels, missing, examples, tuple(warnings))


def _raw(opened: OpenedTable, name: str, data: ArrowColumn) -> TextColumn | None:
    try:
        return text_column(name, data, opened.file.source, opened.declared.missing)
    except DataError:
        return None


def _role(
    opened: OpenedTable,
    name: str,
    data: ArrowColumn,
    raw: TextColumn,
) -> tuple[str, str, list[str]]:
    if raw.missing.all():
        return "ignore", "no row has a value", []
    if without_date(name, data) is not None:
        return "ignore", str(without_date(name, data)), []
    if is_temporal(data):
        return "date", "it holds dates or times", []
    try:
        (column,) = opened.reader.of(name, data, 1)
    except DataError as error:
        return "category", "most cells are numbers, but not all", [str(error)]
    if isinstance(column, NumberColumn):
        return _number(column, opened.reader.styles.get(name))
    return _text(opened, name, data, column)


def _number(column: NumberColumn, style: NumberStyle | None) -> tuple[str, str, list[str]]:
    values = column.values[~column.missing]
    why = f"all cells are numbers, {number_word(values.min())} to {number_word(values.max())}"
    if style is not None and not style.is_plain:
        why += f" ({style})"
    if (values == values[0]).all():
        return "ignore", f"every row is {number_word(values[0])}", []
    warnings = number_remarks(column)
    if len(values) > 2 and (np.diff(values) == 1).all() and not column.missing.any():
        warnings.append(f"column {column.name!r} counts up row by row, like a row number.")
    return "number", why, warnings


def _text(
    opened: OpenedTable,
    name: str,
    data: ArrowColumn,
    column: Column,
) -> tuple[str, str, list[str]]:
    text = column.as_text()
    counts = text.counts()
    words = [w for w, n in zip(text.words, counts, strict=True) if n]
    if name in opened.file.codes:
        return "category", "its digits have leading zeros, as codes have", category_remarks(text)
    if is_text(data) and date_format(words) is not None:
        return "date", f"its cells are dates of the form {date_format(words)}", []
    if len(words) == 1:
        return "ignore", f"every row is {words[0]!r}", []
    if looks_like_identifier(len(words), len(text)):
        why = f"its {len(words)} strings hardly repeat, as names or identifiers"
        return "ignore", why, category_remarks(text)
    typed = "" if is_text(data) else f" ({data.type})"
    return "category", f"its cells are text{typed}", category_remarks(text)
