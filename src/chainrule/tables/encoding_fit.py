"""Fitting the encoding of a table to the training rows; rejects columns that cannot be encoded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.specs import (
    NO_VALUE,
    RARE,
    CategorySpec,
    Missing,
    NumberSpec,
    Spec,
    Unknown,
)
from chainrule.tables.table import NumberColumn, Table, TextColumn, refuse_infinite, some_of

Weights = NDArray[np.float64]

_MANY_CATEGORIES = 1000
_IDENTIFIER_SHARE = 0.5
_FEW_CATEGORIES = 20
_TINY_TABLE = 5
_MOST_SHOWN = 40
_HEAD = 64


@dataclass(frozen=True)
class FittedEncoding:
    """The fitted encoding, and notes for the user."""

    specs: tuple[Spec, ...]
    notes: tuple[str, ...]


def refuse_missing(table: Table, *, fillable: bool = True) -> None:
    """Raise if any cell is missing, with every such column and its count.

    Labels are not `fillable`: no number may be made up for them.
    """
    counts = {name: int(column.missing.sum()) for name, column in table.columns.items()}
    bad = {name: count for name, count in counts.items() if count}
    if not bad:
        return
    listed = [f"{name!r} in {count} of {table.n_rows} rows" for name, count in bad.items()]
    shown = ", ".join(listed[:8]) + (f" and {len(listed) - 8} more" if len(listed) > 8 else "")
    empty = [name for name, count in bad.items() if count == table.n_rows]
    leave = f" Leave out what has no value at all: --ignore {empty[0]}." if empty else ""
    remedy = (
        "Choose what to do with them: --missing drop (leave such rows out), mean (fill in), or "
        "indicator (fill in, and let the model see that it was missing)."
        if fillable
        else "They are labels, or numbers that are not standardised, and are never filled in: "
        "--missing drop leaves such rows out."
    )
    raise DataError(
        f"{table.source}: values are missing: {shown}. {remedy}{leave} An empty cell, NA, N/A, NaN "
        "and null count as missing; --na sets other words."
    )


def complete_rows(table: Table) -> NDArray[np.intp]:
    """Return the indices of the rows without missing values."""
    whole = np.ones(table.n_rows, dtype=np.bool_)
    for column in table.columns.values():
        whole &= ~column.missing
    return np.flatnonzero(whole)


def fit_encoding(
    table: Table,
    missing: Missing = "refuse",
    categories: Collection[str] = (),
    *,
    keep_constant: bool = False,
    rare: int = 0,
    unknown: Unknown = "error",
    weights: Weights | None = None,
) -> FittedEncoding:
    """Fit the encoding to the training rows.

    Parameters
    ----------
    table : Table
        The training rows, without the target.
    missing : {"refuse", "drop", "mean", "indicator"}
        The treatment of missing values. Under ``drop`` the caller has dropped the rows.
    categories : collection of str
        Text columns that are categories however many words they hold.
    keep_constant : bool
        Keep a numeric column that never changes, such as the corner of an image.
    rare : int
        Categories with fewer training rows than this become one, `RARE`.
    unknown : {"error", "base", "rare"}
        The treatment of categories that occur in no training row.
    weights : ndarray of shape (n_rows,), optional
        k counts as k repetitions of the row in means, deviations and the most frequent category.

    Returns
    -------
    FittedEncoding
        The specs and the notes.
    """
    if missing in ("refuse", "drop"):
        refuse_missing(table)
    specs: list[Spec] = []
    notes: list[str] = []
    for name, column in table.columns.items():
        if column.missing.all():
            notes.append(f"column {name!r} has no values: left out.")
            continue
        spec = (
            _learn_number(
                table, column, missing, notes, keep_constant=keep_constant, weights=weights
            )
            if isinstance(column, NumberColumn)
            else _learn_category(
                table,
                column,
                missing,
                notes,
                kept=name in categories,
                rare=rare,
                unknown=unknown,
                weights=weights,
            )
        )
        if spec is not None:
            specs.append(spec)
    if not specs:
        raise DataError(
            f"{table.source}: no column is left to learn from (each is the target, constant, "
            "empty or ignored)."
        )
    return FittedEncoding(tuple(specs), tuple(notes))


def _moments(values: Weights, weights: Weights | None) -> tuple[float, float]:
    """Return mean and standard deviation."""
    if weights is None:
        return float(values.mean()), float(values.std())
    shares = weights / weights.max()
    mean = float(np.average(values, weights=shares))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=shares)))


def _learn_number(
    table: Table,
    column: NumberColumn,
    missing: Missing,
    notes: list[str],
    *,
    keep_constant: bool,
    weights: Weights | None,
) -> NumberSpec | None:
    refuse_infinite(table, column)
    has_gaps = bool(column.missing.any())
    values = column.values
    if has_gaps or weights is not None:
        counted = ~column.missing if weights is None else ~column.missing & (weights > 0)
        values = values[counted]
        weights = None if weights is None else weights[counted]
    if not len(values):
        notes.append(f"column {column.name!r} has no values in rows that count: left out.")
        return None
    largest = max(-float(values.min()), float(values.max()))
    # Scaled by the largest value, so that neither 1e200 squared nor 1e-200 squared is formed.
    unit = values / largest if largest > 0 else values
    mean, scale = _moments(unit, weights)
    if scale <= 10 * np.finfo(np.float64).eps * abs(mean) or scale == 0:
        indicated = missing == "indicator" and has_gaps
        if keep_constant:
            return NumberSpec(column.name, float(values[0]), 1.0, missing != "refuse", indicated)
        if not indicated:
            notes.append(f"column {column.name!r} is constant ({values[0]:g}): left out.")
            return None
        # Its value teaches nothing, but that it is missing may.
        return NumberSpec(column.name, float(values[0]), 1.0, fills=True, indicator=True)
    if not has_gaps and _counts_up(values[:_HEAD]) and _counts_up(values):
        notes.append(
            f"column {column.name!r} counts up row by row, like a row number: if it is one, leave "
            f"it out with --ignore {column.name}."
        )
    if scale * largest == 0:
        raise DataError(
            f"{table.source}: the numbers of column {column.name!r} are too small to standardise "
            f"(the largest is {largest:g}). Multiply them by a power of ten."
        )
    return NumberSpec(
        column.name,
        mean * largest,
        scale * largest,
        fills=missing in ("mean", "indicator"),
        indicator=missing == "indicator" and has_gaps,
    )


def _counts_up(values: NDArray[np.float64]) -> bool:
    """Tell whether numbers go from row to row by one step."""
    steps = np.diff(values)
    return len(steps) > 2 and bool((steps == steps[0]).all())


def looks_like_identifier(n_words: int, n_rows: int) -> bool:
    """Whether so many distinct strings in so many rows are names rather than categories."""
    rarely_twice = n_words > _IDENTIFIER_SHARE * n_rows and n_words > _FEW_CATEGORIES
    never_twice = n_words == n_rows > _TINY_TABLE
    return n_words > _MANY_CATEGORIES or rarely_twice or never_twice


def _weighted_tally(
    column: TextColumn, weights: Weights, tally: Mapping[str, int], few: Collection[str]
) -> dict[str, float]:
    """Return the weight of the rows of each category; rare ones, and no value, are categories."""
    found = dict.fromkeys(tally, 0.0)
    sums = np.bincount(column.codes + 1, weights, minlength=len(column.words) + 1)
    for word, total in zip((NO_VALUE, *column.words), sums.tolist(), strict=True):
        name = RARE if word in few else word
        if name in found:
            found[name] += total
    return found


def _learn_category(
    table: Table,
    column: TextColumn,
    missing: Missing,
    notes: list[str],
    *,
    kept: bool,
    rare: int = 0,
    unknown: Unknown = "error",
    weights: Weights | None = None,
) -> CategorySpec | None:
    counts = column.counts()
    words = [word for word, count in zip(column.words, counts, strict=True) if count]
    tally = {word: int(count) for word, count in zip(column.words, counts, strict=True) if count}
    few = tuple(sorted(word for word, count in tally.items() if count < rare))
    if few:
        notes.append(
            f"column {column.name!r}: {len(few)} categories with fewer than {rare} rows are one, "
            f"{RARE!r} ({some_of(list(few), 3)})."
        )
        tally = {word: count for word, count in tally.items() if count >= rare}
        tally[RARE] = sum(int(c) for w, c in zip(column.words, counts, strict=True) if w in few)
    n_words = len(tally)
    if not kept and looks_like_identifier(n_words, table.n_rows):
        raise DataError(
            f"{table.source}: column {column.name!r} holds {n_words} different texts in "
            f"{table.n_rows} rows ({some_of(words, 3)}), which looks like a name or an "
            f"identifier: it would get a coefficient for each. Leave it out with --ignore "
            f"{column.name}, group rare ones with --rare 10, or insist with --category "
            f"{column.name}."
        )
    fill: str | None = None
    if missing == "indicator" and column.missing.any():
        fill = NO_VALUE
        tally[NO_VALUE] = tally.get(NO_VALUE, 0) + int(column.missing.sum())
    frequency = tally if weights is None else _weighted_tally(column, weights, tally, few)
    base = min(tally, key=lambda word: (-frequency[word], word))
    if missing == "mean" or (missing == "indicator" and fill is None):
        fill = base
    if len(tally) == 1:
        shown = base if len(base) <= _MOST_SHOWN else f"{base[: _MOST_SHOWN - 1]}…"
        notes.append(f"column {column.name!r} is constant ({shown!r}): left out.")
        return None
    others = tuple(sorted(word for word in tally if word != base))
    return CategorySpec(column.name, base, others, fill, column.from_numbers, few, unknown)
