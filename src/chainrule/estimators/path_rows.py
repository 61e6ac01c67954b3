"""The rows of a path: tables, labels and weights as people pass them, read for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from chainrule.engine.arrays import is_sparse
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.frames import (
    coded,
    has_levels,
    is_frame,
    names_of,
    refuse_dates,
    with_plain_columns,
)
from chainrule.engine.data.sources import InMemorySource
from chainrule.errors import DataError
from chainrule.estimators.functional import as_table
from chainrule.estimators.inputs import (
    are_implied,
    as_labels,
    as_offset,
    as_weights,
    class_weighted,
    codes_of,
    distinct,
    n_cores,
    n_threads,
    positive,
)

Matrix = Any


@dataclass(frozen=True, eq=False)
class PathRows:
    """Rows with labels, and what their columns are called.

    Attributes
    ----------
    source : InMemorySource
        The rows of positive weight.
    classes : ndarray of shape (n_classes,)
        The labels that occur there.
    names : list of str or None
        Of the coefficients; None where the columns have no names.
    levels : mapping
        The levels of each categorical column.
    """

    source: InMemorySource
    classes: npt.NDArray[Any]
    names: list[str] | None
    levels: Mapping[str, Any]

    @property
    def n_outputs(self) -> int:
        """How many scores each row has: one for two classes."""
        return outputs_of(self.classes)


def outputs_of(classes: npt.NDArray[Any]) -> int:
    """Return how many scores a row has: one for two classes, else one per class."""
    return 1 if len(classes) == 2 else len(classes)


def path_rows(
    X: Matrix,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None,
    class_weight: Mapping[Any, float] | Literal["balanced"] | None,
    offset: npt.ArrayLike | None,
    fit_intercept: bool,
    n_jobs: int | None,
) -> PathRows:
    """Return the rows that take part in the fits of `logistic_path`.

    Raises
    ------
    DataError
        When the data cannot be used.
    """
    labels = as_labels(y)
    weights = as_weights(sample_weight, len(labels))
    weights, classes = class_weighted(class_weight, weights, labels, distinct(labels))
    table, names, levels = _named(X)
    if table.shape[0] != len(labels):
        raise DataError(f"X has {table.shape[0]} rows and y {len(labels)} labels: pass one per row")
    shift = as_offset(offset, len(labels), outputs_of(classes))
    rows = positive(weights)
    if rows is not None:
        table, labels, weights = table[rows], labels[rows], weights[rows]
        shift = None if shift is None else shift[rows]
    if isinstance(table, CodedRows):
        table = table.occurring(rows)
        names, levels = list(table.names), table.levels
    source = InMemorySource(
        table,
        codes_of(labels, classes),
        None if are_implied(weights) else weights,
        column_names=names,
        row_numbers=rows,
        offset=shift,
        n_classes=len(classes),
        center=fit_intercept,
        n_threads=n_threads(n_jobs, default=n_cores()),
    )
    return PathRows(source, classes, names, levels)


def _named(X: Matrix) -> tuple[Matrix, list[str] | None, Mapping[str, Any]]:
    """Return X as the engine takes it, names of its columns, and levels of categorical ones."""
    if not is_frame(X) or is_sparse(X):
        return as_table(X), None, {}
    refuse_dates(X)
    X = with_plain_columns(X)
    names = [str(name) for name in names_of(X)]
    if has_levels(X):
        return coded(X), names, {}
    return as_table(X.to_numpy() if hasattr(X, "to_numpy") else X), names, {}
