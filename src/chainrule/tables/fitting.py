"""Fitting a table: target, split, encoding, training and metrics.

The encoding is fitted from the training rows alone, so that nothing of the held-out rows reaches
the model that they measure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import complete_rows, fit_encoding, refuse_missing
from chainrule.tables.metrics import Codes, Metrics, hold_out, measure
from chainrule.tables.model import TableModel
from chainrule.tables.records import CertificateRecord, Fact, TrainingRecord
from chainrule.tables.specs import Missing, features
from chainrule.tables.table import Table
from chainrule.tables.target import labels_of, positive_last

if TYPE_CHECKING:
    from chainrule.engine import monitor
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.engine.fitting import Fit

_MOST_THREADS = 8

StatusCallback = Callable[[str], None]
"""Called with a short description of each stage."""


@dataclass(frozen=True)
class FitOptions:
    """The options of a fit.

    Parameters
    ----------
    target : str
        The column to predict.
    positive : str, optional
        The positive class; by default the last label in sorted order.
    missing : {"refuse", "drop", "mean", "indicator"}
        The treatment of missing values.
    categories : tuple of str
        Columns to take as words even where they hold numbers, or many words.
    ignore : tuple of str
        Columns to leave out.
    holdout : float
        The share of rows kept for the metrics; 0 trains on all.
    seed : int
        The seed of the split.
    C : float
        One over the weight of the ridge penalty; ``inf`` for none.
    """

    target: str
    positive: str | None = None
    missing: Missing = "refuse"
    categories: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    holdout: float = 0.2
    seed: int = 0
    C: float = 1.0


@dataclass(frozen=True)
class SolverIteration:
    """One iteration of the solver.

    Parameters
    ----------
    iteration : int
        Counted from 0.
    objective, gradient_norm : float
        There.
    """

    iteration: int
    objective: float
    gradient_norm: float


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

    _check(choices)
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
    _check(choices)
    table = table.without(set(choices.ignore))
    notes: list[str] = []
    table, n_dropped = _without_gaps(table, choices, notes)
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
    fit = _train(encoded.X, actual[training], len(classes), names, choices.C, say)
    notes += _advice(fit)
    model = TableModel(
        target=choices.target,
        classes=classes,
        specs=learned.specs,
        coef=np.ascontiguousarray(fit.point.coef.T),
        intercept=fit.point.intercept.copy(),
        certificate=_certificate(fit.certificate),
        training=TrainingRecord(
            rows=n_rows,
            held_out=len(held),
            dropped=n_dropped,
            seed=choices.seed,
            missing=choices.missing,
            C=choices.C,
            objective=float(fit.value),
            iterations=len(fit.history),
        ),
    )
    say(f"measuring on {len(held)} held-out rows")
    metrics = _measure(model, inputs.take(held), actual[held], notes)
    counts = np.bincount(actual[training], minlength=len(classes))
    return FittedTable(
        model=_with_metrics(model, metrics),
        metrics=metrics,
        path=_path(fit),
        notes=tuple(notes),
        class_counts={label: int(n) for label, n in zip(classes, counts, strict=True)},
        X=encoded.X,
        y=actual[training],
        rows=np.asarray(training, dtype=np.intp) + 1,
    )


def _check(choices: FitOptions) -> None:
    if not 0 <= choices.holdout < 1:
        raise DataError(f"--holdout is a share from 0 to below 1, not {choices.holdout:g}.")
    if not choices.C > 0:
        raise DataError(f"-C is one over the weight of the penalty, above 0, not {choices.C:g}.")
    if choices.target in choices.ignore:
        raise DataError(f"column {choices.target!r} is the target and ignored. Choose one.")


def _without_gaps(table: Table, choices: FitOptions, notes: list[str]) -> tuple[Table, int]:
    """Drop or reject incomplete rows as chosen; return a table with a complete target."""
    target = table.column(choices.target)
    if choices.missing == "drop":
        rows = complete_rows(table)
        n_dropped = table.n_rows - len(rows)
        if len(rows) == 0:
            worst = max(table.columns.values(), key=lambda column: int(column.missing.sum()))
            raise DataError(
                f"{table.source}: no row is complete, so --missing drop leaves none. Column "
                f"{worst.name!r} has most gaps ({int(worst.missing.sum())}): leave it out with "
                f"--ignore {worst.name}, or fill in: --missing mean."
            )
        if n_dropped:
            notes.append(f"{n_dropped} of {table.n_rows} rows have a missing value: dropped.")
        return (table.take(rows) if n_dropped else table), n_dropped
    if choices.missing == "refuse":
        refuse_missing(table)
    gaps = int(target.missing.sum())
    if gaps:
        raise DataError(
            f"{table.source}: the target {target.name!r} is missing in {gaps} rows, and a label "
            "cannot be filled in. Remove these rows, or use --missing drop."
        )
    return table, 0


def _train(
    X: NDArray[np.float64],
    y: Codes,
    n_classes: int,
    names: list[str],
    C: float,
    say: StatusCallback,
) -> Fit:
    """Train on the encoded columns, with progress per iteration."""
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.fitting import fit_linear_model

    def told(progress: monitor.Progress) -> None:
        step, objective = progress.iteration + 1, progress.objective
        say(f"training on {len(y)} rows: step {step}, objective {objective:.8g}")

    source = InMemorySource(X, y, n_classes=n_classes, column_names=names, center=True)
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    return fit_linear_model(source, C=C, n_threads=threads, on_iteration=told)


def _certificate(certificate: Certificate) -> CertificateRecord:
    """Return the certificate as JSON values."""
    facts: dict[str, Fact] = {}
    for entry in fields(certificate):
        value = getattr(certificate, entry.name)
        if isinstance(value, tuple):
            value = ", ".join(map(str, value))
        elif isinstance(value, np.generic):
            value = value.item()
        if value != "":
            facts[entry.name] = value
    return CertificateRecord(str(certificate), facts)


def _advice(fit: Fit) -> Iterator[str]:
    """Return the advice where the certificate does not prove an optimum."""
    if fit.certificate.kind == "separation":
        yield (
            "there is no finite optimum: the coefficients below grow for ever and hold the last "
            "step. Penalise with a finite -C, or leave out what separates the classes."
        )
    elif not fit.met:
        yield (
            "the certificate does not prove the tolerance of the solver: see what it says is in "
            "the way."
        )


def _path(fit: Fit) -> tuple[SolverIteration, ...]:
    """Return the objective and gradient norm at every iterate."""
    points = [(record.objective, record.gradient_norm) for record in fit.history]
    points.append((fit.value, fit.certificate.gradient_norm))
    return tuple(
        SolverIteration(place, float(value), float(norm))
        for place, (value, norm) in enumerate(points)
    )


def _measure(model: TableModel, inputs: Table, actual: Codes, notes: list[str]) -> Metrics | None:
    if inputs.n_rows == 0:
        return None
    encoded = encode(model.specs, inputs, blank=True)
    n_lost = int((~encoded.usable).sum())
    if n_lost:
        notes.append(
            f"not measured: {n_lost} of {inputs.n_rows} held-out rows, which carry a category that "
            "no training row has."
        )
    if n_lost == inputs.n_rows:
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
