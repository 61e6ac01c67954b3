"""The path of penalties of a fitted table: which features enter when."""

from __future__ import annotations

import csv
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.errors import DataError
from chainrule.storage import atomic_text
from chainrule.tables.fitting import FittedTable
from chainrule.tables.penalties import level_groups

if TYPE_CHECKING:
    from chainrule.estimators.coefficient_paths import Path as PenaltyPath

PLOTS: Final = (".png", ".svg", ".pdf")
"""Endings of files that hold a plot; any other holds a table."""

Cell = float | int | str


def path_of_table(fitted: FittedTable, l1_ratio: float, *, relax: bool = False) -> PenaltyPath:
    """Return fits of the training rows along a path of penalties, features standardised.

    Parameters
    ----------
    fitted : FittedTable
    l1_ratio : float
        Share of absolute values in the penalty; 1 is the lasso.
    relax : bool
        Whether to refit the chosen features of each point without penalty.

    Raises
    ------
    DataError
        When the rows are trials.
    """
    from chainrule.estimators.paths import logistic_path

    model = fitted.model
    if fitted.has_shares:
        raise DataError("--path is for rows of labels, not of trials. Omit --path, or --trials.")
    groups = None
    if model.training.groups is not None:
        groups = level_groups(model.specs, model.formula)
    with warnings.catch_warnings():
        # points that are not proven, or without a finite refit, are counted where it is shown
        warnings.simplefilter("ignore", RuntimeWarning)
        path = logistic_path(
            fitted.X,
            fitted.y,
            l1_ratio=l1_ratio,
            adaptive=model.training.adaptive,
            column_groups=groups,
            relax=relax,
            sample_weight=fitted.weights,
            offset=fitted.offset,
        )
    names = [feature.name for feature in model.features]
    return path.renamed(names, model.classes)


def write_path(path: PenaltyPath, file: str) -> None:
    """Write a path: a plot by the ending of the file, or else a CSV table, a row per penalty."""
    if Path(file).suffix.lower() in PLOTS:
        path.save_plot(file)
        return
    with atomic_text(file) as out:
        writer = csv.writer(out, lineterminator="\n")
        names, rows = path_rows(path)
        writer.writerow(names)
        writer.writerows(rows)


def path_rows(path: PenaltyPath) -> tuple[list[str], list[list[Cell]]]:
    """Return a path as a table, a row per penalty; with refits, their coefficients come last.

    Returns
    -------
    names : list of str
    rows : list of list
        Empty cells where no finite refit exists.
    """
    names, values = path.table()
    head = ["lambda", "C", "nonzero", "deviance_ratio", "gap"]
    columns = [path.lambdas, path.Cs, path.nonzero, path.deviance_ratio, path.relative_gap]
    columns += list(values.T)
    found = [*head, *names]
    if path.relaxed is not None:
        refits = replace(path, coef=path.relaxed.coef, intercept=path.relaxed.intercept)
        gaps = np.where(path.relaxed.separated, np.nan, path.relaxed.relative_gap)
        columns += [gaps, *refits.table()[1].T]
        found += ["gap (relaxed)", *(f"{name} (relaxed)" for name in names)]
    rows = np.column_stack(columns).tolist()
    return found, [[_cell(number) for number in row] for row in rows]


def _cell(number: float) -> Cell:
    if math.isnan(number):
        return ""
    return int(number) if number.is_integer() and abs(number) < 1e9 else number
