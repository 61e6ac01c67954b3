"""How well predicted probabilities agree with what happened: tests for two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.distributions import chi2_tail
from chainrule.engine.inference.normal import normal_tail

_INFORMATIVE: Final[int] = 25_000
"""Rows above which the test of Hosmer and Lemeshow rejects every model (Yu, Xu and Zhu 2017)."""


@dataclass(frozen=True)
class HosmerLemeshow:
    """The test of Hosmer and Lemeshow, with its table.

    Attributes
    ----------
    statistic, p_value : float
    df : int
        Groups less 2 for the rows of the fit, and all groups for held-out rows.
    observed, expected, size : ndarray of shape (n_groups,)
    warning : str
        Empty, or why the p-value says little.
    """

    statistic: float
    df: int
    p_value: float
    observed: FloatArray
    expected: FloatArray
    size: FloatArray
    warning: str


def hosmer_lemeshow(
    y: FloatArray,
    proba: FloatArray,
    weight: FloatArray,
    *,
    n_groups: int = 10,
    held_out: bool = False,
) -> HosmerLemeshow:
    """Compare observed and expected counts in groups cut at quantiles of the probability.

    Groups end at the unique quantiles of type 7, where a weight of k is k rows; rows of equal
    probability stay together.
    """
    edges = np.unique(weighted_quantiles(proba, weight, np.linspace(0, 1, n_groups + 1)))
    group: IntArray = np.clip(np.searchsorted(edges, proba, side="left") - 1, 0, len(edges) - 2)
    count = len(edges) - 1

    def total(part: FloatArray) -> FloatArray:
        return np.bincount(group, part, count).astype(np.float64)

    size, observed, expected = total(weight), total(weight * y), total(weight * proba)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (observed - expected) ** 2 / (expected * (1 - expected / size))
    statistic = float(np.nansum(parts))
    df = count if held_out else count - 2
    notes = []
    if weight.sum() > _INFORMATIVE:
        notes.append(
            f"with {weight.sum():.0f} rows every model is rejected; look at the table instead"
        )
    if count < n_groups:
        notes.append(f"ties leave {count} groups of {n_groups}")
    if (expected < 5).any() or (size - expected < 5).any():
        notes.append("some expected counts are below 5")
    p = chi2_tail(statistic, df) if df > 0 else float("nan")
    return HosmerLemeshow(statistic, df, p, observed, expected, size, "; ".join(notes))


def squared_errors(y: FloatArray, proba: FloatArray, weight: FloatArray) -> float:
    """Return the sum of squared errors of single trials.

    A share y of weight k is k y ones and k (1 - y) zeros.
    """
    return float(weight @ (y * (1 - proba) ** 2 + (1 - y) * proba**2))


def weighted_quantiles(values: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """Return quantiles of type 7 of values, each repeated as often as its weight says.

    Weights that are not whole numbers are scaled to add up to the number of values.

    >>> weighted_quantiles(np.array([3.0, 1.0]), np.array([1.0, 3.0]), np.array([0.5, 0.9]))
    array([1. , 2.4])
    """
    if (weight != np.round(weight)).any():
        weight = weight * (len(weight) / weight.sum())
    order = np.argsort(values, kind="stable")
    ranked, ends = values[order], np.cumsum(weight[order])
    place = levels * max(float(ends[-1]) - 1, 0.0)
    below = np.floor(place)
    last = len(values) - 1
    low, high = (
        ranked[np.minimum(np.searchsorted(ends, k, side="right"), last)] for k in (below, below + 1)
    )
    return np.asarray(low + (place - below) * (high - low))


@dataclass(frozen=True)
class Spiegelhalter:
    """Spiegelhalter's z test (1986) of the Brier score against its expectation."""

    brier: float
    statistic: float
    p_value: float


def spiegelhalter(y: FloatArray, proba: FloatArray, weight: FloatArray) -> Spiegelhalter:
    """Test whether the Brier score is what calibrated probabilities give."""
    brier = squared_errors(y, proba, weight) / float(weight.sum())
    above = float(weight @ ((y - proba) * (1 - 2 * proba)))
    variance = float(weight @ ((1 - 2 * proba) ** 2 * proba * (1 - proba)))
    statistic = above / np.sqrt(variance) if variance > 0 else float("nan")
    return Spiegelhalter(brier, float(statistic), 2 * normal_tail(abs(statistic)))
