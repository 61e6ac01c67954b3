"""Training rows and held-out rows: at random, by group, or by time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import distinct_values
from chainrule.errors import DataError
from chainrule.estimators.time_folds import time_folds
from chainrule.tables.metrics import Codes
from chainrule.tables.options import FitOptions
from chainrule.tables.table import NumberColumn, Table, refuse_infinite

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def split_rows(table: Table, choices: FitOptions, actual: Codes) -> Split:
    """Split the rows of a table as the options of a fit say.

    Parameters
    ----------
    table : Table
        With the columns that the split uses.
    choices : FitOptions
    actual : ndarray
        The class of each row, whose shares a random split keeps.
    """
    if choices.group is not None:
        codes = table.column(choices.group).as_text().codes
        return hold_out_groups(codes, choices.holdout, choices.seed)
    if choices.time is not None:
        return hold_out_last(_moments(table, choices), choices.holdout)
    return hold_out(actual, choices.holdout, choices.seed)


def fold_rows(
    table: Table, rows: NDArray[np.intp], choices: FitOptions, actual: Codes, n_folds: int
) -> list[Split]:
    """Return the folds of some rows of a table, as places among these rows.

    Parameters
    ----------
    table : Table
        With the columns that the folds use.
    rows : ndarray of int
    choices : FitOptions
        Groups and time, if the folds are made by these; else they keep the shares of the classes.
    actual : ndarray
        The class of each row of the table.
    n_folds : int

    Raises
    ------
    DataError
        When there are too few rows of a class, groups, or moments.
    """
    if choices.time is not None:
        return time_folds(_moments(table, choices)[rows], n_folds)
    random = np.random.default_rng(choices.seed)
    if choices.group is not None:
        groups = table.column(choices.group).as_text().codes[rows]
        distinct, counts = np.unique(groups, return_counts=True)
        if len(distinct) < n_folds:
            raise DataError(
                f"{table.source}: the group {choices.group!r} has {len(distinct)} values in "
                f"{len(rows)} training rows, fewer than the {n_folds} folds of --cv. Give fewer "
                "folds, or another group."
            )
        fold_of, sizes = np.empty(len(distinct), dtype=np.intp), np.zeros(n_folds)
        shuffled = random.permutation(len(distinct))
        for place in shuffled[np.argsort(-counts[shuffled], kind="stable")]:
            fold_of[place] = int(np.argmin(sizes))
            sizes[fold_of[place]] += counts[place]
        folds = fold_of[np.searchsorted(distinct, groups)]
    else:
        labels, counts = np.unique(actual[rows], return_counts=True)
        folds, start = np.empty(len(rows), dtype=np.intp), 0
        for label, count in zip(labels, counts, strict=True):
            places = random.permutation(np.flatnonzero(actual[rows] == label))
            folds[places] = (start + np.arange(count)) % n_folds
            start += count
    return [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(n_folds)]


def hold_out_groups(groups: Codes, share: float, seed: int) -> Split:
    """Hold out whole groups, in random order, up to a share of the rows."""
    distinct, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(distinct))
    most = share * len(groups)
    chosen = order[np.cumsum(counts[order]) <= most] if len(distinct) > 1 else order[:0]
    held = np.isin(groups, distinct[chosen])
    return np.flatnonzero(~held), np.flatnonzero(held)


def hold_out_last(moments: NDArray[np.float64], share: float) -> Split:
    """Hold out the last rows by time; rows of one moment stay together."""
    n_held = round(share * len(moments))
    if n_held == 0:
        return np.arange(len(moments)), np.arange(0)
    border = np.sort(moments)[len(moments) - n_held]
    held = moments >= border
    if held.all():
        held = moments > border
    return np.flatnonzero(~held), np.flatnonzero(held)


def _moments(table: Table, choices: FitOptions) -> NDArray[np.float64]:
    name = str(choices.time)
    dated = {date.name: f"{date.name} (days)" for date in choices.dates}
    column = table.column(dated.get(name, name))
    if not isinstance(column, NumberColumn):
        raise DataError(
            f"{table.source}: the time {name!r} holds text. Name a column of numbers, or declare "
            f"it a date: --date {name}."
        )
    refuse_infinite(table, column)
    if column.missing.any():
        row = table.row_numbers[int(np.flatnonzero(column.missing)[0])]
        raise DataError(
            f"{table.source}: the time {name!r}, row {row}: the value is missing. Correct the "
            "cell, or leave the row out: --missing drop."
        )
    return column.values


def hold_out(actual: Codes, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split rows into training and held-out rows, stratified by class, in file order.

    Parameters
    ----------
    actual : ndarray
        The class of each row, as a number.
    share : float
        The share held out, at least 0 and less than 1. A class keeps at least one training row.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    tuple of ndarray
        Indices of the training rows and of the held-out rows.
    """
    random = np.random.default_rng(seed)
    held = np.zeros(len(actual), dtype=np.bool_)
    for label in distinct_values(actual):
        rows = random.permutation(np.flatnonzero(actual == label))
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
