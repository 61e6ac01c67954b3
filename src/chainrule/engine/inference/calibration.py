"""How well predicted probabilities agree with what happened: tests for two classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from chainrule.engine.arrays import FloatArray, IntArray

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

    Groups end at the unique quantiles of type 7; rows of equal probability stay together.
    """
    edges = np.unique(np.quantile(proba, np.linspace(0, 1, n_groups + 1)))
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
    p = float(stats.chi2.sf(statistic, df)) if df > 0 else float("nan")
    return HosmerLemeshow(statistic, df, p, observed, expected, size, "; ".join(notes))


@dataclass(frozen=True)
class Spiegelhalter:
    """Spiegelhalter's z test (1986) of the Brier score against its expectation."""

    brier: float
    statistic: float
    p_value: float


def spiegelhalter(y: FloatArray, proba: FloatArray, weight: FloatArray) -> Spiegelhalter:
    """Test whether the Brier score is what calibrated probabilities give."""
    brier = float(weight @ (y - proba) ** 2 / weight.sum())
    above = float(weight @ ((y - proba) * (1 - 2 * proba)))
    variance = float(weight @ ((1 - 2 * proba) ** 2 * proba * (1 - proba)))
    statistic = above / np.sqrt(variance) if variance > 0 else float("nan")
    return Spiegelhalter(brier, float(statistic), float(2 * stats.norm.sf(abs(statistic))))
