"""The share of the deviance that a fit explains, D2: R2 for any loss with a least value."""

from __future__ import annotations

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.null_model import null_score
from chainrule.errors import DataError


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
