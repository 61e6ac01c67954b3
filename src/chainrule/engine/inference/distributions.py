"""Tails and quantiles of the t, chi-squared and F distributions.

Those of `scipy.special`, which `scipy.stats` wraps: its import takes longer than most fits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from chainrule.engine.inference.normal import normal_quantile


def student_tail(t: Any, df: float) -> Any:  # noqa: ANN401 - a number or an array, as given
    """Return the probability that Student's t exceeds some values; normal for infinite `df`."""
    return special.ndtr(-t) if np.isinf(df) else special.stdtr(df, -t)


def student_quantile(probability: float, df: float) -> float:
    """Return the quantile of Student's t; of the normal distribution for infinite `df`.

    >>> round(student_quantile(0.975, 10), 6)
    2.228139
    """
    if np.isinf(df):
        return normal_quantile(probability)
    return float(special.stdtrit(df, probability))


def chi2_tail(statistic: float, df: float) -> float:
    """Return the probability that chi-squared exceeds a statistic.

    >>> round(chi2_tail(3.841459, 1), 6)
    0.05
    """
    return float(special.chdtrc(df, max(statistic, 0.0)))


def chi2_quantile(probability: float, df: float) -> float:
    """Return the quantile of chi-squared."""
    return float(2 * special.gammaincinv(df / 2, probability))


def f_tail(statistic: float, df: float, df_residual: float) -> float:
    """Return the probability that F exceeds a statistic; chi-squared / df for infinite residual."""
    if np.isinf(df_residual):
        return chi2_tail(statistic * df, df)
    return float(special.fdtrc(df, df_residual, max(statistic, 0.0)))
