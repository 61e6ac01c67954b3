"""Predictions as a stream of batches, in memory that does not grow with the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.storage import atomic_path
from chainrule.tables.cells import is_number
from chainrule.tables.extrapolation import Extrapolation
from chainrule.tables.files.arrow_files import ParquetRows, arrow_rows
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.files.table_file import ArrowTable
from chainrule.tables.in_order import in_order
from chainrule.tables.model import TableModel
from chainrule.tables.model_file import load
from chainrule.tables.records import ModelRecord
from chainrule.tables.regression import TableRegression
from chainrule.tables.table import Table, TextColumn, unknown_column

if TYPE_CHECKING:
    from chainrule.tables.reading import OpenedBatches

OutputColumn = TextColumn | NDArray[np.float64]
Written = TypeVar("Written")

_MOST_THREADS: Final = 8
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


@dataclass(frozen=True)
class PredictionCounts:
    """The numbers of predicted rows.

    Parameters
    ----------
    rows, blank : int
        All rows, and those of them whose prediction was left empty.
    is_first : bool
        Whether the rows are those of the first batch.
    note : str
        A sentence on the rows outside the range of the fit; empty where there are none.
    """

    rows: int = 0
    blank: int = 0
    is_first: bool = False
    note: str = ""


Model = TableModel | TableRegression


def load_model(path: str | Path) -> Model:
    """Read a model file of either kind, and check it; see `chainrule.tables.model_file`."""
    record = load(path)
    if isinstance(record, ModelRecord):
        return TableModel(**vars(record))
    return TableRegression(**vars(record))


def header(model: Model, keep: Sequence[str] = ()) -> list[str]:
    """Return the names of the output columns."""
    classes = model.classes if isinstance(model, TableModel) else ()
    names = [
        *keep,
        f"predicted_{model.target}",
        *(f"probability_{label}" for label in classes),
    ]
    for name in keep:
        if names.count(name) > 1:
            raise DataError(f"column {name!r} would be in the output twice. Keep it once, or not.")
    return names


def open_rows_of(
    model: Model, path: str | Path, keep: Sequence[str] = (), options: ReadOptions | None = None
) -> OpenedBatches:
    """Open a file with the columns of a model, to be read in batches."""
    from chainrule.tables.reading import Declared, column_names, open_batches

    reading = model.reading
    options = options or ReadOptions()
    if options.na is None:
        options = replace(options, na=reading.na)
    names = column_names(path, options)
    model.check_columns(names, str(path))
    for name in keep:
        if name not in names:
            raise unknown_column(name, names, str(path))
    declared = Declared(
        dates=reading.dates, keep=tuple(keep), styles=reading.styles, options=options
    )
    return open_batches(
        path, numbers=model.number_columns, texts=model.text_columns, declared=declared
    )


def write_predictions(
    model: Model,
    path: str | Path,
    file: TextIO,
    keep: Sequence[str] = (),
    *,
    blank: bool = False,
    raw: bool = False,
    options: ReadOptions | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> PredictionCounts:
    """Write CSV: the kept columns, then label and probabilities, or the mean of a regression.

    Parameters
    ----------
    model : TableModel or TableRegression
        The fitted model.
    path : str or Path
        The rows.
    file : TextIO
        The output file.
    keep : sequence of str
        Columns of the rows to copy first.
    blank : bool
        Leave the prediction empty where a value is missing or a category is new, instead of
        raising.
    raw : bool
        Write strings as they are, also those that a spreadsheet would run.
    options : ReadOptions, optional
        How the file is to be read; by default as the model's own file was.
    say : callable
        Told how far it is.

    Returns
    -------
    PredictionCounts
        The counts.
    """
    from chainrule.tables.csv_lines import csv_lines, csv_row  # other files do not wait for it

    names = header(model, keep)
    shown = (lambda word: word) if raw else spreadsheet_cell
    counts = PredictionCounts()
    lines = partial(csv_lines, shown=shown)
    for text, counts in _batches(model, path, keep, lines, blank, options, say):
        if counts.is_first:
            # Not before the first batch is sound: a refused file leaves no header behind.
            file.write(csv_row([shown(name) for name in names]))
        file.write(text)
    return counts


def write_parquet(
    model: Model,
    path: str | Path,
    out: str | Path,
    keep: Sequence[str] = (),
    *,
    blank: bool = False,
    options: ReadOptions | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> PredictionCounts:
    """Write predictions as Parquet, in memory that does not grow with the file.

    The columns are those of `write_predictions`; strings are written as they are, and a blank
    prediction is null.
    """
    names, counts = header(model, keep), PredictionCounts()

    def as_arrow(columns: list[OutputColumn]) -> ArrowTable:
        cells = [(c.codes, c.words) if isinstance(c, TextColumn) else c for c in columns]
        return arrow_rows(names, cells)

    with atomic_path(out) as scratch, closing(ParquetRows(scratch)) as file:

        def write(batch: tuple[ArrowTable, PredictionCounts]) -> PredictionCounts:
            file.write(batch[0])
            return batch[1]

        batches = _batches(model, path, keep, as_arrow, blank, options, say)
        for so_far in in_order(write, batches, 1):  # the next rows are read meanwhile
            counts = so_far
    return counts


def write_workbook(
    model: Model,
    path: str | Path,
    out: str | Path,
    keep: Sequence[str] = (),
    *,
    blank: bool = False,
    options: ReadOptions | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> PredictionCounts:
    """Write predictions as a sheet of an .xlsx workbook.

    The columns are those of `write_predictions`. A string is text, whatever it begins with, and a
    blank prediction is an empty cell.

    Raises
    ------
    DataError
        When openpyxl is not installed, or a sheet cannot hold the rows.
    """
    from chainrule.tables.files import workbook

    counts = PredictionCounts()

    def as_rows(columns: list[OutputColumn]) -> list[tuple[str | float | None, ...]]:
        return list(zip(*map(_cells, columns), strict=True))

    def predicted() -> Iterator[tuple[str | float | None, ...]]:
        nonlocal counts
        for rows, so_far in _batches(model, path, keep, as_rows, blank, options, say):
            counts = so_far
            yield from rows

    with atomic_path(out) as scratch:
        workbook.write_workbook(scratch, str(out), header(model, keep), predicted())
    return counts


def _cells(column: OutputColumn) -> list[str | float | None]:
    if isinstance(column, TextColumn):
        words = [*column.words, None]  # a missing word, with code -1, picks the last
        return [words[code] for code in column.codes.tolist()]
    return [None if number != number else number for number in column.tolist()]


def _batches(
    model: Model,
    path: str | Path,
    keep: Sequence[str],
    written: Callable[[list[OutputColumn]], Written],
    blank: bool,
    options: ReadOptions | None,
    say: Callable[[str], None],
) -> Iterator[tuple[Written, PredictionCounts]]:
    """Yield each batch as it is written, and the counts so far; threads compute the batches."""
    opened = open_rows_of(model, path, keep, options)

    def predicted(numbered: tuple[int, Any]) -> tuple[Written, Table, int]:
        table = opened.table(numbered)
        numbers = (
            model.predict_proba(table, blank=blank)
            if isinstance(model, TableModel)
            else model.predict(table, blank=blank)[:, None]
        )
        empty = np.isnan(numbers[:, 0])
        columns: list[OutputColumn] = [table.kept[name] for name in keep]
        if isinstance(model, TableModel):
            columns.append(_labels(model, numbers, empty))
        return written([*columns, *numbers.T]), table, int(empty.sum())

    rows = n_blank = 0
    outside = Extrapolation(model)
    n_threads = min(os.cpu_count() or 1, _MOST_THREADS)
    for made, table, n_empty in in_order(predicted, opened.batches(), n_threads):
        n_blank += n_empty
        outside.add(table)
        counts = PredictionCounts(rows + table.n_rows, n_blank, rows == 0, outside.note)
        yield made, counts
        rows += table.n_rows
        say(f"{rows} rows predicted")
    if rows == 0:
        raise DataError(f"{path}: the file has column names and no rows: nothing to predict.")


def spreadsheet_cell(word: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe before it.

    Numbers stay as they are.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell("-3"), spreadsheet_cell("a=b")
    ("'=1+1", '-3', 'a=b')
    """
    if word[:1] in _FORMULA_STARTS and not is_number(word):
        return f"'{word}"
    return word


def _labels(model: TableModel, proba: NDArray[np.float64], empty: NDArray[np.bool_]) -> TextColumn:
    best = model.label_codes(proba)
    if empty.any():
        best = np.where(empty, -1, best)
    return TextColumn(model.target, best, model.classes)
