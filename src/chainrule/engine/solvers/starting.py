"""Where a fit starts: at zero, or with the best intercept for coefficients of zero."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective

_NEAR: Final[float] = 1e-6
"""How close the intercept of a start is to the best."""

_FARTHEST: Final[float] = 700.0
"""The size up to which log odds are what they are: the exponential is a number."""

_MOST_ROUNDS: Final[int] = 300
"""Newton steps to the best intercept, which are short of it only far from where they begin."""


def starting_point(objective: Objective) -> Point:
    """Return where to start.

    Classes start at zero, or with offsets where an intercept makes up for them: far from there, all
    curvatures may have underflowed. Other losses start at the best intercept, which may be far from
    zero: a loss that grows like an exponential takes one Newton step for each unit on the way.
    """
    source, origin, loss = objective.source, objective.origin(), objective.loss
    if not objective.fit_intercept:
        return origin
    if not loss.facts.of_classes:
        return _best_intercept(objective)
    if source.offset is None:
        return origin
    (total,) = objective.sum_over_vectors(lambda offset, _, s: (s @ offset,), source.offset)
    intercept = _log_odds(objective) - total / class_weights(objective).sum()
    return objective.centred(Point(origin.coef, intercept))


def null_point(objective: Objective) -> Point:
    """Return the best point without coefficients, about as exactly as it can be told.

    X is not read: scores are the intercept, and what is added to them.
    """
    start, raw = starting_point(objective), objective.source.offset
    if not objective.fit_intercept:
        return start
    if raw is None:
        raw = np.zeros((objective.source.n_samples, objective.loss.n_outputs))
        if objective.loss.facts.of_classes:
            start = objective.centred(Point(start.coef, _log_odds(objective)))
        if isinstance(objective.loss, BinaryLoss):
            return start
    return balance_intercept(objective, start, raw + start.intercept, rounds=_MOST_ROUNDS)


def _log_odds(objective: Objective) -> FloatArray:
    """Return the intercept that makes up for the weights of the classes."""
    per_class = class_weights(objective)
    with np.errstate(divide="ignore"):
        odds = np.log(per_class) if len(per_class) > 2 else np.diff(np.log(per_class))
    return np.clip(odds, -_FARTHEST, _FARTHEST)


def value_without_coefficients(objective: Objective, point: Point) -> float:
    """Return the objective where all coefficients are zero, at the intercept of a point."""
    raw = objective.source.offset
    if raw is None:
        raw = np.zeros((objective.source.n_samples, len(point.intercept)))
    with np.errstate(all="ignore"):
        return objective.intercept_sums(raw, point.intercept)[0]


def _best_intercept(objective: Objective) -> Point:
    """Return the best intercept for coefficients of zero, about."""
    source, origin, loss = objective.source, objective.origin(), objective.loss
    raw = source.offset
    if raw is None:
        raw = np.zeros((source.n_samples, 1))
    (total, moved) = objective.sum_over_vectors(
        lambda offset, y, s: (np.asarray(s @ y), np.asarray(s @ offset[:, 0])), raw
    )
    weight = source.total_weight
    with np.errstate(all="ignore"):
        guess = loss.link(np.asarray([float(total) / weight])) - float(moved) / weight
        values: list[float] = []
        tried = [shift for shift in (guess, np.zeros(1)) if np.isfinite(shift).all()]
        for shift in tried:
            value, slope, bend = objective.intercept_sums(raw, shift)
            if loss.facts.convex and abs(slope[0]) <= _NEAR * bend[0, 0]:
                return Point(origin.coef, shift)
            values.append(value if np.isfinite(value) else np.inf)
        point = Point(origin.coef, tried[int(np.argmin(values))])
        return balance_intercept(objective, point, raw + point.intercept, accuracy=_NEAR)


def balance_intercept(
    objective: Objective,
    point: Point,
    raw_prediction: FloatArray,
    *,
    rounds: int = 8,
    accuracy: float = 4 * UNIT,
) -> Point:
    """Minimise over the intercept alone, without reading X.

    It makes the weighted residuals sum to zero, which is what the duality certificate needs.

    Parameters
    ----------
    objective : Objective
    point : Point
    raw_prediction : ndarray
        At the point.
    rounds : int
        Number of Newton steps at most.
    accuracy : float
        A Newton step shorter than this is not taken.
    """
    shift = np.zeros_like(point.intercept)
    value, residual, curvature = objective.intercept_sums(raw_prediction, shift)
    for _ in range(rounds):
        if np.abs(residual).max() <= accuracy * np.abs(curvature).max():
            break
        step = -np.linalg.lstsq(curvature, residual, rcond=1e-14)[0]
        trial = objective.intercept_sums(raw_prediction, shift + step)
        if not np.abs(trial[1]).max() < np.abs(residual).max():
            break
        if trial[0] > value + 64 * UNIT * (abs(value) + objective.floor_size):
            break
        shift = shift + step
        value, residual, curvature = trial
    return Point(point.coef, point.intercept + shift)


def class_weights(objective: Objective) -> FloatArray:
    """Return sum_i s_i y_ik for each class, shape (n_classes,)."""
    counts = objective.source.class_counts
    if counts is not None:
        return counts
    empty = np.empty((objective.source.n_samples, 0))
    (per_class,) = objective.sum_over_vectors(
        lambda _, y, s: (s @ (np.stack([1 - y, y], axis=1) if y.ndim == 1 else y),), empty
    )
    return per_class
