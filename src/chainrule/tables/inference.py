"""Inference of a fitted table: errors, intervals and tests in the units of the file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.inference.effects import average_effects
from chainrule.engine.inference.summaries import facts
from chainrule.errors import DataError
from chainrule.tables.column_effects import TableColumns
from chainrule.tables.effects import EFFECTS
from chainrule.tables.encoding import Matrix
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.inference_record import EffectRow, InferenceRecord, TermRow, estimated
from chainrule.tables.own_units import in_units
from chainrule.tables.specs import CategorySpec, Spec, features

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference
    from chainrule.engine.losses.facts import LossRow
    from chainrule.engine.results import Fit
    from chainrule.formulas.design import Formula
    from chainrule.tables.table import Table

Floats = NDArray[np.float64]


def infer_rows(
    fit: Fit,
    X: Matrix,
    y: NDArray[Any],
    specs: tuple[Spec, ...],
    choices: InferenceOptions,
    *,
    C: float,
    classes: tuple[str, ...] | None = None,
    row: LossRow | None = None,
    weights: Floats | None = None,
    offset: Floats | None = None,
    clusters: NDArray[Any] | None = None,
    table: Table | None = None,
    formula: Formula | None = None,
) -> Inference:
    """Return the inference of a fit to encoded rows, in the units of the file.

    Parameters
    ----------
    fit : Fit
        Of the encoded rows.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The encoded rows.
    y : ndarray of shape (n_samples,)
        Class codes, shares or targets.
    specs : tuple of Spec
    choices : InferenceOptions
    C : float
        Inverse strength of the penalty of the fit.
    classes : tuple of str, optional
    row : LossRow, optional
        The loss, if it is not that of classes.
    weights, offset : ndarray of shape (n_samples,), optional
    clusters : ndarray of shape (n_samples,), optional
        The cluster of each row.
    table : Table, optional
        The rows as they were before they were encoded: effects move their columns, where features
        come from a formula.
    formula : Formula, optional
    """
    from chainrule.engine.objective.evaluation import Point
    from chainrule.estimators.fit_facts import FitFacts
    from chainrule.estimators.inference import infer

    named = features(specs)
    mean = np.array([feature.mean for feature in named])
    scale = np.array([feature.scale for feature in named])
    coef = fit.point.coef / scale[:, None]
    indicators, bases = _categories(specs)
    kept = slice(None) if weights is None else np.flatnonzero(weights > 0)
    columns = None
    if table is not None and formula is not None:
        counted = table if isinstance(kept, slice) else table.take(kept)
        columns = TableColumns(counted, specs, formula)
    described = FitFacts(
        [feature.name for feature in named],
        {},
        fit.certificate,
        n_threads=fit.n_threads,
        indicators=indicators,
        bases=bases,
        penalised_units=scale,
        used=None if weights is None or (weights > 0).all() else weights > 0,
        columns=columns,
    )
    try:
        return infer(
            described,
            in_units(X[kept], specs),
            y[kept],
            None if weights is None else weights[kept],
            None if offset is None else offset[kept, None],
            point=Point(coef, fit.point.intercept - mean @ coef),
            row=row,
            C=C,
            classes=None if classes is None else np.array(classes, dtype=object),
            cov=choices.kind,
            clusters=None if clusters is None else clusters[kept],
            level=choices.level,
            penalised=choices.penalised,
            base=None,
        )
    except DataError as error:
        raise DataError(_in_options(str(error))) from error


def _in_options(said: str) -> str:
    """Return an error of the estimators with the options of the command line."""
    named = re.sub(r"\b(cov|penalised)='(\w+)'", r"--\1 \2", said)
    return named.replace("sample_weight", "--weights")


def cluster_codes(table: Table, name: str | None) -> NDArray[np.int64] | None:
    """Return the cluster of each row; a row without one is rejected."""
    if name is None:
        return None
    column = table.column(name).as_text()
    if column.missing.any():
        row = table.row_numbers[int(np.flatnonzero(column.missing)[0])]
        raise DataError(
            f"{table.source}: the cluster {name!r}, row {row}: the value is missing. Correct the "
            "cell, or leave the row out: --missing drop."
        )
    if len(np.unique(column.codes)) < 2:
        raise DataError(
            f"{table.source}: all rows have one cluster in {name!r}; two are needed at least. "
            "Name another column, or omit --clusters."
        )
    return column.codes


def record_of(
    inference: Inference | None,
    choices: InferenceOptions | None,
    effects: tuple[EffectRow, ...],
    *,
    link: str,
) -> InferenceRecord | None:
    """Return what the model file keeps of an inference; None where there is none."""
    if inference is None or choices is None:
        return None
    statistics = {k: float(v) for k, v in inference.glance().as_dict().items()}
    codes = inference.clusters
    return InferenceRecord(
        cov=inference.cov,
        level=inference.level,
        clusters=choices.clusters,
        n_clusters=0 if codes is None else len(np.unique(codes)),
        statistic="z" if np.isinf(inference.df_residual) else "t",
        base=inference.base,
        ratio=EFFECTS[link].ratio,
        facts=tuple(facts(inference)),
        note=" ".join(filter(None, [inference.note, _without_effects(inference, choices)])),
        statistics=statistics,
        terms=tuple(
            TermRow(**estimated(row), reference=str(row.get("reference", "")))
            for row in inference.tidy.rows()
        ),
        effects=effects if choices.effects else (),
    )


def _without_effects(inference: Inference, choices: InferenceOptions) -> str:
    """Return why there are no marginal effects though they were asked for; empty if there are."""
    if not choices.effects:
        return ""
    if inference.limit is not None:
        return (
            "There are no marginal effects (--effects): they are of an optimum, and the data are "
            "separated. Leave out the columns that run off, or penalise: -C 1."
        )
    if inference.model.family is None and len(inference.terms.outputs) == 1:
        return "There are no marginal effects (--effects): the loss is that of no distribution."
    return ""


def effects_of(inference: Inference) -> tuple[EffectRow, ...]:
    """Return the average marginal effects of the columns; none where there is no mean."""
    several = len(inference.terms.outputs) > 1
    if inference.limit is not None or (inference.model.family is None and not several):
        return ()
    rows = average_effects(inference, discrete=True).rows()
    return tuple(EffectRow(**estimated(row), contrast=str(row["contrast"])) for row in rows)


def _categories(specs: tuple[Spec, ...]) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Return the columns of each category, and its base."""
    places: dict[str, tuple[int, ...]] = {}
    bases: dict[str, str] = {}
    start = 0
    for spec in specs:
        stop = start + len(features((spec,)))
        if isinstance(spec, CategorySpec):
            places[spec.name], bases[spec.name] = tuple(range(start, stop)), spec.base
        start = stop
    return places, bases
