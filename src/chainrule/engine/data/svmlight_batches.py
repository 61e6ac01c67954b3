"""Rows of text files in the svmlight format, some at a time, as dense columns.

A line is a label and pairs of a column's number and a value; what follows # is a comment, and
``qid:...`` is left out. Columns are counted from 1, or from 0 where column 0 occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.errors import DataError

WIDEST: Final[int] = 5_000
"""Columns that are written as dense rows."""

_BATCH_NUMBERS: Final[int] = 1 << 20

Row = tuple[float, list[tuple[int, float]]]


def svmlight_batches(files: Sequence[Path], target: str) -> Iterator[dict[str, FloatArray]]:
    """Yield the rows of files as columns named by their numbers; the files are read twice.

    Raises
    ------
    DataError
        Naming the file and the line that cannot be read, or when there are too many columns.
    """
    first, last = _columns(files)
    width = last - first + 1
    if width > WIDEST:
        raise DataError(
            f"{files[0]}: {width} columns, and a stream writes at most {WIDEST} of svmlight as "
            "dense rows. Fit in memory: sklearn.datasets.load_svmlight_file, then fit"
        )
    names = [str(number) for number in range(first, last + 1)]
    step = max(1, _BATCH_NUMBERS // width)
    for path in files:
        rows = _rows(path)
        while True:
            X, y = np.zeros((step, width)), np.empty(step)
            n_rows = 0
            for label, pairs in rows:
                y[n_rows] = label
                for number, value in pairs:
                    X[n_rows, number - first] = value
                n_rows += 1
                if n_rows == step:
                    break
            if not n_rows:
                break
            columns = np.ascontiguousarray(X[:n_rows].T)
            yield dict(zip(names, columns, strict=True)) | {target: y[:n_rows]}


def _columns(files: Sequence[Path]) -> tuple[int, int]:
    """Return the numbers of the first and the last column."""
    least, most = 1, 0
    for path in files:
        for _, pairs in _rows(path):
            if pairs:
                least, most = min(least, pairs[0][0]), max(most, pairs[-1][0])
    if most < least:
        raise DataError(f"{files[0]}: no row has a value, so there is no column to learn from")
    return least, most


def _rows(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from _parsed(path, file)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def _parsed(path: Path, file: TextIO) -> Iterator[Row]:
    for place, line in enumerate(file, start=1):
        cells = line.partition("#")[0].split()
        if not cells:
            continue
        try:
            yield float(cells[0]), _pairs(cells[1:])
        except ValueError:
            raise DataError(
                f"{path}: line {place} is not a label and pairs number:value in increasing order"
            ) from None


def _pairs(cells: Sequence[str]) -> list[tuple[int, float]]:
    """Return column numbers and values; ValueError where there is something else."""
    found = []
    before = -1
    for cell in cells:
        number, colon, value = cell.partition(":")
        if number == "qid":
            continue
        if not colon or int(number) <= before:
            raise ValueError(cell)
        before = int(number)
        found.append((before, float(value)))
    return found
