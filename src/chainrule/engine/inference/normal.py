"""Tails and quantiles of the standard normal distribution, without SciPy (slow to import)."""

from __future__ import annotations

import math
from statistics import NormalDist


def normal_tail(z: float) -> float:
    """Return the probability that a standard normal number exceeds z."""
    return math.erfc(z / math.sqrt(2)) / 2


def normal_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution.

    >>> round(normal_quantile(0.975), 6)
    1.959964
    """
    return NormalDist().inv_cdf(probability)
