"""The share of the deviance that a fit explains, D2: R2 for any loss with a least value."""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.null_model import null_score
from chainrule.errors import DataError

_ROUNDING: Final[float] = 64 * float(np.finfo(np.float64).eps)
"""Size of a difference of losses, relative to them, that counts as none."""


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
    floor = least(y)

    def deviance_at(score: FloatArray) -> float:
        """Return the deviance, 0 where it is rounding alone."""
        loss = row.kernels.terms(score, y)[0]
        slack = row.kernels.errors(score, y)[0] + _ROUNDING * (np.abs(loss) + np.abs(floor))
        excess = loss - floor
        return float(weights @ np.where(excess <= slack, 0.0, excess))

    is_constant = offset is None and bool((y == y[0]).all())  # then the null model fits perfectly
    worst = 0.0 if is_constant else deviance_at(null_score(row, y, weights, offset))
    deviance = deviance_at(raw_prediction)
    if worst > 0:
        return 1 - deviance / worst
    return 1.0 if deviance == 0 else 0.0  # as R2 of a constant target
