"""The share of the deviance that a fit explains, D2: R2 for any loss with a least value."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.errors import DataError

_BALANCED: Final[float] = 1e-12
"""Sum of the slopes, relative to the sum of their sizes, at which a score counts as the best."""


def explained_deviance(
    row: LossRow,
    raw_prediction: FloatArray,
    y: FloatArray,
    weights: FloatArray,
    offset: FloatArray | None = None,
) -> float:
    """Return D2 = 1 - deviance / deviance of the best constant score.

    Parameters
    ----------
    row : LossRow
    raw_prediction, y, weights : ndarray of shape (n_samples,)
        Weights are positive.
    offset : ndarray of shape (n_samples,), optional
        The null model adds it to its constant score.

    Raises
    ------
    DataError
        When no least value of the loss is proven, from which a deviance is counted.
    """
    least = row.kernels.least
    if not row.facts.has_least or least is None:
        raise DataError(
            f"score requires a loss with a proven least value, and the loss {row.name} has none; "
            "measure the predictions instead, as with sklearn.metrics"
        )
    floor = weights @ least(y)
    null = null_score(row, y, weights, offset)
    deviance, worst = (
        max(0.0, float(weights @ row.kernels.terms(score, y)[0] - floor))
        for score in (raw_prediction, null)
    )
    if worst > 0:
        return 1 - deviance / worst
    return 1.0 if deviance == 0 else 0.0  # as R2 of a constant target


def null_score(
    row: LossRow, y: FloatArray, weights: FloatArray, offset: FloatArray | None = None
) -> FloatArray:
    """Return the scores of the null model, an intercept and the offset, shape (n_samples,).

    For the losses of generalised linear models without an offset, that is the link of the mean
    target; it is used if the gradient there is zero, and else an intercept is fitted.
    """
    if offset is None and row.kernels.link is not None:
        mean = np.average(y, weights=weights)
        score = np.full(len(y), row.kernels.link(np.array([mean]))[0])
        if np.isfinite(score[0]):
            slopes = weights * row.kernels.terms(score, y)[1]
            if abs(slopes.sum()) <= _BALANCED * np.abs(slopes).sum():
                return score
    source = InMemorySource(
        np.zeros((len(y), 1)),
        y,
        weights,
        offset=None if offset is None else offset[:, None],
    )
    intercept = fit_linear_model(source, row, tol=_BALANCED).point.intercept
    return np.broadcast_to(intercept, len(y)) + (0.0 if offset is None else offset)
