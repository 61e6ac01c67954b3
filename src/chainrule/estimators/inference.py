"""`model.inference(X, y)`: from a fitted estimator and its rows to errors, intervals and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.coefficients import INTERCEPT
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.families import family_of
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.likelihoods import ClassLikelihood, Likelihood, ScoreLikelihood
from chainrule.engine.inference.moments import Estimate
from chainrule.engine.inference.results import Inference
from chainrule.engine.inference.terms import Terms
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.evaluation import Point
from chainrule.errors import DataError
from chainrule.estimators.fit_facts import FitFacts
from chainrule.estimators.inference_options import (
    NOTES,
    OF_ONE_SCORE,
    TRIALS,
    Penalised,
    base_place,
    check_options,
    cluster_codes,
    few_clusters,
    offset_against,
)
from chainrule.estimators.separated_fits import separated_fit


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
    check_options(cov, level, penalised, C)
    if prior not in ("", "jeffreys"):
        raise DataError(f"errors are those of penalty='jeffreys': fit with it, not with {prior!r}")
    n_classes = 2 if classes is None else len(classes)
    source = InMemorySource(
        X,
        y,
        weights,
        n_classes=n_classes,
        column_names=None if fit.names is None else list(fit.names),
        offset=offset_against(offset, n_classes, classes, base),
        n_threads=fit.n_threads,
    )
    several = classes if n_classes > 2 else None
    place = 0 if several is None else base_place(base, several)
    terms = _terms(fit, source, several, place)
    if several is None:
        if base is not None:
            raise DataError("base is for more than two classes")
        likelihood: Likelihood = _score_likelihood(row, cov)
    else:
        likelihood = _class_likelihood(n_classes, place, cov)
        point = _against(point, place)
    models = _Models(fit, likelihood, _references(terms), C, is_posterior=penalised == "bayes")
    groups = cluster_codes(clusters, cov, source.n_samples)
    model, note, separated = models.at(source, point), NOTES.get(penalised or prior, ""), None
    if fit.certificate.kind == "separation":
        separated = separated_fit(fit, source, row, classes, terms, model)
        point, note = separated.point, separated.note
        model = models.at(source.take_rows(separated.undecided), point)
        groups = None if groups is None else groups[separated.undecided]
    coefficients = point.coef.T
    if fit.fit_intercept:
        coefficients = np.hstack([point.intercept[:, None], coefficients])
    if np.isinf(C) and len(model.inverse.kept) < coefficients.size:
        model = model.with_references()
        coefficients = (model.design.to_data() @ model.estimate.parameters).T
    if separated is not None:
        coefficients = separated.ends(coefficients)
    remark = ""
    if groups is not None:
        remark = few_clusters(len(np.unique(groups)))
    elif cov.startswith("HC") and model.has_shares:
        remark = TRIALS
    return Inference(
        model,
        terms,
        coefficients,
        fit.certificate,
        cov=cov,
        clusters=groups,
        level=float(level),
        base="" if several is None else str(several[place]),
        note=" ".join(filter(None, [note, remark])),
        limit=None if separated is None else separated.limit,
        read=fit.read,
        prior=prior,
        columns=fit.columns,
        used=fit.used,
    )


@dataclass(frozen=True)
class _Models:
    """Models of one likelihood and penalty, at any rows and coefficients."""

    fit: FitFacts
    likelihood: Likelihood
    references: IntArray
    C: float
    is_posterior: bool

    def at(self, source: InMemorySource, point: Point) -> FittedModel:
        """Return the model of some rows at some coefficients."""
        design = Design(source, fit_intercept=self.fit.fit_intercept)
        return FittedModel(
            Estimate(design, self.likelihood, design.parameters(point), self.fit.n_threads),
            self.likelihood.family if isinstance(self.likelihood, ScoreLikelihood) else None,
            _penalty(self.C, design, self.likelihood, self.fit.penalised_units),
            _self_concordance(self.likelihood),
            self.references,
            is_posterior=self.is_posterior,
        )


def _score_likelihood(row: LossRow | None, cov: str) -> ScoreLikelihood:
    loss = find_loss("logistic") if row is None else row
    family = family_of(loss)
    if family is None and cov == "model":
        raise DataError(
            f"the loss {loss.name} is that of no distribution, so its model says nothing of "
            "errors: ask for cov='HC0' or a clustered covariance"
        )
    return ScoreLikelihood(loss, family)


def _class_likelihood(n_classes: int, place: int, cov: str) -> ClassLikelihood:
    if cov in OF_ONE_SCORE:
        raise DataError(
            f"cov={cov!r} corrects by leverages, which are those of a single score, and there "
            f"are {n_classes} classes: use cov={OF_ONE_SCORE[cov]!r}"
        )
    return ClassLikelihood(n_classes, place)


def _against(point: Point, place: int) -> Point:
    """Return coefficients of all classes as those against one of them."""
    return Point(
        np.delete(point.coef - point.coef[:, [place]], place, axis=1),
        np.delete(point.intercept - point.intercept[place], place),
    )


def _references(terms: Terms) -> IntArray:
    """Return the coefficients of the first level of each factor that has a column for each."""
    first = [p[0] for name, p in (terms.factors or {}).items() if name not in terms.bases]
    n_terms = len(terms.names)
    every = [k * n_terms + j for k in range(len(terms.outputs)) for j in first]
    return np.array(every, dtype=np.intp)


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
    fit: FitFacts, source: InMemorySource, classes: npt.NDArray[Any] | None, place: int
) -> Terms:
    """Return the names of the coefficients: of one output, or of each class but the base."""
    first = int(fit.fit_intercept)
    known = fit.names is not None
    columns = [str(n) if known else f"x{j}" for j, n in enumerate(source.column_names)]
    names = ([INTERCEPT] if first else []) + columns
    factors = {}
    for factor, levels in fit.levels.items():
        wanted = [f"{factor}_{level}" for level in levels]
        factors[str(factor)] = tuple(first + columns.index(name) for name in wanted)
    outputs: tuple[str, ...] = ("",)
    if classes is not None:
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
