"""The area under the ROC curve with its covariance, by DeLong, DeLong and Clarke-Pearson (1988).

The placements of all rows come from one sort per model, as in Sun and Xu (2014). A whole weight of
k counts as k repetitions of the row; of other weights each class has its effective number of rows.
A class of fewer than two rows has no variance, so that there is no interval and no p-value.

Where rows come in clusters, the variance is that of Obuchowski (1997): the placements of a cluster
are added up before they are squared, and the two classes of one cluster may vary together. With one
row per cluster it is DeLong's. A class of fewer than two clusters has no variance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.inference.normal import normal_quantile, normal_tail
from chainrule.errors import DataError
from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]

_ROUNDING: Final = 1e-28
"""A variance below it is rounding: placements are from 0 to 1."""


@dataclass(frozen=True)
class Areas:
    """Areas of several models on the same rows.

    Attributes
    ----------
    auc : ndarray of shape (n_models,)
    covariance : ndarray of shape (n_models, n_models)
        NaN where a class has fewer than two rows, or clusters.
    """

    auc: Floats
    covariance: Floats

    def interval(self, k: int, level: float) -> tuple[float, float] | tuple[None, None]:
        """Return the normal interval of an area, cut to 0 and 1, if it has one."""
        return normal_interval(float(self.auc[k]), float(self.covariance[k, k]), level, (0.0, 1.0))

    def difference(self) -> tuple[float, float]:
        """Return the first area minus the second, and the variance of that."""
        covariance = self.covariance
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        return float(self.auc[0] - self.auc[1]), float(np.maximum(0.0, variance))


def areas(
    positive: NDArray[np.bool_],
    scores: list[Floats],
    weights: Floats | None = None,
    clusters: NDArray[np.int64] | None = None,
) -> Areas:
    """Return the areas of models and their covariance.

    Parameters
    ----------
    positive : ndarray of bool, shape (n_samples,)
    scores : list of ndarray of shape (n_samples,)
        One per model; ties count half.
    weights : ndarray of shape (n_samples,), optional
    clusters : ndarray of int, shape (n_samples,), optional
        The cluster of each row, where rows of one cluster depend on each other.

    Raises
    ------
    DataError
        When a class has no row.
    """
    weights = np.ones(len(positive)) if weights is None else weights
    w_pos, w_neg = frequencies(weights[positive]), frequencies(weights[~positive])
    if not (w_pos.sum() > 0 and w_neg.sum() > 0):
        raise DataError("an area under the ROC curve needs rows of both classes")
    of_pos, of_neg = [], []
    for score in scores:
        order = np.argsort(score, kind="stable")
        of_pos.append(_share_below(score, order, ~positive, w_neg)[positive])
        of_neg.append(1 - _share_below(score, order, positive, w_pos)[~positive])
    pos, neg = np.array(of_pos), np.array(of_neg)
    auc = pos @ w_pos / w_pos.sum()
    if clusters is not None:
        codes = np.unique(clusters, return_inverse=True)[1]
        of_clusters = [
            _cluster_sums((part - auc[:, None]) * w / w.sum(), codes[rows], int(codes.max()) + 1)
            for part, w, rows in ((pos, w_pos, positive), (neg, w_neg, ~positive))
        ]
        return Areas(auc, _clustered_covariance(of_clusters[0], of_clusters[1], codes, positive))
    return Areas(
        auc,
        _mean_covariance(pos - auc[:, None], w_pos) + _mean_covariance(neg - auc[:, None], w_neg),
    )


def normal_interval(
    value: float, variance: float, level: float, limits: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float] | tuple[None, None]:
    """Return the interval of a normal estimate, cut to its limits; None without a variance."""
    if not variance > _ROUNDING:
        return None, None
    half = normal_quantile((1 + level) / 2) * math.sqrt(variance)
    return max(limits[0], value - half), min(limits[1], value + half)


def two_sided(value: float, variance: float) -> float | None:
    """Return the p-value of a normal estimate against 0.

    None where the variance is not known, or is 0 beside a value: a difference without any spread
    is that of too few rows. Two models that are equal on all rows have p = 1.
    """
    if not variance > _ROUNDING:
        return 1.0 if value == variance == 0 else None
    return 2 * normal_tail(abs(value) / math.sqrt(variance))


def _share_below(
    score: Floats, order: NDArray[np.intp], members: NDArray[np.bool_], weights: Floats
) -> Floats:
    """Return for each row the share of the weight of members below it, equal ones counted half."""
    own = np.zeros(len(score))
    own[members] = weights
    total, ranked = np.append(0.0, np.cumsum(own[order])), score[order]
    is_first = np.append(True, ranked[1:] != ranked[:-1])
    starts = np.flatnonzero(is_first)
    ends = np.append(starts[1:], len(score))
    share = (total[starts] + total[ends]) / (2 * total[-1])
    found = np.empty(len(score))
    found[order] = share[np.cumsum(is_first) - 1]
    return found


def _mean_covariance(deviations: Floats, weights: Floats) -> Floats:
    """Return the covariance of weighted means; NaN where a single row does not tell it."""
    total = weights.sum()
    if total < 2 * (1 - 1e-9):
        return np.full((len(deviations), len(deviations)), np.nan)
    return np.asarray((deviations * weights) @ deviations.T / (total - 1) / total)


def _cluster_sums(values: Floats, codes: NDArray[np.intp], n_clusters: int) -> Floats:
    """Return the sums of each cluster, model by model."""
    return np.array([np.bincount(codes, line, minlength=n_clusters) for line in values])


def _clustered_covariance(
    of_pos: Floats, of_neg: Floats, codes: NDArray[np.intp], positive: NDArray[np.bool_]
) -> Floats:
    """Return Obuchowski's covariance of areas from what each cluster adds to their deviation."""
    n_clusters = of_pos.shape[1]
    n_pos, n_neg = (len(np.unique(codes[rows])) for rows in (positive, ~positive))
    if min(n_pos, n_neg) < 2:
        return np.full((len(of_pos), len(of_pos)), np.nan)
    both = of_pos @ of_neg.T
    return np.asarray(
        n_pos / (n_pos - 1) * of_pos @ of_pos.T
        + n_neg / (n_neg - 1) * of_neg @ of_neg.T
        + n_clusters / (n_clusters - 1) * (both + both.T)
    )
