"""Rows with their classes and the probabilities that a model gives them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import distinct_values
from chainrule.errors import DataError
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.metrics import Codes
from chainrule.tables.model import TableModel
from chainrule.tables.records import ColumnRecord
from chainrule.tables.regression import TableRegression
from chainrule.tables.remarks import folded
from chainrule.tables.table import RowNumbers, Table, TextColumn, some_of, unknown_column
from chainrule.tables.weighting import trials_of, weights_of

Floats = NDArray[np.float64]

_MOST_GROUPS = 50


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows that a model is measured on.

    Attributes
    ----------
    codes : ndarray of int, shape (n_samples,)
        The class of each row, as its place among the classes of the model.
    proba : ndarray of shape (n_samples, n_classes)
    weights : ndarray of shape (n_samples,) or None
    groups : TextColumn or None
        The values of the column to measure by.
    numbers : ndarray of int, shape (n_samples,)
        The numbers of the rows in their file.
    clusters : TextColumn or None
        The column whose rows of one value depend on each other; rows without a value are one
        cluster.
    """

    codes: Codes
    proba: Floats
    weights: Floats | None
    groups: TextColumn | None
    numbers: RowNumbers
    clusters: TextColumn | None = None

    @property
    def counted(self) -> Floats:
        """The weight of each row, 1 without weights."""
        return np.ones(len(self.codes)) if self.weights is None else self.weights

    @property
    def n_rows(self) -> int:
        """How many rows of the file these are: one with trials stands here twice."""
        return len(distinct_values(self.numbers))

    @property
    def n_clusters(self) -> int:
        """How many clusters there are; 0 where each row stands for itself."""
        return 0 if self.clusters is None else len(distinct_values(self.clusters.codes))

    @property
    def cluster_codes(self) -> NDArray[np.int64] | None:
        """The cluster of each row, as a number."""
        return None if self.clusters is None else self.clusters.codes

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> ScoredRows:
        """Return some of the rows."""
        places: NDArray[np.intp] = np.arange(len(self.codes))[rows]
        return ScoredRows(
            self.codes[places],
            self.proba[places],
            None if self.weights is None else self.weights[places],
            None if self.groups is None else self.groups.take(places),
            self.numbers[places],
            None if self.clusters is None else self.clusters.take(places),
        )


def cluster_column(model: TableModel, names: Iterable[str]) -> str | None:
    """Return the column of a file whose rows belong together: --group of the fit, or --clusters."""
    known, roles = set(names), model.reading.roles
    found = (roles.get(role) for role in ("group", "clusters"))
    return next((name for name in found if name in known), None)


def refuse_many_groups(groups: TextColumn | None, source: str) -> None:
    """Raise a `DataError` where a column has too many values to measure one by one."""
    if groups is not None and (n_values := int((groups.counts() > 0).sum())) > _MOST_GROUPS:
        raise DataError(
            f"{source}: --by {groups.name} has {n_values} values, and at most {_MOST_GROUPS} are "
            "measured one by one. Name a column with fewer, such as a category."
        )


def check_test_file(path: str | Path, target: str, options: ReadOptions) -> None:
    """Raise a `DataError` where a file cannot be opened or lacks the target: before a fit."""
    from chainrule.tables.reading import column_names

    refuse_lacking_target(column_names(path, options), target, path)


def refuse_lacking_target(names: list[str], target: str, path: str | Path) -> None:
    """Raise a `DataError` where the columns of a file to measure on do not hold the target."""
    if target not in names:
        said = unknown_column(target, names, str(path))
        raise DataError(f"{said} Measuring needs the target: give a file that has it.")


def score_file(
    model: TableModel,
    path: str | Path,
    *,
    by: str | None = None,
    clusters: str | None = None,
    fold: bool = False,
    options: ReadOptions | None = None,
    each: Callable[[Table], None] | None = None,
) -> ScoredRows:
    """Read a file that holds the target, and predict its rows.

    Parameters
    ----------
    model : TableModel
    path : str or Path
    by : str, optional
        Column of groups.
    clusters : str, optional
        Column whose rows of one value depend on each other; by default that of the fit, where the
        file has it.
    fold : bool
        Take labels that differ only by case or blanks as one.
    options : ReadOptions, optional
        How the file is to be read; by default as the file of the fit.
    each : callable, optional
        Takes the columns of every batch of rows.

    Returns
    -------
    ScoredRows
        All rows; the probabilities are NaN where a value is missing or a category is new.

    Raises
    ------
    DataError
        When a column is missing, a label is none of the model's, or no row can be predicted.
    """
    from chainrule.tables.reading import Declared, read_batches

    names, options = _named(model, path, options)
    if clusters is None:
        clusters = cluster_column(model, names)
    elif clusters not in names:
        raise unknown_column(clusters, names, str(path))
    roles = model.reading.roles
    trials, weights = roles.get("trials"), roles.get("weights")
    numbers = [*model.number_columns, *(n for n in (trials, weights) if n is not None)]
    texts = [*model.text_columns]
    (texts if trials is None else numbers).append(model.target)
    for name in (by, clusters):
        if name is not None and name not in (*numbers, *texts):
            texts.append(name)
    batches = read_batches(
        path,
        numbers=numbers,
        texts=texts,
        declared=Declared(dates=model.reading.dates, styles=model.reading.styles, options=options),
    )
    parts = []
    for table in batches:
        parts.append(_scored(model, table, trials, weights, by, clusters, fold))
        if each is not None:
            each(table)
    if not parts:
        raise DataError(f"{path}: the file has column names and no rows: nothing to measure.")
    found = _joined(parts)
    refuse_many_groups(found.groups, str(path))
    if np.isnan(found.proba[:, 0]).all():
        raise DataError(
            f"{path}: no row can be predicted: each has a missing value or a category that the "
            "model does not have."
        )
    return found


def _scored(
    model: TableModel,
    table: Table,
    trials: str | None,
    weights: str | None,
    by: str | None,
    clusters: str | None,
    fold: bool,
) -> ScoredRows:
    proba = model.predict_proba(table, blank=True)
    groups, related = (
        None if name is None else table.column(name).as_text() for name in (by, clusters)
    )
    if trials is None:
        codes = _codes(table, model, fold)
        counted = weights_of(table, weights)
        return ScoredRows(codes, proba, counted, groups, table.row_numbers, related)
    successes, count = trials_of(table, model.target, trials)
    rows = np.tile(np.arange(table.n_rows), 2)
    return ScoredRows(
        np.repeat([0, 1], table.n_rows),
        proba[rows],
        np.concatenate([count - successes, successes]),
        None if groups is None else groups.take(rows),
        table.row_numbers[rows],
        None if related is None else related.take(rows),
    )


def _codes(table: Table, model: TableModel, fold: bool) -> Codes:
    column = table.column(model.target).as_text()
    if column.missing.any():
        row = table.row_numbers[int(np.flatnonzero(column.missing)[0])]
        raise DataError(
            f"{table.source}: the target {model.target!r}, row {row}: the label is missing. "
            "Remove the row, or fill the label in."
        )
    key = folded if fold else str
    known = {key(label): place for place, label in enumerate(model.classes)}
    lookup = np.array([known.get(key(word), -1) for word in column.words], dtype=np.int64)
    codes = lookup[column.codes]
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise DataError(
            f"{table.source}: the target {model.target!r}, row {table.row_numbers[row]}: "
            f"{column.words[column.codes[row]]!r} is none of the labels of the model, "
            f"{some_of(list(model.classes))}. Correct the label, or leave the row out."
        )
    return codes


def _joined(parts: list[ScoredRows]) -> ScoredRows:
    if len(parts) == 1:
        return parts[0]
    weights = [part.weights for part in parts if part.weights is not None]
    groups = [part.groups for part in parts if part.groups is not None]
    clusters = [part.clusters for part in parts if part.clusters is not None]
    return ScoredRows(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.proba for part in parts]),
        np.concatenate(weights) if weights else None,
        _joined_texts(groups) if groups else None,
        np.concatenate([part.numbers for part in parts]),
        _joined_texts(clusters) if clusters else None,
    )


def _joined_texts(parts: list[TextColumn]) -> TextColumn:
    words = tuple(dict.fromkeys(word for part in parts for word in part.words))
    place = {word: k for k, word in enumerate(words)}
    codes = []
    for part in parts:
        lookup = np.array([*(place[word] for word in part.words), -1], dtype=np.int64)
        codes.append(lookup[part.codes])
    return TextColumn(parts[0].name, np.concatenate(codes), words)


def read_for_measuring(
    model: TableRegression, path: str | Path, options: ReadOptions | None = None
) -> Table:
    """Read the columns of a regression, its target and its weights from a file.

    Parameters
    ----------
    model : TableRegression
    path : str or Path
    options : ReadOptions, optional
        How the file is to be read; by default as the file of the fit.

    Raises
    ------
    DataError
        When a column is missing or the file has no rows.
    """
    from chainrule.tables.reading import Declared, read_table

    names, options = _named(model, path, options)
    wanted = {*model.number_columns, *model.text_columns, model.target}
    wanted |= {date.name for date in model.reading.dates}
    if (weights := model.reading.roles.get("weights")) is not None:
        wanted.add(weights)
    table = read_table(
        path,
        Declared(
            model.text_columns,
            tuple(n for n in wanted if n not in model.text_columns and n not in _dates(model)),
            model.reading.dates,
            ignore=tuple(name for name in names if name not in wanted),
            styles=model.reading.styles,
            options=options,
        ),
    )
    if not table.n_rows:
        raise DataError(f"{path}: the file has column names and no rows: nothing to measure.")
    gaps = np.flatnonzero(table.column(model.target).missing)
    if len(gaps):
        raise DataError(
            f"{path}: the target {model.target!r}, row {table.row_numbers[gaps[0]]}: the value is "
            "missing. Remove the row, or fill the value in."
        )
    return table


def _dates(model: ColumnRecord) -> set[str]:
    return {date.name for date in model.reading.dates}


def _named(
    model: ColumnRecord, path: str | Path, options: ReadOptions | None
) -> tuple[list[str], ReadOptions]:
    """Return the columns of a file that has those of the model and its target."""
    from chainrule.tables.reading import column_names

    options = options or ReadOptions()
    if options.na is None:
        options = replace(options, na=model.reading.na)
    names = column_names(path, options)
    refuse_lacking_target(names, model.target, path)
    model.check_columns(names, str(path))
    return names, options
