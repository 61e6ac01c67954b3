"""Predictions of a trained forward pass for the rows of a new table, as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from chainrule.calculus.graph.dims import measured
from chainrule.calculus.graph.node import Symbol, symbols
from chainrule.descent.columns import InputColumns, Reading
from chainrule.descent.facts import check_facts
from chainrule.descent.initial import given_values
from chainrule.descent.meaning import Meaning
from chainrule.descent.prediction import (
    Prediction,
    Predictor,
    Score,
    chosen,
    find_prediction,
    score_of,
)
from chainrule.descent.reading_file import read_binding, read_inputs
from chainrule.descent.saving import load_values
from chainrule.descent.value_documents import SCHEMA, load_document
from chainrule.errors import ChainruleError, DataError, ModelError
from chainrule.lecture import Array, find_input
from chainrule.tables.csv_lines import csv_row
from chainrule.tables.files.options import AS_FOUND, ReadOptions
from chainrule.tables.predicting import spreadsheet_cell
from chainrule.tables.reading import Declared, column_names, read_table
from chainrule.tables.table import Table, unknown_column


def predict_trained(
    path: str | Path,
    data: str | Path,
    file: TextIO,
    keep: Sequence[str] = (),
    *,
    options: ReadOptions = AS_FOUND,
    raw: bool = False,
) -> tuple[int, Score | None]:
    """Write predictions for the rows of a table.

    Parameters
    ----------
    path : str or Path
        Values that ``chainrule train --out`` wrote.
    data : str or Path
        A table with the columns of the training table; labels may be missing.
    file : text file
        Where to write.
    keep : sequence of str
        Columns to copy.
    options : ReadOptions
        How the table is to be read.
    raw : bool
        Write strings as they are, also those that a spreadsheet would run.

    Returns
    -------
    tuple of int and Score or None
        The number of rows; and the score, where the table holds the labels.

    Raises
    ------
    DataError
        Naming the file, the column or the row, and the next action.
    """
    known = load_document(path)
    if known is None or known.get("schema") != SCHEMA or "reading" not in known:
        raise DataError(
            f"{path}: it holds values, but not how the table was read. Train again with this "
            "chainrule: chainrule train ... --out VALUES.json"
        )
    inputs = read_inputs(known, str(path))
    names = column_names(data, options)
    wanted = {name for columns in inputs for name in columns.columns}
    texts = {s.name for c in inputs for s in c.specs if not hasattr(s, "mean")}
    for name in keep:
        if name not in names:
            raise unknown_column(name, names, str(data))
    if not any(set(columns.columns) <= set(names) for columns in inputs):
        missing = next(name for name in inputs[0].columns if name not in names)
        raise unknown_column(missing, names, str(data))
    declared = Declared(
        categories=texts & set(names),
        keep=keep,
        ignore=[n for n in names if n not in wanted],
        options=options,
    )
    table = read_table(data, declared)
    try:
        return _write(
            known, load_values(path), inputs, table, names, file, keep, str(path), raw=raw
        )
    except ModelError as error:
        raise DataError(f"{path}: its forward pass cannot be read: {error}") from error
    except ChainruleError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise DataError(
            f"{path}: the file is damaged. Write it again: chainrule train ... --out {path}"
        ) from None


def _write(
    known: dict[str, Any],
    learned: dict[str, Array],
    inputs: list[InputColumns],
    table: Table,
    names: list[str],
    file: TextIO,
    keep: Sequence[str],
    source: str,
    *,
    raw: bool,
) -> tuple[int, Score | None]:
    binding = read_binding(known, inputs, table)
    check_facts(binding, lambda row: f"{table.source}, row {table.row_numbers[row]}", trained=True)
    model = binding.roles.model
    prediction = find_prediction(binding.roles)
    if prediction is None:
        raise DataError(f"{source}: this forward pass compares its inputs and predicts nothing.")
    needed = _needed(prediction)
    for symbol in binding.roles.data:
        if symbol in needed and symbol not in binding.data:
            columns = next(c for c in inputs if find_input(model, c.name) is symbol)
            for name in columns.columns:
                if name not in names:
                    raise unknown_column(name, names, table.source)
    zeros = {s: np.zeros(binding.shape(s)) for s in binding.roles.learned}
    values = given_values(binding, learned, zeros)
    predictor = Predictor(prediction)
    statistics = {
        name: np.array(value, dtype=np.float64).reshape(_shape(name, known["sizes"]))
        for name, value in zip(predictor.names, known["statistics"], strict=True)
    }
    found = predictor.predict(binding, values, statistics)
    label = next((c for c in inputs if prediction.label is find_input(model, c.name)), None)
    header, rows = _cells(prediction, found, label)
    shown = str if raw else spreadsheet_cell
    file.write(csv_row([shown(cell) for cell in (*keep, *header)]))
    kept = [table.kept[name] for name in keep]
    for number, row in enumerate(rows):
        copied = ["" if c.codes[number] < 0 else c.words[c.codes[number]] for c in kept]
        file.write(csv_row([shown(cell) for cell in (*copied, *row)]))
    score = None
    if prediction.label is not None and prediction.label in binding.data:
        score = score_of(prediction, found, binding.data[prediction.label])
    return len(found), score


def _needed(prediction: Prediction) -> set[Symbol]:
    """Return the inputs that a prediction is computed from."""
    return set(symbols(prediction.roles.model.opened(prediction.value)))


def _shape(name: Symbol, sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(measured(dim, sizes) for dim in name.shape)


def _cells(
    prediction: Prediction, found: Array, label: InputColumns | None
) -> tuple[list[str], list[list[str]]]:
    """Return the header and the cells of the predictions."""
    name = prediction.name
    numbers = [[repr(float(x)) for x in row] for row in found]
    words = label.words if label is not None else ()
    if label is not None and label.reading is Reading.ONE_HOT and len(words) == found.shape[1]:
        best = [words[k] for k in found.argmax(axis=1)]
        header = ["label", *(f"{name} {word}" for word in words)]
        return header, [[w, *row] for w, row in zip(best, numbers, strict=True)]
    two = prediction.meaning in (Meaning.BINARY, Meaning.MARGIN) and found.shape[1] == 1
    if two:
        low, high = words if len(words) == 2 else _codes(prediction)
        best = [high if row[0] > prediction.threshold else low for row in found]
        return ["label", name], [[w, *row] for w, row in zip(best, numbers, strict=True)]
    if prediction.meaning is Meaning.PLACES and label is not None:
        places = chosen(prediction, found, len(label.columns))
        header = ["label"] if len(label.columns) == 1 else [f"label {c}" for c in label.columns]
        return header, [[words[k] if words else str(k) for k in row] for row in places]
    count = found.shape[1]
    if label is not None and label.reading in (Reading.FEATURES, Reading.NUMBERS) and count > 1:
        return _rebuilt_cells(name, found, label)
    return [name] if count == 1 else [f"{name}_{k + 1}" for k in range(count)], numbers


def _rebuilt_cells(
    name: str, found: Array, label: InputColumns
) -> tuple[list[str], list[list[str]]]:
    """Return several predicted columns under the names of the table, on the scale of the file."""
    features = label.features
    titles = [f.name for f in features] or list(label.columns)
    if len(titles) != found.shape[1]:
        titles = [str(k + 1) for k in range(found.shape[1])]
    elif features:
        found = found * [f.scale for f in features] + [f.mean for f in features]
    header = [f"{name} {title}" for title in titles]
    return header, [[repr(float(x)) for x in row] for row in found]


def _codes(prediction: Prediction) -> tuple[str, str]:
    return ("-1", "1") if prediction.meaning is Meaning.MARGIN else ("0", "1")
