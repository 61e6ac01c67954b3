"""Inference as a model file keeps it: plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """An estimate, its error, its test and its interval.

    Parameters
    ----------
    output : str
        The class; empty for a single score.
    term : str
    estimate, std_error, statistic, p_value, low, high : float
    """

    output: str
    term: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class TermRow(Estimated):
    """One row of the table of coefficients.

    Parameters
    ----------
    reference : str
        The level that a level of a category is compared with; empty for a number.
    """

    reference: str = ""

    @property
    def ratios(self) -> tuple[float, float, float]:
        """The exponential of estimate and interval: an odds ratio, or a rate ratio."""
        return _exp(self.estimate), _exp(self.low), _exp(self.high)


@dataclass(frozen=True, kw_only=True)
class EffectRow(Estimated):
    """One average marginal effect.

    Parameters
    ----------
    contrast : str
        ``dY/dX`` for a slope, ``1 - 0`` or ``blue - red`` for a change.
    """

    contrast: str


@dataclass(frozen=True, kw_only=True)
class InferenceRecord:
    """The inference of a fit.

    Parameters
    ----------
    cov : str
        The covariance.
    level : float
        Of confidence intervals.
    clusters : str or None
        The column of clusters.
    n_clusters : int
    statistic : {"z", "t"}
    base : str
        The class that the others are compared with; empty for a single score.
    ratio : str
        What the exponential of a coefficient is; empty where it is nothing.
    facts : tuple of str
        Sentences on the fit as a whole.
    note : str
        What to know about the errors.
    statistics : dict
        Likelihood, deviances, information criteria, pseudo R2.
    terms : tuple of TermRow
    effects : tuple of EffectRow
        Empty unless asked for.
    """

    cov: str
    level: float
    clusters: str | None
    n_clusters: int
    statistic: str
    base: str
    ratio: str
    facts: tuple[str, ...]
    note: str
    statistics: dict[str, float] = field(default_factory=dict)
    terms: tuple[TermRow, ...] = ()
    effects: tuple[EffectRow, ...] = ()

    @property
    def ratio_key(self) -> str:
        """The name of the ratio as a column: ``odds.ratio``."""
        return self.ratio.replace(" ", ".")


def estimated(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `Estimated` from a row of a table of inference."""
    return {
        "output": str(row.get("y.level", "")),
        "term": str(row["term"]),
        "estimate": float(row["estimate"]),
        "std_error": float(row["std.error"]),
        "statistic": float(row["statistic"]),
        "p_value": float(row["p.value"]),
        "low": float(row["conf.low"]),
        "high": float(row["conf.high"]),
    }


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
