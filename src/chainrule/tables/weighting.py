"""Weights and trials: how often each row counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.table import NumberColumn, Table, TextColumn, refuse_infinite

Floats = NDArray[np.float64]

_LARGEST = 1e15
_SMALLEST = 1e-15


def weights_of(table: Table, name: str | None) -> Floats | None:
    """Return the weight of each row; None where no column holds them.

    Raises
    ------
    DataError
        Naming the column and the row of a weight that cannot be used.
    """
    if name is None:
        return None
    column = _whole_numbers(table, name, "weight")
    total, largest = float(column.values.sum()), float(column.values.max())
    if total == 0:
        raise DataError(f"{table.source}: the weights {name!r} are zero in every row.")
    positive = column.values[column.values > 0]
    if largest > _LARGEST or largest < _SMALLEST or float(positive.min()) < largest * 1e-300:
        row = table.row_numbers[int(np.argmax(column.values))]
        raise DataError(
            f"{table.source}: the weights {name!r} are out of the range in which a fit can be "
            f"proven ({_SMALLEST:g} to {_LARGEST:g}): row {row} has {largest:g}. Divide them by "
            "their mean."
        )
    return column.values


def frequencies(weights: Floats) -> Floats:
    """Return weights as numbers of repetitions, for errors and intervals.

    Whole weights are repetitions. Other weights are scaled so that their sum is Kish's effective
    number of rows, for only their ratios count.

    >>> frequencies(np.array([1.0, 3.0])).sum(), frequencies(np.array([0.1, 0.3])).sum().round(3)
    (np.float64(4.0), np.float64(1.6))
    """
    if not (weights % 1).any():
        return weights
    relative = weights / weights.max()
    return np.asarray(relative * (relative.sum() / (relative**2).sum()))


def trials_of(table: Table, target: str, trials: str) -> tuple[Floats, Floats]:
    """Return successes and trials of each row.

    Raises
    ------
    DataError
        Naming the column and the row of a count that cannot be one.
    """
    successes = _whole_numbers(table, target, "target").values
    count = _whole_numbers(table, trials, "number of trials").values
    for name, values in ((target, successes), (trials, count)):
        part = np.flatnonzero(values % 1 != 0)
        if len(part):
            raise DataError(
                f"{table.source}: column {name!r}, row {table.row_numbers[part[0]]}: "
                f"{values[part[0]]:g} is not a whole number, and --trials counts. For shares, "
                "multiply by the trials; for weights use --weights."
            )
    over = np.flatnonzero(successes > count)
    if len(over):
        row = int(over[0])
        raise DataError(
            f"{table.source}: row {table.row_numbers[row]} has {successes[row]:g} successes in "
            f"{target!r} out of {count[row]:g} trials in {trials!r}. Correct the row."
        )
    if not 0 < successes.sum() < count.sum():
        what = "successes" if successes.sum() == 0 else "failures"
        raise DataError(f"{table.source}: no row has {what}. A fit needs both.")
    return successes, count


def _whole_numbers(table: Table, name: str, role: str) -> NumberColumn:
    """Return a column of finite numbers from 0, none missing."""
    column = table.column(name)
    if isinstance(column, TextColumn):
        raise DataError(f"{table.source}: the {role} {name!r} holds text, not numbers.")
    refuse_infinite(table, column)
    bad = np.flatnonzero(column.missing | (column.values < 0))
    if len(bad):
        row = int(bad[0])
        value = "missing" if column.missing[row] else f"{column.values[row]:g}, below 0"
        raise DataError(
            f"{table.source}: the {role} {name!r}, row {table.row_numbers[row]}: the value is "
            f"{value}. Correct the cell, or leave the row out."
        )
    return column
