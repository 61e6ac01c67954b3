"""`LogisticRegression(penalty="jeffreys")`: Firth's fit as an estimator keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray, norm
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.design import Design
from chainrule.engine.inference.families import family_of
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.jeffreys import corrected, fit_penalised, penalised_gradient
from chainrule.engine.inference.likelihoods import ScoreLikelihood
from chainrule.engine.inference.moments import Estimate
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.solvers.steps import IterationRecord
from chainrule.estimators.inputs import are_implied, n_cores, n_threads


@dataclass(frozen=True)
class JeffreysFit:
    """A fit with Jeffreys' prior.

    Attributes
    ----------
    point : Point
    objective : float
        Loss less half the log-determinant of the information.
    certificate : Certificate
    n_iter : int
    met : bool
        Whether the modified score is next to zero.
    """

    point: Point
    objective: float
    certificate: Certificate
    n_iter: int
    met: bool

    @property
    def history(self) -> list[IterationRecord]:
        """Nothing: its steps are not recorded."""
        return []

    def explain(self) -> str:
        """Say how it was fitted."""
        return (
            f"Firth's logistic regression by Fisher scoring, {self.n_iter} steps; X is read twice "
            f"a step. {self.certificate}"
        )


def fit_jeffreys(
    X: Any,  # noqa: ANN401
    codes: npt.NDArray[Any],
    weights: FloatArray | None,
    offset: FloatArray | None,
    *,
    penalty: str,
    fit_intercept: bool,
    tol: float,
    max_iter: int,
    n_threads: int,
) -> JeffreysFit:
    """Fit two classes with Jeffreys' prior.

    Parameters
    ----------
    X : ndarray, sparse matrix or CodedRows
    codes : ndarray of shape (n_samples,)
        0 and 1, or proportions of 1.
    weights, offset : ndarray or None
    penalty : str
        "jeffreys", or it with "-flic" or "-flac".
    fit_intercept : bool
    tol : float
        The slope, in standard errors, at which the fit stops; at least 1e-10.
    max_iter, n_threads : int
    """
    source = InMemorySource(X, codes, weights, offset=offset, n_threads=n_threads)
    design = Design(source, fit_intercept=fit_intercept)
    row = find_loss("logistic")
    likelihood = ScoreLikelihood(row, family_of(row))
    estimate = Estimate(design, likelihood, np.zeros((design.n_terms, 1)), n_threads)
    start = FittedModel(estimate, likelihood.family, None, None, np.array([], dtype=np.intp))
    best = fit_penalised(start, max_iter=max_iter)
    theta = (best.model.design.to_data() @ best.model.estimate.parameters)[:, 0]
    first = int(fit_intercept)
    point = Point(theta[first:, None], theta[:1] if first else np.zeros(1))
    gradient = penalised_gradient(best.model)
    met = best.decrement <= max(tol, 1e-10)
    if penalty != "jeffreys":
        point = corrected(best, source, point, penalty.removeprefix("jeffreys-"), tol=1e-12)
    because = (
        "the likelihood with Jeffreys' prior is not known to have one optimum; at this point its "
        f"slope is {best.decrement:.1g} standard errors from zero"
    )
    certificate = Certificate(
        "none", float("inf"), float("inf"), float("inf"), norm(gradient), 0.0, False, because
    )
    return JeffreysFit(point, best.value, certificate, best.n_iter, met)


def fit_firth(
    model: Any,  # noqa: ANN401
    X: Any,  # noqa: ANN401
    y: npt.NDArray[Any],
    weights: FloatArray,
    rows: IntArray | None,
    offset: FloatArray | None,
) -> JeffreysFit:
    """Fit some rows, or all, with the parameters of an estimator, and describe the fit in it.

    Parameters
    ----------
    model : LogisticRegression
    X, weights, rows, offset
        All rows, and which of them to fit.
    y : ndarray
        Of the rows to fit alone.
    """
    if rows is not None:
        X, weights = X[rows], weights[rows]
        offset = None if offset is None else offset[rows]
    if isinstance(X, CodedRows):
        X = X.occurring(rows)
    model.levels_ = getattr(X, "levels", {})
    names = getattr(X, "names", getattr(model, "feature_names_in_", None))
    model.coef_names_ = None if names is None else np.array(names, dtype=object)
    fit = fit_jeffreys(
        X,
        y,
        None if are_implied(weights) else weights,
        offset,
        penalty=str(model.penalty),
        fit_intercept=model.fit_intercept,
        tol=model.tol,
        max_iter=model.max_iter,
        n_threads=n_threads(model.n_jobs, default=n_cores()),
    )
    model._fit, model.objective_ = fit, fit.objective
    model._has_offset = offset is not None
    model.solver_, model.n_passes_ = "fisher-scoring", 2.0 * fit.n_iter
    model.n_iter_ = np.array([fit.n_iter], dtype=np.int32)
    return fit
