"""Calibration in bins with intervals, and lift and gain by descending probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.arrays import distinct_values
from chainrule.engine.inference.normal import normal_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of about the same predicted probability.

    Attributes
    ----------
    n_rows : int
        Their weight, rounded.
    predicted, observed : float
        Mean predicted probability, and share of positives.
    low, high : float
        Wilson's interval of the share.
    """

    n_rows: int
    predicted: float
    observed: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether the interval holds the predicted probability."""
        return self.low <= self.predicted <= self.high


@dataclass(frozen=True)
class GainRow:
    """The rows of highest probability, up to a share of all rows.

    Attributes
    ----------
    share : float
        The share of all rows.
    threshold : float
        The lowest probability among them.
    gain : float
        The share of all positives that is among them.
    lift : float
        Their share of positives, relative to that of all rows.
    """

    share: float
    threshold: float
    gain: float
    lift: float


def wilson(successes: float, n: float, level: float) -> tuple[float, float]:
    """Return Wilson's score interval of a share.

    >>> [round(end, 4) for end in wilson(3, 10, 0.95)]
    [0.1078, 0.6032]
    """
    z = normal_quantile((1 + level) / 2)
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def effective_rows(
    positive: NDArray[np.bool_], weights: Floats, clusters: NDArray[np.int64]
) -> float:
    """Return the number of independent rows whose share of positives varies as that of clusters.

    At most the weight of the rows; the number of clusters where the share is 0 or 1, or where there
    is one cluster.
    """
    total = float(weights.sum())
    share = float(weights @ positive) / total
    codes = np.unique(clusters, return_inverse=True)[1]
    n_clusters = int(codes.max()) + 1
    spread = np.bincount(codes, weights * (positive - share)) / total
    if n_clusters < 2 or share in (0.0, 1.0):
        return min(total, float(n_clusters))
    variance = n_clusters / (n_clusters - 1) * float(spread @ spread)
    if variance * total <= share * (1 - share):
        return total
    return share * (1 - share) / variance


def calibration_bins(
    positive: NDArray[np.bool_],
    score: Floats,
    weights: Floats,
    *,
    n_bins: int = 10,
    level: float = 0.95,
    clusters: NDArray[np.int64] | None = None,
) -> tuple[CalibrationBin, ...]:
    """Return bins of equal weight by predicted probability; equal probabilities share a bin.

    Where rows come in clusters, the interval of a share is Wilson's for the effective number of
    rows: that of independent rows with the variance that the clusters show (Rao and Scott).
    """
    order = np.argsort(score, kind="stable")
    related = None if clusters is None else clusters[order]
    score, positive, weights = score[order], positive[order], weights[order]
    middle = np.cumsum(weights) - weights / 2
    bins = np.minimum((middle / weights.sum() * n_bins).astype(np.intp), n_bins - 1)
    starts = np.append(True, np.diff(score) > 0)
    bins = bins[np.maximum.accumulate(np.where(starts, np.arange(len(score)), 0))]
    found = []
    for k in distinct_values(bins):
        rows = bins == k
        total = float(weights[rows].sum())
        hits = float(weights[rows] @ positive[rows])
        share = hits / total
        n = total
        if related is not None:
            n = effective_rows(positive[rows], weights[rows], related[rows])
        low, high = wilson(share * n, n, level)
        mean = float(np.average(score[rows], weights=weights[rows]))
        found.append(CalibrationBin(round(total), mean, share, low, high))
    return tuple(found)


def gain_rows(
    positive: NDArray[np.bool_], score: Floats, weights: Floats, n_rows: int = 10
) -> tuple[GainRow, ...]:
    """Return gain and lift of the top tenths; where probabilities tie, they count in proportion."""
    order = np.argsort(-score, kind="stable")
    score, positive, weights = score[order], positive[order], weights[order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    reached = np.append(0.0, np.cumsum(weights)[ends]) / weights.sum()
    hits = np.append(0.0, np.cumsum(weights * positive)[ends])
    hits /= hits[-1]
    found = []
    for k in range(1, n_rows + 1):
        share = k / n_rows
        gain = float(np.interp(share, reached, hits))
        last = min(int(np.searchsorted(reached, share * (1 - 1e-12))), len(ends))
        found.append(GainRow(share, float(score[ends[last - 1]]), gain, gain / share))
    return tuple(found)
