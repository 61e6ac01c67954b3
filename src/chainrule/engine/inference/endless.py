"""The interval of a coefficient that runs off: one end is infinite, the other is solved for."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import optimize

from chainrule.engine.inference.terms import Limit
from chainrule.errors import DataError

_DOUBLINGS: Final[int] = 60


def endless_interval(limit: Limit, column: int, rise: float) -> tuple[float, float]:
    """Return the profile-likelihood interval of a coefficient that runs off.

    Solves: what the loss tends to with the coefficient held = its infimum + rise.

    Parameters
    ----------
    limit : Limit
    column : int
        The number of its column, without the intercept.
    rise : float
        Half a quantile of chi-squared.
    """
    first = int(len(limit.signs) > limit.whole.design.source.n_features)
    sign = int(limit.signs[column + first])
    source = limit.whole.design.source
    unit = 1 / float(source.column_scale[column]) or 1.0

    def excess(value: float) -> float:
        return limit.infimum_at(column, sign * value) - limit.infimum - rise

    low = high = 0.0
    step = unit
    if excess(0.0) > 0:
        for _ in range(_DOUBLINGS):
            low, high, step = high, high + step, 2 * step
            if excess(high) < 0:
                break
        else:
            raise DataError("the end of this interval was not found")
    else:
        for _ in range(_DOUBLINGS):
            high, low, step = low, low - step, 2 * step
            if excess(low) > 0:
                break
        else:  # the likelihood never falls so far
            return -np.inf, np.inf
    end = sign * float(optimize.brentq(excess, low, high, xtol=1e-10 * unit, rtol=1e-12))
    return (end, np.inf) if sign > 0 else (-np.inf, end)
