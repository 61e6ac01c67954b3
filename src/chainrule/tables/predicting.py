"""Predictions as a stream of batches, in memory that does not grow with the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.storage import atomic_path
from chainrule.tables.cells import is_number
from chainrule.tables.csv_lines import csv_lines, csv_row
from chainrule.tables.extrapolation import Extrapolation
from chainrule.tables.files.arrow_files import ParquetRows
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.model import TableModel
from chainrule.tables.model_file import load
from chainrule.tables.records import ModelRecord
from chainrule.tables.regression import TableRegression
from chainrule.tables.table import Table, TextColumn, unknown_column

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


def stream(
    model: Model,
    path: str | Path,
    keep: Sequence[str] = (),
    *,
    blank: bool = False,
    options: ReadOptions | None = None,
) -> Iterator[tuple[Table, NDArray[np.float64]]]:
    """Read a file in batches; yield each with its probabilities or means, NaN in blank rows."""
    from chainrule.tables.reading import Declared, column_names, read_batches

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
    batches = read_batches(
        path, numbers=model.number_columns, texts=model.text_columns, declared=declared
    )
    for table in batches:
        if isinstance(model, TableModel):
            yield table, model.predict_proba(table, blank=blank)
        else:
            yield table, model.predict(table, blank=blank)[:, None]


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
    names = header(model, keep)
    shown = (lambda word: word) if raw else spreadsheet_cell
    counts = PredictionCounts()
    for columns, counts in _batches(model, path, keep, blank, options, say):
        if counts.is_first:
            # Not before the first batch is sound: a refused file leaves no header behind.
            file.write(csv_row([shown(name) for name in names]))
        file.write(csv_lines(columns, shown))
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
    with atomic_path(out) as scratch, closing(ParquetRows(scratch)) as file:
        for columns, so_far in _batches(model, path, keep, blank, options, say):
            counts = so_far
            cells = [(c.codes, c.words) if isinstance(c, TextColumn) else c for c in columns]
            file.write(names, cells)
    return counts


def _batches(
    model: Model,
    path: str | Path,
    keep: Sequence[str],
    blank: bool,
    options: ReadOptions | None,
    say: Callable[[str], None],
) -> Iterator[tuple[list[TextColumn | NDArray[np.float64]], PredictionCounts]]:
    """Yield the output columns of each batch, and the counts so far."""
    rows = n_blank = 0
    outside = Extrapolation(model)
    for table, numbers in stream(model, path, keep, blank=blank, options=options):
        empty = np.isnan(numbers[:, 0])
        columns: list[TextColumn | NDArray[np.float64]] = [table.kept[name] for name in keep]
        if isinstance(model, TableModel):
            columns.append(_labels(model, numbers, empty))
        n_blank += int(empty.sum())
        outside.add(table)
        counts = PredictionCounts(rows + table.n_rows, n_blank, rows == 0, outside.note)
        yield [*columns, *numbers.T], counts
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
    best = model.label_codes(np.where(empty[:, None], 0.0, proba))
    return TextColumn(model.target, np.where(empty, -1, best), model.classes)
