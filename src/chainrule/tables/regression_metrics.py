"""How good predicted means are, on rows that training never saw. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.metrics import Curve

Floats = NDArray[np.float64]

_GROUPS = 10


@dataclass(frozen=True, eq=False)
class RegressionMetrics:
    """The quality of predicted means.

    Parameters
    ----------
    n_rows : int
        The rows measured.
    mean_loss, mean_loss_of_null : float
        The mean of the losses, and the same for the null model: the constant score that minimises
        the loss of these rows, beside the offset.
    deviance_explained : float or None
        1 - deviance / deviance of the null model (D2), where the deviance is twice the loss above
        its least value. None where no least value is proven.
    rmse, mae : float
        Root mean square and mean absolute difference of target and predicted mean.
    mean_actual, mean_predicted : float
        The means of the target and of the predictions.
    groups : Curve
        Mean prediction (x) and mean target (y) of groups of equal size by prediction.
    """

    n_rows: int
    mean_loss: float
    mean_loss_of_null: float
    deviance_explained: float | None
    rmse: float
    mae: float
    mean_actual: float
    mean_predicted: float
    groups: Curve


def measure_means(
    y: Floats,
    mean: Floats,
    loss: Floats,
    loss_of_null: Floats,
    explained: float | None,
    weights: Floats | None = None,
) -> RegressionMetrics:
    """Measure predicted means against what happened.

    Parameters
    ----------
    y, mean : ndarray of shape (n_samples,)
        Targets and predictions.
    loss, loss_of_null : ndarray of shape (n_samples,)
        The losses of the model and of the null model.
    explained : float, optional
        The share of the deviance that the model explains.
    weights : ndarray of shape (n_samples,), optional
        k counts as k repetitions of the row.
    """
    error = mean - y

    def average(values: Floats) -> float:
        return float(np.average(values, weights=weights))

    return RegressionMetrics(
        n_rows=len(y),
        mean_loss=average(loss),
        mean_loss_of_null=average(loss_of_null),
        deviance_explained=explained,
        rmse=float(np.sqrt(average(error**2))),
        mae=average(np.abs(error)),
        mean_actual=average(y),
        mean_predicted=average(mean),
        groups=groups_by_prediction(y, mean),
    )


def groups_by_prediction(y: Floats, mean: Floats, n_groups: int = _GROUPS) -> Curve:
    """Return mean prediction and mean target over groups of about equal size, by prediction.

    Rows of equal prediction stay in one group, so that there may be fewer groups.

    Examples
    --------
    >>> curve = groups_by_prediction(np.array([0.0, 2.0, 4.0]), np.array([1.0, 1.0, 3.0]), 2)
    >>> curve.x.tolist(), curve.y.tolist(), curve.weight.tolist()
    ([1.0, 3.0], [1.0, 4.0], [2, 1])
    """
    edges = np.unique(np.quantile(mean, np.linspace(0, 1, n_groups + 1)[1:-1], method="lower"))
    group = np.searchsorted(edges, mean, side="left")
    rows = np.bincount(group)
    filled = rows > 0
    predicted = np.bincount(group, weights=mean)[filled] / rows[filled]
    happened = np.bincount(group, weights=y)[filled] / rows[filled]
    return Curve(predicted, happened, rows[filled].astype(np.int64))
