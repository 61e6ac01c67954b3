"""Remarks on columns that a careful colleague would make before a fit: each names an option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from shlex import quote
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import distinct_values
from chainrule.tables.metrics import Codes
from chainrule.tables.options import FitOptions
from chainrule.tables.table import NumberColumn, Table, TextColumn, number_word, some_of

_FEW_ROWS: Final = 20
_LOOKED_AT: Final = 20_000
_HEAD: Final = 256
_MOST_CODES: Final = 10
_LARGEST_CODE: Final = 100
_SENTINELS: Final = (-9, -99, -999, -9999, -99999, 99, 999, 9999, 99999, 999999)
_RARE_ROWS: Final = 5
_MOST_PAIRED: Final = 200
_SAME: Final = 1 - 1e-9
_EXACT: Final = 2.0**53
_ROWS_PER_LEVEL: Final = 5
_MOST_NOTES: Final = 12

Floats = NDArray[np.float64]


def label_notes(target: str, classes: tuple[str, ...]) -> Iterator[str]:
    """Note labels that differ only by case or blanks."""
    for words in _alike(classes):
        yield (
            f"the labels {some_of(words)} of {target!r} differ only by case or blanks and are "
            f"{len(words)} classes here: --fold-labels makes them one."
        )


def column_notes(table: Table, choices: FitOptions) -> list[str]:
    """Note columns that are likely to mean something else than what they are read as."""
    if table.n_rows < _FEW_ROWS:
        return []
    declared = {*choices.numbers, *(n for d in choices.dates for n in d.names)}
    found: list[str] = []
    for name, column in table.columns.items():
        if name in declared or column.missing.all():
            continue
        if isinstance(column, NumberColumn):
            found += _number_notes(column)
        else:
            found += _category_notes(column, rare=choices.rare)
    found += _duplicates(table)
    if len(found) > _MOST_NOTES:
        more = len(found) - _MOST_NOTES
        found = [*found[:_MOST_NOTES], f"{more} more remarks: chainrule columns DATA lists all."]
    return found


def leak_notes(table: Table, actual: Codes, n_classes: int) -> list[str]:
    """Note columns that alone separate the classes: they may be known only after the target."""
    if table.n_rows < _FEW_ROWS:
        return []
    leaks = [
        name
        for name, column in table.columns.items()
        if not column.missing.any() and _separates(column, actual, n_classes)
    ]
    return [
        f"column {name!r} alone separates the classes: is it known only after the target? If so, "
        f"leave it out with --ignore {quote(name)}."
        for name in leaks[:_MOST_NOTES]
    ]


def number_remarks(column: NumberColumn) -> list[str]:
    """Return the remarks on one numeric column."""
    return list(_number_notes(column))


def category_remarks(column: TextColumn) -> list[str]:
    """Return the remarks on one column of categories."""
    return list(_category_notes(column, rare=0))


def _number_notes(column: NumberColumn) -> Iterator[str]:
    name = column.name
    values = column.stored
    if not column.is_whole:
        values = values[np.isfinite(values)]  # a missing one is NaN
    if len(values) < _FEW_ROWS:
        return
    some = values[:_LOOKED_AT].astype(np.float64)
    yield from _sentinel(name, some)
    if not column.is_whole and not ((some % 1 == 0).all() and (values % 1 == 0).all()):
        return
    if not column.is_whole and float(np.abs(values).max()) > _EXACT:
        yield (
            f"column {name!r} holds whole numbers beyond 2^53, of which neighbours are equal as "
            f"numbers. If it is an identifier, leave it out with --ignore {quote(name)}, or take "
            f"it as text with --category {quote(name)}."
        )
    distinct = distinct_values(some)
    if len(distinct) == len(some) and len(distinct_values(values)) == len(values):
        steps = np.diff(values.astype(np.float64))
        if not (steps == steps[0]).all():  # what counts up row by row has a note of its own
            yield (
                f"column {name!r} holds whole numbers that all differ, like an identifier: if it "
                f"is one, leave it out with --ignore {quote(name)}."
            )
    elif _look_like_codes(distinct):
        shown = ", ".join(number_word(value) for value in distinct[:6])
        yield (
            f"column {name!r} holds only the whole numbers {shown}{' ...' * (len(distinct) > 6)}: "
            f"if these are codes, take them as categories with --category {quote(name)}."
        )


def _look_like_codes(distinct: Floats) -> bool:
    """Whether a few whole numbers count from 0 or 1, or have gaps, as codes of answers do."""
    if not 2 < len(distinct) <= _MOST_CODES or distinct[0] < 0 or distinct[-1] > _LARGEST_CODE:
        return False
    return distinct[0] <= 1 or bool((np.diff(distinct) > 1).any())


def _sentinel(name: str, values: Floats) -> Iterator[str]:
    """Note a number such as -999 that lies far from all others."""
    for mark in (float(values.min()), float(values.max())):
        others = values[values != mark]
        if mark not in _SENTINELS or len(others) < _FEW_ROWS:
            continue
        low, high = float(others.min()), float(others.max())
        distance = min(abs(mark - low), abs(mark - high))
        if low <= mark <= high or distance <= max(high - low, 1.0):
            continue
        count = len(values) - len(others)
        yield (
            f"column {name!r} holds {mark:g} {count} times, far from its other values ({low:g} to "
            f"{high:g}): if it means missing, say --na {mark:g} --na NA."
        )


def _category_notes(column: TextColumn, rare: int) -> Iterator[str]:
    name = column.name
    counts = column.counts()
    words = [word for word, count in zip(column.words, counts, strict=True) if count]
    for alike in islice(_alike(words), 3):
        yield (
            f"column {name!r}: the categories {some_of(alike)} differ only by case or blanks and "
            "are separate here. If they are one, write them alike."
        )
    few = [w for w, n in zip(column.words, counts, strict=True) if 0 < n < _RARE_ROWS]
    if len(few) > 1 and not rare and len(few) < len(words):
        yield (
            f"column {name!r}: {len(few)} of {len(words)} categories have fewer than {_RARE_ROWS} "
            f"rows ({some_of(few, 3)}); --rare {_RARE_ROWS} makes them one."
        )


def _alike(words: Iterable[str]) -> Iterator[list[str]]:
    """Yield the strings that differ only by case or blanks."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(folded(word), []).append(word)
    yield from (group for group in groups.values() if len(group) > 1)


def folded(word: str) -> str:
    """Return a string without differences of case and blanks.

    >>> folded(" Not  sure ") == folded("not sure")
    True
    """
    return " ".join(word.split()).casefold()


def _duplicates(table: Table) -> Iterator[str]:
    """Note numeric columns that carry the same information as another."""
    first = (
        (column.name, column.take(slice(0, _LOOKED_AT)).values.copy())
        for column in table.columns.values()
        if isinstance(column, NumberColumn) and not column.missing.any()
    )
    usable = [
        (name, values) for name, values in islice(first, _MOST_PAIRED) if np.isfinite(values).all()
    ]
    if len(usable) < 2:
        return
    X = np.stack([values for _, values in usable], axis=1)
    largest = np.abs(X).max(axis=0)
    X = X / np.where(largest > 0, largest, 1.0)
    X = X - X.mean(axis=0)
    norms = np.sqrt((X**2).sum(axis=0))
    moving = norms > 1e-7
    X[:, moving] /= norms[moving]
    alike = np.triu(np.abs(X.T @ X), k=1) > _SAME
    for i, j in islice(np.argwhere(alike & moving & moving[:, None]), 5):
        (one, _), (other, _) = usable[i], usable[j]
        yield (
            f"columns {one!r} and {other!r} carry the same information (their correlation is 1 to "
            f"nine digits): leave one out with --ignore {quote(other)}."
        )


def _separates(column: NumberColumn | TextColumn, actual: Codes, n_classes: int) -> bool:
    """Tell whether each level, or each range of numbers, belongs to one class."""
    if isinstance(column, TextColumn):
        if len(column.words) * _ROWS_PER_LEVEL > len(column):
            return False
    elif np.bincount(actual, minlength=n_classes).min() < 2:
        return False
    head = slice(0, _HEAD)  # classes that meet in a few rows meet in all
    return _lie_apart(column.take(head), actual[head], n_classes) and _lie_apart(
        column, actual, n_classes
    )


def _lie_apart(column: NumberColumn | TextColumn, actual: Codes, n_classes: int) -> bool:
    if isinstance(column, TextColumn):
        n_words = len(column.words)
        codes = column.codes.astype(np.intp)
        counted = np.bincount(codes * n_classes + actual, minlength=n_words * n_classes)
        return bool(((counted.reshape(n_words, n_classes) > 0).sum(axis=1) <= 1).all())
    if not column.is_whole and not np.isfinite(column.stored).all():
        return False
    groups = (column.stored[actual == k] for k in range(n_classes))
    ends = sorted((float(own.min()), float(own.max())) for own in groups if len(own))
    return all(high < low for (_, high), (low, _) in pairwise(ends))
