"""Fitting a table: target, split, encoding, training and metrics.

The encoding is fitted from the training rows alone, so that nothing of the held-out rows reaches
the model that they measure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chainrule.display import DisplayedAsPage
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.machine import give_memory_back
from chainrule.errors import DataError
from chainrule.tables.coded_encoding import encode_for_fit, written_out
from chainrule.tables.encoding import Matrix
from chainrule.tables.encoding_fit import fit_encoding
from chainrule.tables.fit_results import (
    SolverIteration,
    complaints,
    solver_path,
)
from chainrule.tables.fit_rows import fit_rows
from chainrule.tables.formula import fit_design, formula_columns, with_bases
from chainrule.tables.inference_record import EffectRow
from chainrule.tables.metrics import Codes, Metrics, measure
from chainrule.tables.model import TableModel
from chainrule.tables.offsets import OffsetColumns
from chainrule.tables.options import FitOptions, without_gaps
from chainrule.tables.penalties import refuse_useless_groups
from chainrule.tables.records import Fact, TrainingRecord
from chainrule.tables.remarks import column_notes, label_notes, leak_notes
from chainrule.tables.row_storage import IN_MEMORY, Storage, open_rows, reading_notes
from chainrule.tables.specs import features
from chainrule.tables.splitting import fold_rows, split_rows
from chainrule.tables.table import Table
from chainrule.tables.target import Targets, labels_of, positive_last, refuse_lost_classes
from chainrule.tables.training import StatusCallback, reading_record, train
from chainrule.tables.validation.measuring import (
    rows_to_measure,
    scored_out_of_fold,
    threshold_of,
    ungrouped_notes,
    usable_rows,
)
from chainrule.tables.validation.penalty import (
    PenaltyCurve,
    choose_penalty,
    curve_notes,
    held_loss_of_classes,
    refuse_lost_class_of_fold,
)
from chainrule.tables.validation.quality import Validation, validate
from chainrule.tables.validation.scored import check_test_file, refuse_many_groups
from chainrule.tables.validation.seen import seen_notes
from chainrule.tables.weighting import trials_of, weights_of

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference

_SUSPECT_AUC = 0.9995


@dataclass(frozen=True, eq=False)
class FittedTable(DisplayedAsPage):
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
    encoded : ndarray, CSR matrix or CodedRows of shape (n_samples, n_features)
        The training rows as the engine saw them; `X` writes codes out.
    y : ndarray of int of shape (n_samples,)
        Their classes, as places in `model.classes`.
    is_weighted : bool
        Whether rows count differently, by weights or by trials.
    training_metrics : Metrics or None
        On the training rows, where none were held out.
    inference : Inference or None
        Errors, intervals and tests, where they were asked for.
    effects : tuple of EffectRow
        Average marginal effects of the columns, with the inference.
    rows : ndarray of int of shape (n_samples,)
        Their row numbers, from 1.
    validation : Validation or None
        Intervals of the metrics, thresholds, groups; None where nothing is measured.
    penalty_curve : PenaltyCurve or None
        The choice of the penalty, with --cv.
    weights, offset : ndarray of shape (n_samples,) or None
        Their weights, and what is added to their scores.
    has_shares : bool
        Whether rows hold shares of trials.
    """

    model: TableModel
    metrics: Metrics | None
    path: tuple[SolverIteration, ...]
    notes: tuple[str, ...]
    class_counts: dict[str, int]
    encoded: Matrix | CodedRows
    y: Codes
    rows: NDArray[np.intp]
    is_weighted: bool = False
    validation: Validation | None = None
    penalty_curve: PenaltyCurve | None = None
    training_metrics: Metrics | None = None
    inference: Inference | None = None
    effects: tuple[EffectRow, ...] = ()
    weights: NDArray[np.float64] | None = None
    offset: NDArray[np.float64] | None = None
    has_shares: bool = False

    @cached_property
    def X(self) -> Matrix:
        """The training rows as an array, a sparse matrix or an array in a file."""
        return written_out(self.encoded)


def fit_file(
    path: str | Path,
    choices: FitOptions,
    say: StatusCallback = lambda words: None,
    storage: Storage = IN_MEMORY,
) -> FittedTable:
    """Read a file and fit it; see `fit_table`."""
    choices.check()
    say(f"reading {Path(path).name}")
    read, folds = choices.declared(labels=True), choices.validation.folds is not None
    with open_rows(path, read, storage, repr(choices), say, folds=folds) as rows:
        return fit_table(rows.table, choices, say, rows.journal)


def fit_table(
    table: Table,
    choices: FitOptions,
    say: StatusCallback = lambda words: None,
    journal: Journal | None = None,
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
    journal : Journal, optional
        Keeps the results of passes, so that a fit that was stopped goes on.

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
    if choices.exposure is not None:
        raise DataError(
            "--exposure is for losses of numbers, such as --loss poisson. Omit it, or choose such "
            "a loss."
        )
    if choices.validation.test is not None:
        check_test_file(choices.validation.test, choices.target, choices.file)
    table = formula_columns(table.without(set(choices.left_out)), choices)
    if choices.validation.by is not None:
        refuse_many_groups(table.column(choices.validation.by).as_text(), table.source)
    notes = list(table.notes)
    table, n_dropped = without_gaps(table, choices, notes)
    targets = _targets(table, choices)
    classes, actual = targets.classes, targets.codes
    offsets = OffsetColumns(choices.offset)
    if choices.offset is not None and len(classes) > 2:
        raise DataError(
            f"{table.source}: --offset shifts one score, and the target {choices.target!r} has "
            f"{len(classes)} classes. Omit it."
        )
    offset = offsets.of(table) if choices.offset is not None else None
    inputs = table.without(choices.no_features)
    # Before the positive label is put last: which one that is must not change the split.
    training, held = split_rows(table, choices, actual)
    if choices.positive is not None:
        where = f"{table.source}: the target {choices.target!r}"
        classes, actual = positive_last(classes, actual, choices.positive, where)
    refuse_lost_classes(classes, actual[training], choices, table.source)
    say(f"encoding {len(training)} rows")
    columns = table
    table, inputs, formula = fit_design(table, choices, training)
    columns_of_fit = inputs.view(training)
    learned = fit_encoding(
        columns_of_fit,
        choices.missing,
        choices.categories,
        rare=choices.rare,
        unknown=choices.unknown,
        weights=None if targets.weights is None else targets.weights[training],
    )
    specs = with_bases(learned.specs, formula)
    notes += learned.notes
    if choices.trials is None:
        notes += label_notes(choices.target, classes)
    notes += column_notes(columns_of_fit, choices)
    notes += leak_notes(columns_of_fit, actual[training], len(classes))
    if choices.groups is not None:
        refuse_useless_groups(specs, formula, len(classes))
    X = encode_for_fit(specs, columns_of_fit).X
    if choices.l1_ratio != 0 or choices.inference is not None:
        X = written_out(X)  # these take single columns, which codes do not have
    give_memory_back()  # of columns that were looked up on the way
    n_rows, n_features = X.shape
    say(f"training on {n_rows} rows and {n_features} features")
    names = [feature.name for feature in features(specs)]
    weights = None if targets.weights is None else targets.weights[training]
    y = targets.shares[training] if targets.shares is not None else actual[training]
    shift = None if offset is None else offset[training]
    curve = out_of_fold = None
    if choices.validation.folds is None:
        C = choices.inverse_penalty(n_rows if weights is None else float(weights.sum()))
    else:
        folds = fold_rows(table, training, choices, actual, choices.validation.folds)
        if choices.trials is None:
            refuse_lost_class_of_fold(classes, actual[training], folds, table.source)
        curve, out_of_fold = choose_penalty(
            columns.take(training),
            y,
            folds,
            held_loss_of_classes(targets, actual, training, shift),
            choices,
            say,
            n_classes=len(classes),
            offset=shift,
            weights=weights,
        )
        C = curve.chosen
        notes += curve_notes(curve)
    trained = train(
        X,
        y,
        names,
        C,
        say,
        penalty=choices.penalty(specs, formula),
        gamma=0.0 if curve is None or curve.gamma is None else curve.gamma,
        n_classes=len(classes),
        offset=shift,
        weights=weights,
        journal=journal,
    )
    fit = trained.fit
    notes += [*complaints(fit), *trained.notes(), *reading_notes(X, fit, journal)]
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
            y,
            specs,
            choices.inference,
            C=C,
            classes=classes,
            weights=weights,
            offset=shift,
            clusters=None if clusters is None else clusters[training],
            table=columns.take(training),
            formula=formula,
        )
        effects = effects_of(inference)
        record = record_of(inference, choices.inference, effects, link="logit")
    seen = [spec.name for spec in specs] if formula is None else formula.columns
    model = TableModel(
        target=choices.target,
        classes=classes,
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
        offsets=offsets,
        reading=reading_record(table, choices),
        formula=formula,
        inference=record,
        trained_on=fit_rows(columns.view(training), seen),
    )
    scored, where = rows_to_measure(model, table, held, targets.take(held, actual), choices, say)
    scored = usable_rows(scored, where, notes)
    notes += ungrouped_notes(scored, where, choices)
    chosen_on = ""
    if choices.validation.threshold is not None:
        source, chosen_on = scored, where
        if choices.validation.threshold not in ("best", "cost"):
            chosen_on = ""
        elif out_of_fold is not None:
            source = scored_out_of_fold(out_of_fold, targets, actual, training, shift)
            chosen_on = f"{len(out_of_fold.rows)} training rows, each scored by a fold without it"
        model = replace(model, threshold=threshold_of(classes, source, choices))
    metrics = validation = None
    is_file = choices.validation.test is not None
    counted = targets.take(training, actual)
    proba = None
    if is_file or not len(held):
        added = 0.0 if shift is None else shift
        proba = model.proba_of(written_out(X), added)[counted.rows]
    if is_file and scored is not None and proba is not None:
        here = np.column_stack([scored.codes, scored.proba[:, 1:]])
        rows_of_fit = np.column_stack([counted.codes, proba[:, 1:]])
        notes += seen_notes(here, scored.numbers, rows_of_fit, where)
    if scored is not None:
        metrics = measure(scored.codes, scored.proba, classes, scored.weights, model.threshold)
        validation = validate(
            scored,
            where,
            threshold=model.threshold,
            chosen_on=chosen_on,
            costs=choices.validation.costs,
            seed=choices.seed,
        )
    if metrics is not None and metrics.auc is not None and metrics.auc > _SUSPECT_AUC:
        notes.append(
            f"the AUC on {where} is {metrics.auc:.4f}: is a column known only after the "
            "target? See the largest coefficients, and leave such a column out with --ignore."
        )
    counts = np.bincount(counted.codes, counted.weights, minlength=len(classes))
    return FittedTable(
        model=_with_metrics(model, metrics, validation),
        metrics=metrics,
        path=solver_path(fit),
        notes=tuple(notes),
        class_counts={label: round(n) for label, n in zip(classes, counts, strict=True)},
        encoded=X,
        y=actual[training],
        is_weighted=targets.weights is not None,
        rows=table.row_numbers[training],
        validation=validation,
        penalty_curve=curve,
        training_metrics=None
        if proba is None or len(held)
        else measure(counted.codes, proba, classes, counted.weights),
        inference=inference,
        effects=effects,
        weights=weights,
        has_shares=targets.shares is not None,
        offset=shift,
    )


def _targets(table: Table, choices: FitOptions) -> Targets:
    """Return classes, codes and weights; of trials, one class of failures and one of successes."""
    if choices.trials is None:
        classes, codes = labels_of(
            table,
            choices.target,
            fold=choices.fold_labels,
            declared=choices.target in choices.categories,
        )
        return Targets(classes, codes, weights_of(table, choices.weights))
    if choices.weights is not None:
        raise DataError("--trials and --weights both weight the rows. Give one of them.")
    if choices.positive is not None:
        raise DataError("--positive names a label, and --trials counts. Omit it.")
    successes, trials = trials_of(table, choices.target, choices.trials)
    shares = np.divide(successes, trials, out=np.zeros(len(trials)), where=trials > 0)
    codes = (shares > 0.5).astype(np.int64)
    return Targets((f"not {choices.target}", choices.target), codes, trials, shares)


def _with_metrics(
    model: TableModel, metrics: Metrics | None, validation: Validation | None
) -> TableModel:
    if metrics is None or validation is None:
        return model
    named: dict[str, Fact] = {
        name: getattr(metrics, name)
        for name in ("log_loss", "accuracy", "auc", "brier", "average_precision")
    }
    named["measured_on"] = f"{validation.n_rows} {validation.rows}"
    if validation.threshold_rows:
        named["threshold_chosen_on"] = validation.threshold_rows
    return replace(model, training=replace(model.training, metrics=named))


__all__ = ["FitOptions", "FittedTable", "SolverIteration", "fit_file", "fit_table"]
