"""The area under the ROC curve with its covariance, by DeLong, DeLong and Clarke-Pearson (1988).

The placements of all rows come from one sort per model, as in Sun and Xu (2014). A weight of k
counts as k repetitions of the row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from chainrule.errors import DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Areas:
    """Areas of several models on the same rows.

    Attributes
    ----------
    auc : ndarray of shape (n_models,)
    covariance : ndarray of shape (n_models, n_models)
    """

    auc: Floats
    covariance: Floats

    def interval(self, k: int, level: float) -> tuple[float, float]:
        """Return the normal interval of an area, cut to 0 and 1."""
        return normal_interval(float(self.auc[k]), float(self.covariance[k, k]), level, (0.0, 1.0))

    def difference(self) -> tuple[float, float]:
        """Return the first area minus the second, and the variance of that."""
        covariance = self.covariance
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        return float(self.auc[0] - self.auc[1]), max(0.0, float(variance))


def areas(
    positive: NDArray[np.bool_], scores: list[Floats], weights: Floats | None = None
) -> Areas:
    """Return the areas of models and their covariance.

    Parameters
    ----------
    positive : ndarray of bool, shape (n_samples,)
    scores : list of ndarray of shape (n_samples,)
        One per model; ties count half.
    weights : ndarray of shape (n_samples,), optional

    Raises
    ------
    DataError
        When a class has no row.
    """
    weights = np.ones(len(positive)) if weights is None else weights
    w_pos, w_neg = weights[positive], weights[~positive]
    if not (w_pos.sum() > 0 and w_neg.sum() > 0):
        raise DataError("an area under the ROC curve needs rows of both classes")
    of_pos, of_neg = [], []
    for score in scores:
        x, y = score[positive], score[~positive]
        of_pos.append(_share_below(x, y, w_neg))
        of_neg.append(1 - _share_below(y, x, w_pos))
    pos, neg = np.array(of_pos), np.array(of_neg)
    auc = pos @ w_pos / w_pos.sum()
    return Areas(
        auc,
        _mean_covariance(pos - auc[:, None], w_pos) + _mean_covariance(neg - auc[:, None], w_neg),
    )


def normal_interval(
    value: float, variance: float, level: float, limits: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """Return the interval of a normal estimate, cut to its limits."""
    half = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(variance)
    return max(limits[0], value - half), min(limits[1], value + half)


def two_sided(value: float, variance: float) -> float:
    """Return the p-value of a normal estimate against 0; 1 for 0 without variance."""
    if variance == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * stats.norm.sf(abs(value) / math.sqrt(variance)))


def _share_below(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Return for each x the share of the weight of y below it, equal ones counted half."""
    order = np.argsort(y, kind="stable")
    total = np.append(0.0, np.cumsum(weights[order]))
    below = total[np.searchsorted(y[order], x, side="left")]
    up_to = total[np.searchsorted(y[order], x, side="right")]
    return np.asarray((below + up_to) / (2 * total[-1]))


def _mean_covariance(deviations: Floats, weights: Floats) -> Floats:
    """Return the covariance of weighted means; zeros where a single row does not tell it."""
    total = weights.sum()
    if total <= 1:
        return np.zeros((len(deviations), len(deviations)))
    return np.asarray((deviations * weights) @ deviations.T / (total - 1) / total)
