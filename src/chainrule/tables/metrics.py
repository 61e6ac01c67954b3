"""Metrics of predicted probabilities on held-out rows, and their curves as data.

All from two arrays: the class of each row, as a number, and one probability per class. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


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


def measure(actual: Codes, proba: Floats, classes: tuple[str, ...]) -> Metrics:
    """Return the metrics of predicted probabilities against the actual classes.

    Parameters
    ----------
    actual : ndarray of shape (n_samples,)
        The position of each row's class in `classes`.
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities; the rows sum to one.
    classes : tuple of str
        The labels.

    Returns
    -------
    Metrics
        The measures and, for two classes, the curves.
    """
    n_rows, n_classes = proba.shape
    predicted = proba.argmax(axis=1)
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (actual, predicted), 1)
    shares = np.bincount(actual, minlength=n_classes) / n_rows
    present = shares[shares > 0]
    # A probability that underflowed to zero would make the mean infinite for one row.
    happened = np.maximum(proba[np.arange(n_rows), actual], np.finfo(np.float64).tiny)
    outcome = np.eye(n_classes)[actual]
    squares = float(((proba - outcome) ** 2).sum(axis=1).mean())
    areas = [_area(roc_curve(actual == k, proba[:, k])) for k in range(n_classes) if shares[k]]
    every_class_occurs = len(present) == n_classes
    two = n_classes == 2
    curves_exist = two and every_class_occurs
    positive = actual == 1
    precision_recall = precision_recall_curve(positive, proba[:, 1]) if curves_exist else None
    return Metrics(
        n_rows=n_rows,
        classes=classes,
        log_loss=float(-np.log(happened).mean()),
        log_loss_of_shares=float(-(present * np.log(present)).sum()),
        accuracy=float((predicted == actual).mean()),
        brier=squares / 2 if two else squares,
        auc=float(np.mean(areas)) if every_class_occurs else None,
        average_precision=None if precision_recall is None else _steps(precision_recall),
        confusion=confusion,
        roc=roc_curve(positive, proba[:, 1]) if curves_exist else None,
        precision_recall=precision_recall,
        calibration=calibration_curve(positive, proba[:, 1]) if two else None,
    )


def roc_curve(positive: NDArray[np.bool_], score: Floats) -> Curve:
    """Return false positive rate and true positive rate, by falling threshold."""
    hits, misses = _counts_down(positive, score)
    n_positive, n_negative = hits[-1], misses[-1]
    x = misses / n_negative if n_negative else np.zeros(len(misses))
    y = hits / n_positive if n_positive else np.zeros(len(hits))
    return Curve(x, y)


def precision_recall_curve(positive: NDArray[np.bool_], score: Floats) -> Curve:
    """Return recall (x) and precision (y), by falling threshold, from recall 0 and precision 1."""
    hits, misses = _counts_down(positive, score)
    called = hits + misses
    precision = np.ones(len(hits))
    np.divide(hits, called, out=precision, where=called > 0)
    return Curve(hits / hits[-1], precision)


def calibration_curve(positive: NDArray[np.bool_], score: Floats, n_bins: int = 10) -> Curve:
    """Return mean predicted probability and fraction of positives in bins of equal width.

    Empty bins are left out; `weight` holds the rows in each.
    """
    inner = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    bins = np.searchsorted(inner, score)
    rows = np.bincount(bins, minlength=n_bins)
    filled = rows > 0
    predicted = np.bincount(bins, weights=score, minlength=n_bins)[filled] / rows[filled]
    happened = np.bincount(bins, weights=positive, minlength=n_bins)[filled] / rows[filled]
    return Curve(predicted, happened, rows[filled].astype(np.int64))


def _counts_down(positive: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Return counts of positives and negatives at or above each distinct score."""
    order = np.argsort(-score, kind="stable")
    score, positive = score[order], positive[order]
    # One point per distinct score: equal scores cannot be told apart by any threshold.
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    hits = np.cumsum(positive)[ends].astype(np.float64)
    return np.append(0.0, hits), np.append(0.0, ends + 1.0 - hits)


def _area(curve: Curve) -> float:
    """Return the area by the trapezoidal rule."""
    return float((np.diff(curve.x) * (curve.y[1:] + curve.y[:-1])).sum() / 2)


def _steps(curve: Curve) -> float:
    """Return the area under steps, with the precision at the end of each."""
    return float((np.diff(curve.x) * curve.y[1:]).sum())


def hold_out(actual: Codes, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split rows into training and held-out rows, stratified by class, in file order.

    Parameters
    ----------
    actual : ndarray
        The class of each row, as a number.
    share : float
        The share held out, at least 0 and less than 1. A class keeps at least one training row.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    tuple of ndarray
        Indices of the training rows and of the held-out rows.
    """
    random = np.random.default_rng(seed)
    held = np.zeros(len(actual), dtype=np.bool_)
    for label in np.unique(actual):
        rows = random.permutation(np.flatnonzero(actual == label))
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
