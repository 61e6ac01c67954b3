"""`model.inference(X, y)`: from a fitted estimator and its rows to errors, intervals and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.frames import is_frame
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.coefficients import INTERCEPT
from chainrule.engine.inference.covariance import KINDS
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.families import family_of
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.likelihoods import ClassLikelihood, Likelihood, ScoreLikelihood
from chainrule.engine.inference.limits import directions_of_classes, fit_limit
from chainrule.engine.inference.moments import Estimate
from chainrule.engine.inference.raw_columns import RawColumns
from chainrule.engine.inference.results import Inference
from chainrule.engine.inference.terms import Limit, Terms
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.evaluation import Point
from chainrule.errors import DataError
from chainrule.estimators.formula_columns import FormulaColumns, taken
from chainrule.estimators.formulas import columns_of, indicators_of
from chainrule.estimators.inputs import n_cores, n_threads

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.estimators.base import LinearEstimator

_CLUSTERS: Final = 40
"""Clusters below which their number is remarked on (Angrist and Pischke 2009, chapter 8)."""

_TRIALS: Final = (
    "Robust errors of shares take every trial for an independent unit. For rows as units, as R's "
    "sandwich has it, take cov='CR0' with one cluster per row."
)

_OF_ONE_SCORE: Final = {"HC2": "HC1", "HC3": "HC1", "CR2": "CR1", "CR3": "CR1"}

Penalised = Literal["bayes", "sandwich"]

_NOTES: Final = {
    "jeffreys": (
        "The likelihood is penalised by Jeffreys' prior (Firth). profile() and lr() are those of "
        "the penalised likelihood, and are to be preferred to the errors above."
    ),
    "bayes": (
        "Errors are those of the posterior whose prior is the penalty (penalised='bayes'): H^-1 "
        "with the penalty in H."
    ),
    "sandwich": (
        "Errors are the spread of the penalised estimate around its own, biased, centre "
        "(penalised='sandwich'), not around the truth."
    ),
}


@dataclass(frozen=True)
class FitFacts:
    """Input of inference from a fit beside its point.

    Attributes
    ----------
    names : sequence of str or None
        Of the columns; None where they have none.
    levels : mapping of str to sequence
        The levels of categorical columns, whose columns are named ``column_level``.
    certificate : Certificate
    fit_intercept : bool
    tol : float
        Tolerance for the fits that a test of separated data needs.
    n_threads : int
    read : callable
        Turns new rows into what a source takes.
    indicators : mapping of str to tuple of int
        The columns of each category whose reference level has none.
    bases : mapping of str to str
        These reference levels.
    penalised_units : ndarray of shape (n_features,) or None
        What the penalty acts on is a coefficient times this; None for 1.
    columns : RawColumns or None
        The columns that the design is computed from, as those of a formula.
    used : ndarray of bool or None
        Which of the rows that were given have a positive weight; None for all.
    """

    names: Sequence[str] | None
    levels: Mapping[str, Sequence[Any] | npt.NDArray[Any]]
    certificate: Certificate
    fit_intercept: bool = True
    tol: float = 1e-8
    n_threads: int = 1
    read: Callable[[Any], Any] = np.asarray
    indicators: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)
    penalised_units: FloatArray | None = None
    columns: RawColumns | None = None
    used: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, estimator: LinearEstimator, X: Any, rows: IntArray | None) -> FitFacts:  # noqa: ANN401
        """Return those of a fitted estimator.

        Parameters
        ----------
        estimator : LinearEstimator
        X : array-like or data frame
            As it was given to `inference`.
        rows : ndarray or None
            Those that count; None for all.
        """
        found = estimator.coef_names_
        names = None if found is None else [str(name) for name in found]
        formula = getattr(estimator, "formula_", None)
        columns = None
        if formula is not None:
            given = columns_of(X, formula.columns) if is_frame(X) else None
            if given is not None and rows is not None:
                given = {name: taken(column, rows) for name, column in given.items()}
            columns = FormulaColumns(formula, given)
        return cls(
            names,
            estimator.levels_,
            estimator.certificate_,
            estimator.fit_intercept,
            estimator.tol,
            n_threads(estimator.n_jobs, default=n_cores()),
            partial(estimator._matrix, reset=False),
            {} if formula is None or names is None else indicators_of(formula, names),
            {} if formula is None else formula.bases,
            columns=columns,
            used=None if rows is None else np.isin(np.arange(_height(X)), rows),
        )


def infer(
    fit: FitFacts,
    X: Any,  # noqa: ANN401
    y: npt.NDArray[Any],
    weights: FloatArray | None,
    offset: FloatArray | None,
    *,
    point: Point,
    row: LossRow | None,
    C: float,
    classes: npt.NDArray[Any] | None,
    cov: str,
    clusters: Any,  # noqa: ANN401
    level: float,
    penalised: Penalised | None,
    base: Any,  # noqa: ANN401
    prior: str = "",
) -> Inference:
    """Return the inference of a fit, its rows given as the engine takes them.

    Parameters
    ----------
    fit : FitFacts
    X : ndarray, sparse matrix or CodedRows
    y : ndarray
        Targets, or class codes.
    weights : ndarray or None
        Positive; None for ones.
    offset : ndarray of shape (n_samples, n_outputs) or None
    point : Point
        The fitted coefficients.
    row : LossRow or None
        None for classes.
    C : float
    classes : ndarray or None
    cov, clusters, level, penalised, base
        As in `LinearEstimator.inference`.
    prior : str
        "jeffreys" for Firth's fits.

    Raises
    ------
    DataError
    """
    _check(cov, level, penalised, C)
    if prior not in ("", "jeffreys"):
        raise DataError(f"errors are those of penalty='jeffreys': fit with it, not with {prior!r}")
    n_classes = 2 if classes is None else len(classes)
    source = InMemorySource(
        X,
        y,
        weights,
        n_classes=n_classes,
        column_names=None if fit.names is None else list(fit.names),
        offset=_against(offset, n_classes, classes, base),
        n_threads=fit.n_threads,
    )
    design = Design(source, fit_intercept=fit.fit_intercept)
    place = 0
    likelihood: Likelihood
    family = None
    if n_classes > 2 and classes is not None:
        if cov in _OF_ONE_SCORE:
            raise DataError(
                f"cov={cov!r} corrects by leverages, which are those of a single score, and there "
                f"are {n_classes} classes: use cov={_OF_ONE_SCORE[cov]!r}"
            )
        place = _place_of(base, classes)
        likelihood = ClassLikelihood(n_classes, place)
        point = Point(
            np.delete(point.coef - point.coef[:, [place]], place, axis=1),
            np.delete(point.intercept - point.intercept[place], place),
        )
    else:
        if base is not None:
            raise DataError("base is for more than two classes")
        loss = find_loss("logistic") if row is None else row
        family = family_of(loss)
        if family is None and cov == "model":
            raise DataError(
                f"the loss {loss.name} is that of no distribution, so its model says nothing of "
                "errors: ask for cov='HC0' or a clustered covariance"
            )
        likelihood = ScoreLikelihood(loss, family)
    threads = fit.n_threads

    def model_at(design: Design, point: Point) -> FittedModel:
        parameters = design.parameters(point)
        return FittedModel(
            Estimate(design, likelihood, parameters, threads),
            family,
            _penalty(C, design, likelihood, fit.penalised_units),
            _self_concordance(likelihood),
            references,
            is_posterior=penalised == "bayes",
        )

    terms = _terms(fit, source, classes, place, likelihood.n_outputs)
    first_levels = [p[0] for name, p in (terms.factors or {}).items() if name not in terms.bases]
    every = [k * len(terms.names) + j for k in range(likelihood.n_outputs) for j in first_levels]
    references: IntArray = np.array(every, dtype=np.intp)
    groups = _codes(clusters, cov, source.n_samples)
    against = "" if likelihood.n_outputs == 1 or classes is None else str(classes[place])
    model, note, limit = model_at(design, point), _NOTES.get(penalised or prior, ""), None
    if fit.certificate.kind == "separation":
        if likelihood.n_outputs > 1:
            raise DataError(_separated_classes(fit, source, classes))
        found = fit_limit(
            source,
            row,
            fit_intercept=fit.fit_intercept,
            tol=fit.tol,
            n_threads=threads,
        )
        if found.fit is None:
            raise DataError(
                f"{fit.certificate} No row is undecided, so nothing can be said of any "
                "coefficient: leave out these columns, or penalise"
            )
        part = source.take_rows(found.undecided)
        whole, point = model, found.fit.point
        model = model_at(Design(part, fit_intercept=fit.fit_intercept), point)
        signs = found.signs if fit.fit_intercept else found.signs[1:]
        limit = Limit(
            signs,
            found.infimum,
            whole,
            found.n_directions,
            partial(_infimum_without, fit, source, row),
            partial(_infimum_at, fit, source, row),
        )
        groups = None if groups is None else groups[found.undecided]
        note = _separated(terms, signs, len(found.undecided), found.proven)
    coefficients = point.coef.T
    if fit.fit_intercept:
        coefficients = np.hstack([point.intercept[:, None], coefficients])
    if np.isinf(C) and len(model.inverse.kept) < coefficients.size:
        model = model.with_references()
        coefficients = (model.design.to_data() @ model.estimate.parameters).T
    if groups is not None:
        note = " ".join(filter(None, [note, _few_clusters(len(np.unique(groups)))]))
    elif cov.startswith("HC") and model.has_shares:
        note = " ".join(filter(None, [note, _TRIALS]))
    if limit is not None:
        ends = np.select([limit.signs > 0, limit.signs < 0], [np.inf, -np.inf], 0.0)
        coefficients = np.where(limit.signs != 0, ends, coefficients)
    return Inference(
        model,
        terms,
        coefficients,
        fit.certificate,
        cov,
        groups,
        float(level),
        against,
        note,
        limit,
        fit.read,
        prior,
        fit.columns,
        fit.used,
    )


def _separated_classes(
    fit: FitFacts, source: InMemorySource, classes: npt.NDArray[Any] | None
) -> str:
    """Return why several classes have no errors: what runs off, and for which class."""
    names = [] if classes is None else [str(c) for c in classes]
    moved = directions_of_classes(
        source, names, fit_intercept=fit.fit_intercept, n_threads=fit.n_threads
    )
    along = f" Coefficients that run off: {moved}." if moved else ""
    return (
        f"{fit.certificate}{along} Of several classes the limit of the other coefficients is not "
        "computed. Leave these columns out, merge the classes that they tell apart, or penalise: a "
        "finite C with penalised='bayes' (-C 1 --penalised bayes)"
    )


def _height(X: Any) -> int:  # noqa: ANN401
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def _few_clusters(count: int) -> str:
    if count >= _CLUSTERS:
        return ""
    return (
        f"There are {count} clusters. With fewer than about {_CLUSTERS}, clustered errors are too "
        "small on average, and these z and p-values overstate the evidence; CR2 and CR3 correct "
        "a part of it."
    )


def _separated(terms: Terms, signs: IntArray, undecided: int, proven: bool) -> str:
    ends = {1: "+inf", -1: "-inf"}
    moved = [f"{terms.names[j]} to {ends[int(signs[j])]}" for j in np.flatnonzero(signs)]
    return (
        f"The data are separated: {', '.join(moved)}. The other coefficients are the limit of "
        f"maximum likelihood, from the {undecided} rows that are left undecided"
        f"{'' if proven else ' (not proven in full)'}. lr() tests every term, those that run off "
        "included."
    )


def _infimum_without(
    fit: FitFacts,
    source: InMemorySource,
    row: LossRow | None,
    columns: IntArray,
) -> float:
    """Return what the loss tends to without some columns."""
    return _infimum(fit, source, row, columns, 0.0)


def _infimum_at(
    fit: FitFacts, source: InMemorySource, row: LossRow | None, column: int, value: float
) -> float:
    """Return what the loss tends to with the coefficient of one column held at a value."""
    return _infimum(fit, source, row, np.array([column]), value)


def _infimum(
    fit: FitFacts, source: InMemorySource, row: LossRow | None, columns: IntArray, value: float
) -> float:
    """Return what the loss tends to with the coefficients of some columns held at a value."""
    X, y, offset = source.given
    if isinstance(X, CodedRows):
        raise DataError(
            "a test or interval for some levels of a separated fit needs them as columns"
        )
    kept = np.setdiff1d(np.arange(source.n_features), columns)
    weight = np.concatenate([source.labels(k)[2] for k in range(source.n_blocks)])
    if value:
        held = np.asarray(X[:, columns].sum(axis=1), dtype=np.float64).reshape(-1, 1) * value
        offset = held if offset is None else offset + held
    part = InMemorySource(
        X[:, kept] if len(kept) else np.zeros((source.n_samples, 1)),
        y,
        weight,
        offset=offset,
        n_threads=fit.n_threads,
    )
    return fit_limit(
        part, row, fit_intercept=fit.fit_intercept, tol=fit.tol, n_threads=fit.n_threads
    ).infimum


def _check(cov: str, level: float, penalised: str | None, C: float) -> None:
    if cov not in KINDS:
        raise DataError(f"cov must be one of {', '.join(KINDS)}, not {cov!r}")
    if not isinstance(level, Real) or not 0 < float(level) < 1:
        raise DataError(f"level must be between 0 and 1, as 0.95, not {level!r}")
    if penalised not in (None, "bayes", "sandwich"):
        raise DataError(f"penalised must be 'bayes' or 'sandwich', not {penalised!r}")
    if np.isfinite(C) and penalised is None:
        raise DataError(
            f"the fit is penalised (C = {C:g}), so its coefficients are biased and textbook errors "
            "do not apply. Fit with C=np.inf (from a table: without -C, --alpha and --cv), or "
            "say how errors are meant: penalised='bayes' or 'sandwich' (--penalised)"
        )
    if np.isinf(C) and penalised is not None:
        raise DataError(f"penalised={penalised!r} is for penalised fits, and this one is not")
    if penalised == "bayes" and cov != "model":
        raise DataError(f"penalised='bayes' has no cov={cov!r}: use penalised='sandwich'")


def _penalty(
    C: float, design: Design, likelihood: Likelihood, units: FloatArray | None
) -> FloatArray | None:
    """Return the Hessian of the penalty; against a base class, classes are tied to each other."""
    if np.isinf(C):
        return None
    size = 1 / (C * design.source.column_scale[design.columns] ** 2)
    if units is not None:
        size = size * units[design.columns] ** 2
    if design.fit_intercept:
        size = np.concatenate([[0.0], size])
    k = likelihood.n_outputs
    tied = np.eye(k) if k == 1 else np.eye(k) - 1 / (k + 1)
    return np.asarray(np.kron(tied, np.diag(size)), dtype=np.float64)


def _self_concordance(likelihood: Likelihood) -> float | None:
    if isinstance(likelihood, ScoreLikelihood):
        return likelihood.row.facts.self_concordance
    return 1.0  # times the range of scores, which `FittedModel` counts


def _terms(
    fit: FitFacts,
    source: InMemorySource,
    classes: npt.NDArray[Any] | None,
    place: int,
    n_outputs: int,
) -> Terms:
    first = int(fit.fit_intercept)
    known = fit.names is not None
    columns = [str(n) if known else f"x{j}" for j, n in enumerate(source.column_names)]
    names = ([INTERCEPT] if first else []) + columns
    factors = {}
    for factor, levels in fit.levels.items():
        wanted = [f"{factor}_{level}" for level in levels]
        factors[str(factor)] = tuple(first + columns.index(name) for name in wanted)
    outputs: tuple[str, ...] = ("",)
    if n_outputs > 1 and classes is not None:
        outputs = tuple(str(c) for k, c in enumerate(classes) if k != place)
    for factor, places in fit.indicators.items():
        factors[factor] = tuple(first + j for j in places)
    parts = {} if fit.columns is None else fit.columns.parts()
    products = {
        term: tuple(names.index(name) for name in found)
        for term, found in parts.items()
        if term not in factors and term not in names
    }
    return Terms(tuple(names), outputs, factors, fit.bases, products)


def _codes(clusters: Any, cov: str, n_samples: int) -> IntArray | None:  # noqa: ANN401
    if cov.startswith("CR") != (clusters is not None):
        if clusters is None:
            raise DataError(f"cov={cov!r} needs clusters: one label per row")
        raise DataError(f"clusters are for cov='CR0' ... 'CR3', not for cov={cov!r}")
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.shape != (n_samples,):
        raise DataError(f"clusters has shape {labels.shape}, expected ({n_samples},)")
    found, codes = np.unique(labels, return_inverse=True)
    if len(found) < 2:
        raise DataError("clusters holds one cluster only; at least two are needed")
    return np.asarray(codes, dtype=np.intp)


def _place_of(base: Any, classes: npt.NDArray[Any]) -> int:  # noqa: ANN401
    if base is None:
        return 0
    found = np.flatnonzero(classes == base)
    if not len(found):
        raise DataError(f"base={base!r} is none of the classes: {', '.join(map(str, classes))}")
    return int(found[0])


def _against(
    offset: FloatArray | None,
    n_classes: int,
    classes: npt.NDArray[Any] | None,
    base: Any,  # noqa: ANN401
) -> FloatArray | None:
    """Return offsets against those of the base class."""
    if offset is None or n_classes == 2 or classes is None:
        return offset
    place = _place_of(base, classes)
    return np.delete(offset - offset[:, [place]], place, axis=1)
