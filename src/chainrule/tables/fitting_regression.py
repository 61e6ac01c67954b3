"""Fit a table whose target is a number, with any loss of one score.

The order is that of `chainrule.tables.fitting`: target, split, encoding, training, metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.display import DisplayedAsPage
from chainrule.engine.losses.null_model import null_score
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.errors import DataError
from chainrule.estimators.deviance import explained_deviance
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.encoding import Matrix, encode
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.fit_results import (
    SolverIteration,
    complaints,
    solver_path,
)
from chainrule.tables.fit_rows import fit_rows
from chainrule.tables.formula import fit_design, formula_columns, with_bases
from chainrule.tables.inference_record import EffectRow
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.options import FitOptions, without_gaps
from chainrule.tables.penalties import refuse_useless_groups
from chainrule.tables.predictors import designed
from chainrule.tables.records import Fact, TrainingRecord
from chainrule.tables.regression import TableRegression
from chainrule.tables.regression_metrics import RegressionMetrics, measure_means
from chainrule.tables.remarks import column_notes
from chainrule.tables.row_storage import IN_MEMORY, Storage, open_rows, reading_notes
from chainrule.tables.specs import features
from chainrule.tables.splitting import fold_rows, split_rows
from chainrule.tables.table import RowNumbers, Table
from chainrule.tables.target import numbers_of, refuse_choices_of_classes
from chainrule.tables.training import StatusCallback, reading_record, train, usable_rows
from chainrule.tables.validation.penalty import (
    PenaltyCurve,
    choose_penalty,
    curve_notes,
    held_loss_of_numbers,
)
from chainrule.tables.validation.scored import check_test_file, read_for_measuring
from chainrule.tables.validation.seen import seen_notes
from chainrule.tables.weighting import weights_of

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference

Floats = NDArray[np.float64]

_FAR = 1000.0

_RECORDED = (
    "mean_loss",
    "mean_loss_of_null",
    "deviance_explained",
    "rmse",
    "mae",
    "mean_actual",
    "mean_predicted",
)


@dataclass(frozen=True, eq=False)
class FittedRegression(DisplayedAsPage):
    """The result of a fit.

    Parameters
    ----------
    model : TableRegression
        The model, ready to predict and to save.
    metrics : RegressionMetrics or None
        On the held-out rows; None without them.
    path : tuple of SolverIteration
        The iterations of the solver.
    notes : tuple of str
        Remarks for the user.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The encoded training rows.
    y, offset : ndarray of shape (n_samples,)
        Their targets, and what was added to their scores.
    rows : ndarray of int of shape (n_samples,)
        Their numbers in the table, from 1.
    is_weighted : bool
        Whether rows count differently.
    training_metrics : RegressionMetrics or None
        On the training rows, where none were held out.
    inference : Inference or None
        Errors, intervals and tests, where they were asked for.
    effects : tuple of EffectRow
        Average marginal effects of the columns, with the inference.
    penalty_curve : PenaltyCurve or None
        The choice of the penalty, with --cv.
    measured_on : str
        The rows behind the metrics.
    """

    model: TableRegression
    metrics: RegressionMetrics | None
    path: tuple[SolverIteration, ...]
    notes: tuple[str, ...]
    X: Matrix
    y: Floats
    offset: Floats
    rows: RowNumbers
    is_weighted: bool = False
    training_metrics: RegressionMetrics | None = None
    inference: Inference | None = None
    effects: tuple[EffectRow, ...] = ()
    penalty_curve: PenaltyCurve | None = None
    measured_on: str = "held-out rows"


def fit_regression_file(
    path: str | Path,
    choices: FitOptions,
    loss: ChosenLoss,
    say: StatusCallback = lambda words: None,
    storage: Storage = IN_MEMORY,
) -> FittedRegression:
    """Read a file and fit it; see `fit_regression`."""
    choices.check()
    say(f"reading {Path(path).name}")
    asked = f"{choices} {loss.text} {loss.constants} {loss.row.link_name} {loss.row.targets}"
    read, folds = choices.declared(labels=False), choices.validation.folds is not None
    with open_rows(path, read, storage, asked, say, folds=folds) as rows:
        return fit_regression(rows.table, choices, loss, say, rows.journal)


def fit_regression(
    table: Table,
    choices: FitOptions,
    loss: ChosenLoss,
    say: StatusCallback = lambda words: None,
    journal: Journal | None = None,
) -> FittedRegression:
    """Fit a regression to a table.

    Parameters
    ----------
    table : Table
        The rows, with the target, the offset and the exposure.
    choices : FitOptions
    loss : ChosenLoss
    say : callable
        Told what is being done.
    journal : Journal, optional
        Keeps the results of passes, so that a fit that was stopped goes on.

    Raises
    ------
    DataError
        When the table cannot be fitted as it is: names the column, the row and the next action.
    """
    choices.check()
    refuse_choices_of_classes(choices.positive, loss.title)
    choices.validation.refuse_choices_of_classes(loss.title)
    offsets = OffsetColumns(choices.offset, choices.exposure)
    loss.refuse_exposure(choices.exposure)
    if choices.trials is not None:
        raise DataError(
            "--trials is for counts of successes, which the logistic loss fits. Omit --loss, or "
            "choose --weights."
        )
    if choices.validation.test is not None:
        check_test_file(choices.validation.test, choices.target, choices.file)
    table = formula_columns(table.without(set(choices.ignore)), choices)
    for name in offsets.names:
        table.column(name)
    notes = list(table.notes)
    table, n_dropped = without_gaps(table, choices, notes)
    y = numbers_of(table, choices.target, loss)
    offset = offsets.of(table)
    every_weight = weights_of(table, choices.weights)
    inputs = table.without(set(choices.roles.values()))
    # One class: numbers have no shares to keep in both parts.
    training, held = split_rows(table, choices, np.zeros(len(y), dtype=np.int64))
    say(f"encoding {len(training)} rows")
    columns = table
    table, inputs, formula = fit_design(table, choices, training)
    learned = fit_encoding(
        inputs.take(training),
        choices.missing,
        choices.categories,
        rare=choices.rare,
        unknown=choices.unknown,
        weights=None if every_weight is None else every_weight[training],
    )
    specs = with_bases(learned.specs, formula)
    notes += learned.notes
    notes += column_notes(inputs.take(training), choices)
    weights = None if every_weight is None else every_weight[training]
    if choices.groups is not None:
        refuse_useless_groups(specs, formula, 2)
    X = encode(specs, inputs.take(training)).X
    n_rows, n_features = X.shape
    say(f"training on {n_rows} rows and {n_features} features")
    names = [feature.name for feature in features(specs)]
    curve = None
    if choices.validation.folds is None:
        C = choices.inverse_penalty(n_rows if weights is None else float(weights.sum()))
    else:
        same = np.zeros(len(y), dtype=np.int64)
        curve, _ = choose_penalty(
            columns.take(training),
            y[training],
            fold_rows(table, training, choices, same, choices.validation.folds),
            held_loss_of_numbers(loss.row, y[training], offset[training], weights),
            choices,
            say,
            row=loss.row,
            offset=_given(offset[training]),
            weights=weights,
        )
        C = curve.chosen
        notes += curve_notes(curve)
    trained = train(
        X,
        y[training],
        names,
        C,
        say,
        penalty=choices.penalty(specs, formula),
        gamma=0.0 if curve is None or curve.gamma is None else curve.gamma,
        row=loss.row,
        offset=_given(offset[training]),
        weights=weights,
        journal=journal,
    )
    fit = trained.fit
    notes += complaints(fit, "the columns along which the loss falls for ever")
    notes += trained.notes()
    notes += reading_notes(X, fit, journal)
    if not fit.met and fit.certificate.kind != "separation":
        notes += _advice(loss, y[training], C)
    inference = record = None
    effects: tuple[EffectRow, ...] = ()
    if choices.inference is not None:
        say("computing standard errors")
        # Its import takes a third of the seconds of a small fit.
        from chainrule.tables.inference import cluster_codes, effects_of, infer_rows, record_of

        clusters = cluster_codes(table, choices.inference.clusters)
        inference = infer_rows(
            fit,
            X,
            y[training],
            specs,
            choices.inference,
            C=C,
            row=loss.row,
            weights=weights,
            offset=_given(offset[training]),
            clusters=None if clusters is None else clusters[training],
            table=columns.take(training),
            formula=formula,
        )
        effects = effects_of(inference)
        record = record_of(inference, choices.inference, effects, link=loss.row.link_name)
    seen = [spec.name for spec in specs] if formula is None else formula.columns
    model = TableRegression(
        target=choices.target,
        specs=specs,
        coef=np.ascontiguousarray(trained.point.coef.T),
        intercept=trained.point.intercept.copy(),
        certificate=trained.certificate,
        training=TrainingRecord(
            rows=n_rows,
            held_out=len(held),
            dropped=n_dropped,
            seed=choices.seed,
            missing=choices.missing,
            C=C,
            objective=float(fit.value),
            iterations=fit.n_iter,
            l1_ratio=choices.l1_ratio,
            adaptive=choices.adaptive,
            groups=choices.groups,
            gamma=trained.gamma,
        ),
        loss=loss,
        offsets=offsets,
        reading=reading_record(table, choices),
        formula=formula,
        inference=record,
        trained_on=fit_rows(columns.take(training), seen),
    )
    if choices.validation.test is None:
        measured, where = table.take(held), "held-out rows"
    else:
        measured = read_for_measuring(model, choices.validation.test, choices.file)
        where = f"rows of {Path(choices.validation.test).name}"
    say(f"measuring on {measured.n_rows} {where}")
    metrics = None
    if measured.n_rows:
        is_file = choices.validation.test is not None
        encoded = designed(model, measured, blank=True) if is_file else measured
        rows_of_fit = None
        if is_file:
            rows_of_fit = np.column_stack([y[training], model.score_of(X, offset[training])])
        metrics = _measure(model, measured, encoded, where, notes, rows_of_fit)
    return FittedRegression(
        model=_with_metrics(model, metrics, where),
        metrics=metrics,
        path=solver_path(fit),
        notes=tuple(notes),
        X=X,
        y=y[training],
        offset=offset[training],
        rows=table.row_numbers[training],
        is_weighted=weights is not None,
        training_metrics=None
        if len(held)
        else _measure_rows(model, X, y[training], offset[training], weights),
        inference=inference,
        effects=effects,
        penalty_curve=curve,
        measured_on=where,
    )


def _advice(loss: ChosenLoss, y: Floats, C: float) -> Iterator[str]:
    """Say what may help where the certificate does not prove the tolerance."""
    if np.isinf(C) and loss.row.facts.optimum_may_be_missing:
        yield (
            "without a penalty this loss may have no finite optimum, as where all targets of a "
            "category are 0: penalise with a finite -C or with --alpha, or leave that column out."
        )
    spread = float(y.std())
    if loss.row.link_name == "identity" and not 1 / _FAR < spread < _FAR:
        constants = "".join(f", or set --constant {name}=VALUE" for name in loss.constants)
        yield (
            f"the target has a standard deviation of {spread:.3g}, far from the residuals around "
            f"1 that a loss with a fixed scale is written for: change its unit{constants}."
        )


def _given(offset: Floats) -> Floats | None:
    return offset if offset.any() else None


def _measure(
    model: TableRegression,
    table: Table,
    inputs: Table,
    where: str,
    notes: list[str],
    rows_of_fit: Floats | None,
) -> RegressionMetrics | None:
    """Measure rows: targets, offsets and weights are in one table, inputs in another."""
    y, offset = numbers_of(table, model.target, model.loss, several=False), model.offsets.of(table)
    weights = weights_of(table, model.reading.roles.get("weights"))
    encoded = usable_rows(model.specs, inputs, notes, where)
    if encoded is None:
        return None
    rows = encoded.usable if weights is None else encoded.usable & (weights > 0)
    if not rows.any():
        return None
    weights = None if weights is None else weights[rows]
    X = encoded.X
    X = X.rows_at(np.flatnonzero(rows)) if isinstance(X, StoredArray) else X[rows]
    if rows_of_fit is not None:
        here = np.column_stack([y[rows], model.score_of(X, offset[rows])])
        notes += seen_notes(here, table.row_numbers[rows], rows_of_fit, where)
    return _measure_rows(model, X, y[rows], offset[rows], weights)


def _measure_rows(
    model: TableRegression, X: Matrix, y: Floats, offset: Floats, weights: Floats | None
) -> RegressionMetrics:
    """Measure encoded rows."""
    weight = np.ones(len(y)) if weights is None else weights
    row = model.loss.row
    score = model.score_of(X, offset)
    null = null_score(row, y, weight, offset)
    explained = None
    if row.facts.has_least:
        explained = explained_deviance(row, score, y, weight, offset)
    loss, loss_of_null = (row.kernels.terms(at, y)[0] for at in (score, null))
    return measure_means(y, model.mean_of(score), loss, loss_of_null, explained, weight)


def _with_metrics(
    model: TableRegression, metrics: RegressionMetrics | None, where: str
) -> TableRegression:
    if metrics is None:
        return model
    named: dict[str, Fact] = {name: getattr(metrics, name) for name in _RECORDED}
    named["measured_on"] = f"{metrics.n_rows} {where}"
    return replace(model, training=replace(model.training, metrics=named))
