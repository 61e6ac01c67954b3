"""The target: from a column to labels in order, or to the numbers that a loss takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.cells import is_number
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.metrics import Codes
from chainrule.tables.options import FitOptions
from chainrule.tables.remarks import folded
from chainrule.tables.table import Table, TextColumn, refuse_infinite, some_of

_MOST_CLASSES = 50
"""As many are counted in 8 bits."""


@dataclass(frozen=True, eq=False)
class Targets:
    """The classes of rows, and how often each counts.

    Parameters
    ----------
    classes : tuple of str
    codes : ndarray of int
        The class of each row, as its place in `classes`; of trials, the more frequent outcome.
    weights : ndarray or None
        How often each row counts; the number of trials.
    shares : ndarray or None
        The share of successes in the trials of each row.
    rows : ndarray of int
        After `take`: which row each entry belongs to; a row of trials has two entries.
    """

    classes: tuple[str, ...]
    codes: Codes
    weights: NDArray[np.float64] | None = None
    shares: NDArray[np.float64] | None = None
    rows: NDArray[np.intp] = field(default_factory=lambda: np.arange(0))

    def take(self, rows: NDArray[np.intp], codes: Codes) -> Targets:
        """Return outcomes and weights at some rows, counted by `codes`."""
        weights = None if self.weights is None else self.weights[rows]
        if self.shares is None or weights is None:
            return replace(self, codes=codes[rows], weights=weights, rows=np.arange(len(rows)))
        successes = np.rint(weights * self.shares[rows])
        return replace(
            self,
            codes=np.repeat([0, 1], len(rows)),
            weights=np.concatenate([weights - successes, successes]),
            rows=np.tile(np.arange(len(rows)), 2),
        )


def refuse_lost_classes(
    classes: tuple[str, ...], training: Codes, choices: FitOptions, source: str
) -> None:
    """Raise if a split by group or by time leaves a class without training rows."""
    present = np.bincount(training, minlength=len(classes)) > 0
    if present.all() or choices.trials is not None:
        return
    lost = classes[int(np.flatnonzero(~present)[0])]
    option = "--group" if choices.group is not None else "--time"
    raise DataError(
        f"{source}: the target {choices.target!r} is {lost!r} in held-out rows alone, as {option} "
        "splits them. Hold out less, or omit the option."
    )


def labels_of(
    table: Table, target: str, *, fold: bool = False, declared: bool = False
) -> tuple[tuple[str, ...], Codes]:
    """Return the class labels in order, and each row's index into them.

    Parameters
    ----------
    table : Table
    target : str
    fold : bool
        Take labels that differ only by case or blanks as one, spelled as most rows do.
    declared : bool
        Whether the user said that the target holds categories, whatever they look like.
    """
    column = table.column(target).as_text()
    if fold:
        column = _folded(column)
    labels = _in_order(column)
    where = f"{table.source}: the target {column.name!r}"
    if len(labels) < 2:
        raise DataError(
            f"{where} is {labels[0]!r} in every row. A classifier needs rows of at least two "
            "classes."
        )
    if len(labels) > _MOST_CLASSES:
        kind = "numbers" if all(map(is_number, labels)) else "strings"
        raise DataError(
            f"{where} has {len(labels)} distinct {kind}. Logistic regression predicts at most "
            f"{_MOST_CLASSES} classes: choose another target or bin its values into "
            "classes; for a target of numbers, name a loss, such as --loss squared."
        )
    if len(labels) > 2 and not declared:
        _refuse_measurements(labels, where, column.name)
    position = {label: place for place, label in enumerate(labels)}
    lookup = np.array([position.get(word, -1) for word in column.words], dtype=np.int8)
    return tuple(labels), lookup[column.codes]


def _refuse_measurements(labels: list[str], where: str, name: str) -> None:
    """Raise for labels that are numbers with fractions, as the estimators do."""
    if not all(map(is_number, labels)):
        return
    fraction = next((label for label in labels if float(label) % 1 != 0), None)
    if fraction is not None:
        raise DataError(
            f"{where} has {len(labels)} distinct numbers, such as {fraction}, which look measured. "
            "To predict numbers, name a loss, such as --loss squared; for successes among trials, "
            f"give both counts (--trials); if these are classes, say so: --category {name}."
        )


def _folded(column: TextColumn) -> TextColumn:
    counts = column.counts()
    best: dict[str, int] = {}
    for place, word in enumerate(column.words):
        key = folded(word)
        if key not in best or counts[place] > counts[best[key]]:
            best[key] = place
    lookup = np.array([*(best[folded(word)] for word in column.words), -1], dtype=np.int64)
    return TextColumn(column.name, lookup[column.codes], column.words, column.from_numbers)


def _in_order(column: TextColumn) -> list[str]:
    counts = column.counts()
    labels = [word for word, count in zip(column.words, counts, strict=True) if count]
    if all(map(is_number, labels)):
        return sorted(labels, key=lambda label: (float(label), label))
    return sorted(labels)


def positive_last(
    classes: tuple[str, ...], actual: Codes, positive: str, where: str
) -> tuple[tuple[str, ...], Codes]:
    """Return the classes with the positive one last, and the codes in that order."""
    if len(classes) > 2:
        raise DataError(
            f"{where} has {len(classes)} classes ({some_of(list(classes))}). --positive applies "
            "to two-class targets only; omit it here."
        )
    if positive not in classes:
        raise DataError(
            f"{where} has no label {positive!r}. --positive takes one of {some_of(list(classes))}."
        )
    if positive == classes[1]:
        return classes, actual
    return (classes[1], classes[0]), 1 - actual


def numbers_of(
    table: Table, target: str, loss: ChosenLoss, *, several: bool = True
) -> NDArray[np.float64]:
    """Return the target as numbers, or raise a `DataError` for the first that the loss refuses.

    Parameters
    ----------
    table : Table
    target : str
    loss : ChosenLoss
    several : bool
        Raise, too, where all targets are equal.
    """
    column = table.column(target)
    takes = f"the loss {loss.title} takes {loss.row.targets}"
    if isinstance(column, TextColumn):
        places = np.flatnonzero([not is_number(word) for word in column.words])
        if not np.isin(column.codes, places).any():
            raise DataError(
                f"{table.source}: the target {column.name!r} holds digits with leading zeros, "
                f"which are codes and stay text, and {takes}. If they are numbers, say so: "
                f"--number {column.name}."
            )
        row = int(np.flatnonzero(np.isin(column.codes, places))[0])
        word = column.words[column.codes[row]]
        raise DataError(
            f"{table.source}: the target {column.name!r}, row {table.row_numbers[row]}: {word!r} "
            f"is not a number, and {takes}. Choose a column of numbers, or omit --loss to predict "
            "labels."
        )
    refuse_infinite(table, column)
    refused = np.flatnonzero(~loss.row.targets.holds(column.values))
    if len(refused):
        row = int(refused[0])
        more = f" ({len(refused)} such rows)" if len(refused) > 1 else ""
        raise DataError(
            f"{table.source}: the target {column.name!r}, row {table.row_numbers[row]}: "
            f"{column.values[row]:g} is out of range{more}: {takes}. Correct the cell, leave the "
            "row out, or choose a loss that takes it, such as squared."
        )
    if several and (column.values == column.values[0]).all():
        raise DataError(
            f"{table.source}: the target {column.name!r} is {column.values[0]:g} in every row. A "
            "regression needs at least two different values."
        )
    return column.values


def refuse_choices_of_classes(positive: str | None, loss: str) -> None:
    """Raise a `DataError` where a positive label is named for a target of numbers."""
    if positive is not None:
        raise DataError(
            f"--positive names one of two labels, and the loss {loss} takes numbers. Omit it."
        )
