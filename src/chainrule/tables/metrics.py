"""Metrics of predicted probabilities on held-out rows, and their curves as data.

All from two arrays: the class of each row, as a number, and one probability per class. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True, eq=False)
class Curve:
    """The points of a curve.

    Parameters
    ----------
    x, y : ndarray
        The points, in order of the threshold falling from one to zero (ROC, precision-recall) or
        of the predicted probability rising (calibration).
    weight : ndarray or None
        The number of rows behind each point, where it applies.
    """

    x: Floats
    y: Floats
    weight: Codes | None = None


@dataclass(frozen=True, eq=False)
class Metrics:
    """The quality of predicted probabilities.

    Parameters
    ----------
    n_rows : int
        The rows measured.
    classes : tuple of str
        The labels; for two, the second is the one counted as 1.
    log_loss : float
        The mean of -log(probability of what happened), in nats. A mean, not the sum J.
    log_loss_of_shares : float
        The same for the predictor that always answers the shares of the classes in these rows.
    accuracy : float
        The share of rows whose most probable class is right.
    brier : float
        The mean squared distance of probability and outcome; for two classes, of the one
        probability (half of the sum over both).
    auc : float or None
        The area under the ROC curve; for more than two classes the mean of one against the rest.
        None when a class does not occur.
    average_precision : float or None
        The area under the precision-recall steps, for two classes.
    confusion : ndarray of int64
        Rows by actual class and predicted class.
    roc, precision_recall, calibration : Curve or None
        For two classes.
    """

    n_rows: int
    classes: tuple[str, ...]
    log_loss: float
    log_loss_of_shares: float
    accuracy: float
    brier: float
    auc: float | None
    average_precision: float | None
    confusion: NDArray[np.int64]
    roc: Curve | None = None
    precision_recall: Curve | None = None
    calibration: Curve | None = None


def measure(
    actual: Codes,
    proba: Floats,
    classes: tuple[str, ...],
    weights: Floats | None = None,
    threshold: float | None = None,
) -> Metrics:
    """Return the metrics of predicted probabilities against the actual classes.

    Parameters
    ----------
    actual : ndarray of shape (n_samples,)
        The position of each row's class in `classes`.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities; the rows sum to one.
    classes : tuple of str
        The labels.
    weights : ndarray of shape (n_samples,), optional
        k counts as k repetitions of the row; zero as its absence.
    threshold : float, optional
        Of the probability of the second of two classes, for accuracy and confusion.

    Returns
    -------
    Metrics
        The measures and, for two classes, the curves.
    """
    weights = np.ones(len(actual)) if weights is None else weights
    used = weights > 0
    if not used.all():
        actual, proba, weights = actual[used], proba[used], weights[used]
    n_rows, n_classes = proba.shape
    predicted = predicted_codes(proba, threshold)
    counted = np.zeros((n_classes, n_classes))
    np.add.at(counted, (actual, predicted), weights)
    shares = np.bincount(actual, weights, minlength=n_classes) / weights.sum()
    present = shares[shares > 0]
    # A probability that underflowed to zero would make the mean infinite for one row.
    happened = np.maximum(proba[np.arange(n_rows), actual], np.finfo(np.float64).tiny)
    outcome = np.eye(n_classes)[actual]
    squares = float(np.average(((proba - outcome) ** 2).sum(axis=1), weights=weights))
    every_class_occurs = len(present) == n_classes
    two = n_classes == 2
    positive, auc, roc, precision_recall = actual == 1, None, None, None
    if two and every_class_occurs:  # one sort for both curves
        hits, misses = _counts_down(positive, proba[:, 1], weights)
        roc, precision_recall = _roc(hits, misses), _precision_recall(hits, misses)
        auc = _area(roc)
    elif every_class_occurs:
        areas = [_area(roc_curve(actual == k, proba[:, k], weights)) for k in range(n_classes)]
        auc = float(np.mean(areas))
    return Metrics(
        n_rows=n_rows,
        classes=classes,
        log_loss=float(-np.average(np.log(happened), weights=weights)),
        log_loss_of_shares=float(-(present * np.log(present)).sum()),
        accuracy=float(np.average(predicted == actual, weights=weights)),
        brier=squares / 2 if two else squares,
        auc=auc,
        average_precision=None if precision_recall is None else _steps(precision_recall),
        confusion=np.rint(counted).astype(np.int64),
        roc=roc,
        precision_recall=precision_recall,
        calibration=calibration_curve(positive, proba[:, 1], weights=weights) if two else None,
    )


def predicted_codes(proba: Floats, threshold: float | None = None) -> Codes:
    """Return the predicted class of each row: the most probable, or the second by a threshold."""
    if threshold is None:
        if proba.shape[1] == 2:  # several times faster than argmax along rows of two
            return (proba[:, 1] > proba[:, 0]).astype(np.int64)
        return np.asarray(proba.argmax(axis=1))
    return (proba[:, 1] >= threshold).astype(np.int64)


def roc_curve(positive: NDArray[np.bool_], score: Floats, weights: Floats | None = None) -> Curve:
    """Return false positive rate and true positive rate, by falling threshold."""
    return _roc(*_counts_down(positive, score, weights))


def precision_recall_curve(
    positive: NDArray[np.bool_], score: Floats, weights: Floats | None = None
) -> Curve:
    """Return recall (x) and precision (y), by falling threshold, from recall 0 and precision 1."""
    return _precision_recall(*_counts_down(positive, score, weights))


def calibration_curve(
    positive: NDArray[np.bool_],
    score: Floats,
    n_bins: int = 10,
    weights: Floats | None = None,
) -> Curve:
    """Return mean predicted probability and fraction of positives in bins of equal width.

    Empty bins are left out; `weight` holds the rows in each.
    """
    inner = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    bins = np.searchsorted(inner, score)
    weights = np.ones(len(score)) if weights is None else weights
    total = np.bincount(bins, weights, minlength=n_bins)
    filled = total > 0
    predicted = np.bincount(bins, weights * score, minlength=n_bins)[filled] / total[filled]
    happened = np.bincount(bins, weights * positive, minlength=n_bins)[filled] / total[filled]
    return Curve(predicted, happened, np.rint(total[filled]).astype(np.int64))


def _counts_down(
    positive: NDArray[np.bool_], score: Floats, weights: Floats | None
) -> tuple[Floats, Floats]:
    """Return counts of positives and negatives at or above each distinct score."""
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], positive[order]
    counted = np.ones(len(score)) if weights is None else weights[order]
    # One point per distinct score: equal scores cannot be told apart by any threshold.
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    hits = np.cumsum(counted * positive)[ends]
    misses = np.cumsum(counted * ~positive)[ends]
    return np.append(0.0, hits), np.append(0.0, misses)


def _roc(hits: Floats, misses: Floats) -> Curve:
    n_positive, n_negative = hits[-1], misses[-1]
    x = misses / n_negative if n_negative else np.zeros(len(misses))
    y = hits / n_positive if n_positive else np.zeros(len(hits))
    return Curve(x, y)


def _precision_recall(hits: Floats, misses: Floats) -> Curve:
    called = hits + misses
    precision = np.ones(len(hits))
    np.divide(hits, called, out=precision, where=called > 0)
    return Curve(hits / hits[-1], precision)


def _area(curve: Curve) -> float:
    """Return the area by the trapezoidal rule."""
    return float((np.diff(curve.x) * (curve.y[1:] + curve.y[:-1])).sum() / 2)


def _steps(curve: Curve) -> float:
    """Return the area under steps, with the precision at the end of each."""
    return float((np.diff(curve.x) * curve.y[1:]).sum())
