"""Scores of a classifier on the held-out rows of a fold."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.prediction import raw_predictions
from chainrule.errors import DataError
from chainrule.estimators.inputs import as_offset, codes_of, n_cores, n_threads
from chainrule.estimators.labels import Labels

Matrix = Any

_LEAST_LOG: Final = float(np.log(np.finfo(np.float64).eps))
_LARGEST_LOG: Final = float(np.log1p(-np.finfo(np.float64).eps))
"""The range of a log-probability in scikit-learn's log-loss."""


def raw_at_points(
    model: Any,  # noqa: ANN401
    X: Matrix,
    offset: FloatArray | None,
    coef: FloatArray,
    intercept: FloatArray,
) -> Iterator[FloatArray]:
    """Yield the scores of rows with one set of coefficients after the other, in one read of X.

    Parameters
    ----------
    model : LinearEstimator
        Fitted to rows of the same columns.
    X : array-like, sparse matrix or data frame
    offset : ndarray or None
    coef : ndarray of shape (..., n_outputs, n_coefficients)
    intercept : ndarray of shape (..., n_outputs)

    Yields
    ------
    ndarray of shape (n_samples, n_outputs)
    """
    n_outputs, n_coefficients = coef.shape[-2:]
    table = model._matrix(X, reset=False)
    shift = as_offset(offset, table.shape[0], n_outputs)
    point = Point(np.ascontiguousarray(coef.reshape(-1, n_coefficients).T), intercept.ravel())
    names = None if model.coef_names_ is None else model.coef_names_.tolist()
    threads = n_threads(model.n_jobs, default=n_cores())
    raw = raw_predictions(table, point, column_names=names, n_threads=threads)
    for first in range(0, raw.shape[1], n_outputs):
        part = raw[:, first : first + n_outputs]
        yield part if shift is None else part + shift


def mean_log_probas(
    raws: Iterator[FloatArray], y: Labels, classes: Labels, weights: FloatArray | None
) -> FloatArray:
    """Return the mean log-probability of the labels for each of several sets of scores."""
    codes = _codes(y, classes)
    if len(classes) == 2:
        table = np.concatenate(list(raws), axis=1)
        targets = np.repeat(codes.astype(np.float64), table.shape[1])
        losses = BinaryLoss().pointwise_loss(table.reshape(-1, 1), targets).reshape(table.shape).T
    else:
        loss, labels = SoftmaxLoss(len(classes)), np.eye(len(classes))[codes]
        losses = np.array([loss.pointwise_loss(raw, labels) for raw in raws])
    log_probas = np.clip(-losses, _LEAST_LOG, _LARGEST_LOG)
    return np.asarray(np.average(log_probas, axis=1, weights=weights))


def mean_log_proba(
    log_proba: FloatArray, y: Labels, classes: Labels, weights: FloatArray | None
) -> float:
    """Return the mean log-probability of the labels, minus scikit-learn's log-loss.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.
    weights : ndarray of shape (n_samples,) or None

    Raises
    ------
    DataError
        When a label is none of the classes.
    """
    happened = log_proba[np.arange(len(y)), _codes(y, classes)]
    return float(np.average(np.clip(happened, _LEAST_LOG, _LARGEST_LOG), weights=weights))


def _codes(y: Labels, classes: Labels) -> Labels:
    """Return the place of each label among the classes; DataError where it is none of them."""
    known = np.isin(y, classes)
    if not known.all():
        raise DataError(
            f"label {y[~known][:1].tolist()[0]!r} has no row of positive weight in the fit, so it "
            "has no probability: leave its rows out"
        )
    return codes_of(y, classes)


def with_labels(scorer: Any, classes: Labels) -> Any:  # noqa: ANN401
    """Return a scorer with all classes named, which the held-out rows of a fold may not show."""
    function = getattr(scorer, "_score_func", None)
    names = [] if function is None else inspect.signature(function).parameters
    if "labels" not in names or "labels" in scorer._kwargs:
        return scorer
    named = {"labels": classes}
    if len(classes) == 2 and "pos_label" in names:
        named["pos_label"] = classes[-1]
    found = copy.copy(scorer)
    found._kwargs = {**named, **scorer._kwargs}
    return found
