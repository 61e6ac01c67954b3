"""`fit_logistic`: logistic regression on plain arrays, without scikit-learn.

A first fit does not wait for scikit-learn to be imported, which takes longer than most fits. The
optimum, its proof and the engine are those of `LogisticRegression`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, is_sparse
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.data.number_arrays import as_numbers
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.data.sparse_places import refuse_places
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.prediction import probabilities, raw_predictions
from chainrule.engine.results import Fit
from chainrule.errors import DataError
from chainrule.estimators.inputs import (
    are_implied,
    as_labels,
    as_offset,
    as_weights,
    class_weighted,
    codes_of,
    distinct,
    n_cores,
    n_threads,
    positive,
    threads_of,
)
from chainrule.estimators.penalties import shared_l1_ratio
from chainrule.estimators.predictions import Predictions

Matrix = Any


@dataclass(frozen=True, eq=False)
class LogisticFit(Predictions):
    """A fitted logistic regression; it predicts, and does not change.

    Attributes
    ----------
    coef : ndarray of shape (n_features,) or (n_classes, n_features)
        One row per class for more than two classes; these sum to zero.
    intercept : float or ndarray of shape (n_classes,)
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    objective : float
        The objective at the fit.
    n_iter : int
    converged : bool
        Whether the certificate proves the tolerance.
    """

    coef: FloatArray
    intercept: Any
    classes: npt.NDArray[Any]
    objective: float
    n_iter: int
    converged: bool
    _fit: Fit = field(repr=False)

    @property
    def certificate(self) -> Certificate:
        """The proven distance from the optimum."""
        return self._fit.certificate

    def explain(self) -> str:
        """Return how the fit was done: method and reason, reads of X, seconds, and the proof."""
        return self._fit.explain()

    def _labels(self) -> npt.NDArray[Any]:
        return self.classes

    def _raw_prediction(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        table, point = as_table(X), self._fit.point
        return raw_predictions(table, point, **self._how(table, point, offset))

    def _probabilities(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        table, point = as_table(X), self._fit.point
        return probabilities(table, point, **self._how(table, point, offset))

    def _how(self, table: Matrix, point: Point, offset: Matrix | None) -> dict[str, Any]:
        n_features, n_outputs = point.coef.shape
        if table.shape[1] != n_features:
            raise DataError(
                f"X has {table.shape[1]} columns, but the fit had {n_features}: pass the same "
                "columns in the same order"
            )
        return {"offset": as_offset(offset, table.shape[0], n_outputs), "n_threads": n_cores()}


def fit_logistic(
    X: Matrix,
    y: npt.ArrayLike,
    *,
    C: float = 1.0,
    l1_ratio: float = 0.0,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
    offset: npt.ArrayLike | None = None,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_jobs: int | None = None,
) -> LogisticFit:
    """Fit logistic regression to plain arrays, with a proof of how good the fit is.

    Minimises ``sum_i s_i loss_i + |coef|^2 / (2 C)`` as `LogisticRegression` does, or with an
    elastic net, and imports no scikit-learn.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels: integers, booleans, strings, or floats that are whole numbers.
    C : float, default=1.0
        Inverse strength of the penalty; ``np.inf`` for none.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty: 1 is the lasso, 0 is L2, between them elastic net.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative; k means k repetitions of the row.
    class_weight : dict or 'balanced', optional
        Factors on the sample weights, by class.
    offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
        Added to the scores as it is.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / f*`` is proven to be at most this.
    max_iter : int, default=100
    n_jobs : int, optional
        Threads; -1 for all cores. The answer has the same bits for any number.

    Returns
    -------
    LogisticFit

    Raises
    ------
    DataError
        When X, y, weights or offset cannot be used; it names the row or the shape.

    Warns
    -----
    RuntimeWarning
        When `tol` is not proven, with the bound reached and the cause.

    Examples
    --------
    >>> from chainrule import fit_logistic
    >>> fit = fit_logistic([[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"])
    >>> fit.predict([[0.0], [3.0]]).tolist()
    ['no', 'yes']
    >>> fit.certificate.proven
    True
    """
    if not (C > 0 and tol >= 0 and max_iter >= 0):
        raise ValueError(
            f"C must be positive, tol and max_iter >= 0; they are {C!r}, {tol!r}, {max_iter!r}"
        )
    l1_ratio = shared_l1_ratio(l1_ratio)
    table, labels = as_table(X), as_labels(y)
    if table.shape[0] != len(labels):
        raise DataError(f"X has {table.shape[0]} rows and y {len(labels)} labels: pass one per row")
    weights = as_weights(sample_weight, len(labels))
    weights, classes = class_weighted(class_weight, weights, labels, distinct(labels))
    n_outputs = 1 if len(classes) == 2 else len(classes)
    shift = as_offset(offset, len(labels), n_outputs)
    rows = positive(weights)
    if rows is not None:
        table, labels, weights = table[rows], labels[rows], weights[rows]
        shift = None if shift is None else shift[rows]
    source = InMemorySource(
        table,
        codes_of(labels, classes),
        None if are_implied(weights) else weights,
        n_classes=len(classes),
        row_numbers=rows,
        offset=shift,
        center=fit_intercept,
        n_threads=n_threads(n_jobs, default=n_cores()),
    )
    choices: dict[str, Any] = {
        "C": float(C),
        "fit_intercept": fit_intercept,
        "tol": float(tol),
        "max_iter": int(max_iter),
        "n_threads": threads_of(n_jobs, source, absolute=l1_ratio > 0),
    }
    if l1_ratio == 0 or np.isinf(C):
        fit = fit_linear_model(source, **choices)
    else:
        from chainrule.engine.elastic_net import fit_elastic_net

        fit = fit_elastic_net(source, None, Shape.checked(source.n_features, l1_ratio), **choices)
    if fit.interrupted:
        raise KeyboardInterrupt("the fit was interrupted before its tolerance was proven")
    if not fit.met:
        warnings.warn(fit.shortfall(tol, max_iter), RuntimeWarning, stacklevel=2)
    coef, intercept = np.ascontiguousarray(fit.point.coef.T), fit.point.intercept.copy()
    for array in (coef, intercept, classes):
        array.setflags(write=False)
    return LogisticFit(
        coef[0] if n_outputs == 1 else coef,
        float(intercept[0]) if n_outputs == 1 else intercept,
        classes,
        fit.value,
        fit.n_iter,
        fit.met,
        fit,
    )


def as_table(X: Matrix) -> Matrix:
    """Return X as a table of numbers, or as it is if sparse."""
    if is_sparse(X):
        refuse_places(X)
        return X.tocsr() if X.format not in ("csr", "csc") else X
    table = as_numbers(X, "X")
    if table.ndim != 2 or 0 in table.shape:
        raise DataError(f"X must be a table with rows and columns, not of shape {table.shape}")
    return table
