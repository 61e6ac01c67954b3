"""The path of penalties of a fitted table: which features enter when."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chainrule.errors import DataError
from chainrule.storage import atomic_text
from chainrule.tables.fitting import FittedTable

if TYPE_CHECKING:
    from chainrule.estimators.coefficient_paths import Path as PenaltyPath

PLOTS: Final = (".png", ".svg", ".pdf")
"""Endings of files that hold a plot; any other holds a table."""


def path_of_table(fitted: FittedTable, l1_ratio: float) -> PenaltyPath:
    """Return fits of the training rows along a path of penalties, features standardised.

    Parameters
    ----------
    fitted : FittedTable
    l1_ratio : float
        Share of absolute values in the penalty; 1 is the lasso.

    Raises
    ------
    DataError
        When the rows are trials.
    """
    from chainrule.estimators.paths import logistic_path

    model = fitted.model
    if fitted.has_shares:
        raise DataError("--path is for rows of labels, not of trials. Omit --path, or --trials.")
    path = logistic_path(
        fitted.X,
        fitted.y,
        l1_ratio=l1_ratio,
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
        names, values = path.table()
        writer.writerow(["lambda", "C", "nonzero", "deviance_ratio", "gap", *names])
        for k in range(len(path)):
            numbers = [path.lambdas[k], path.Cs[k], path.nonzero[k], path.deviance_ratio[k]]
            numbers += [path.relative_gap[k], *values[k]]
            writer.writerow([repr(number) for number in map(_plain, numbers)])


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() and abs(number) < 1e9 else float(number)
