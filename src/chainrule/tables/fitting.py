"""Fitting a table: target, split, encoding, training and metrics.

The encoding is fitted from the training rows alone, so that nothing of the held-out rows reaches
the model that they measure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.fit_results import (
    SolverIteration,
    certificate_record,
    complaints,
    solver_path,
)
from chainrule.tables.metrics import Codes, Metrics, hold_out, measure
from chainrule.tables.model import TableModel
from chainrule.tables.options import FitOptions, without_gaps
from chainrule.tables.records import Fact, TrainingRecord
from chainrule.tables.specs import features
from chainrule.tables.table import Table
from chainrule.tables.target import labels_of, positive_last
from chainrule.tables.training import StatusCallback, train, usable_rows


@dataclass(frozen=True, eq=False)
class FittedTable:
    """The result of a fit: the model, its metrics, its certificate.

    Parameters
    ----------
    model : TableModel
        The model, ready to predict and to save.
    metrics : Metrics or None
        On the held-out rows; None without them.
    path : tuple of SolverIteration
        The iterations of the solver.
    notes : tuple of str
        Notes for the user.
    class_counts : dict of str to int
        The training rows of each class.
    X : ndarray of shape (n_samples, n_features)
        The training rows as the engine saw them.
    y : ndarray of int of shape (n_samples,)
        Their classes, as places in `model.classes`.
    rows : ndarray of int of shape (n_samples,)
        Their row numbers, from 1.
    """

    model: TableModel
    metrics: Metrics | None
    path: tuple[SolverIteration, ...]
    notes: tuple[str, ...]
    class_counts: dict[str, int]
    X: NDArray[np.float64]
    y: Codes
    rows: NDArray[np.intp]


def fit_file(
    path: str | Path, choices: FitOptions, say: StatusCallback = lambda words: None
) -> FittedTable:
    """Read a file and fit it; see `fit_table`."""
    from chainrule.tables.reading import read_table

    choices.check()
    say(f"reading {Path(path).name}")
    # As words: labels are labels, even when the file writes them as 0 and 1.
    words = dict.fromkeys((choices.target, *choices.categories))
    return fit_table(read_table(path, categories=words, ignore=choices.ignore), choices, say)


def fit_table(
    table: Table, choices: FitOptions, say: StatusCallback = lambda words: None
) -> FittedTable:
    """Fit a logistic regression to a table.

    Parameters
    ----------
    table : Table
        The rows, with the target.
    choices : FitOptions
        The options of the fit.
    say : callable
        Told what is being done.

    Returns
    -------
    FittedTable
        Model, metrics, path of the solver and notes.

    Raises
    ------
    DataError
        When the table cannot be fitted as it is: names the column and the next action.
    """
    choices.check()
    if choices.offset is not None or choices.exposure is not None:
        raise DataError(
            "--offset and --exposure are for losses of numbers, such as --loss poisson. Omit them, "
            "or choose such a loss."
        )
    table = table.without(set(choices.ignore))
    notes: list[str] = []
    table, n_dropped = without_gaps(table, choices, notes)
    classes, actual = labels_of(table, choices.target)
    inputs = table.without({choices.target})
    # Before the positive label is put last: which one that is must not change the split.
    training, held = hold_out(actual, choices.holdout, choices.seed)
    if choices.positive is not None:
        where = f"{table.source}: the target {choices.target!r}"
        classes, actual = positive_last(classes, actual, choices.positive, where)
    say(f"encoding {len(training)} rows")
    learned = fit_encoding(inputs.take(training), choices.missing, choices.categories)
    notes += learned.notes
    encoded = encode(learned.specs, inputs.take(training))
    n_rows, n_features = encoded.X.shape
    say(f"training on {n_rows} rows and {n_features} features")
    names = [feature.name for feature in features(learned.specs)]
    C = choices.inverse_penalty(n_rows)
    fit = train(encoded.X, actual[training], names, C, say, n_classes=len(classes))
    notes += complaints(fit)
    model = TableModel(
        target=choices.target,
        classes=classes,
        specs=learned.specs,
        coef=np.ascontiguousarray(fit.point.coef.T),
        intercept=fit.point.intercept.copy(),
        certificate=certificate_record(fit.certificate),
        training=TrainingRecord(
            rows=n_rows,
            held_out=len(held),
            dropped=n_dropped,
            seed=choices.seed,
            missing=choices.missing,
            C=C,
            objective=float(fit.value),
            iterations=fit.n_iter,
        ),
    )
    say(f"measuring on {len(held)} held-out rows")
    metrics = _measure(model, inputs.take(held), actual[held], notes)
    counts = np.bincount(actual[training], minlength=len(classes))
    return FittedTable(
        model=_with_metrics(model, metrics),
        metrics=metrics,
        path=solver_path(fit),
        notes=tuple(notes),
        class_counts={label: int(n) for label, n in zip(classes, counts, strict=True)},
        X=encoded.X,
        y=actual[training],
        rows=np.asarray(training, dtype=np.intp) + 1,
    )


def _measure(model: TableModel, inputs: Table, actual: Codes, notes: list[str]) -> Metrics | None:
    encoded = usable_rows(model.specs, inputs, notes)
    if encoded is None:
        return None
    rows = encoded.usable
    return measure(actual[rows], model.proba_of(encoded.X[rows]), model.classes)


def _with_metrics(model: TableModel, metrics: Metrics | None) -> TableModel:
    if metrics is None:
        return model
    named: dict[str, Fact] = {
        name: getattr(metrics, name)
        for name in ("log_loss", "accuracy", "auc", "brier", "average_precision")
    }
    return replace(model, training=replace(model.training, metrics=named))


__all__ = ["FitOptions", "FittedTable", "SolverIteration", "fit_file", "fit_table"]
