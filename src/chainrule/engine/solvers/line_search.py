"""A step length along a descent direction, found without reading the data again."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from chainrule.engine.arrays import UNIT


def line_search(
    along: Callable[[float], tuple[float, float]],
    value: float,
    slope: float,
    magnitude: float | None = None,
    *,
    shortest: float = 1e-12,
) -> float:
    """Return a step of sufficient decrease, starting from the full step; 0 if there is none.

    Armijo's rule; where the decrease drowns in the rounding of f, the approximate Wolfe rule of
    Hager and Zhang (2005) judges by slopes instead, which keep their digits.

    Parameters
    ----------
    along : callable
        step -> (f, df/dstep).
    value, slope : float
        f and df/dstep at step 0; the slope is negative.
    magnitude : float
        What the rounding of f scales with; |value| by default.
    shortest : float
        Steps below this are not tried.
    """
    noise = 64 * UNIT * (abs(value) if magnitude is None else magnitude)
    step = 1.0
    while step > shortest:
        trial, rise = along(step)
        if not isfinite(rise):
            step *= 0.1  # f or its slope has overflowed
            continue
        if trial <= value + 1e-4 * step * slope:
            return step
        if trial <= value + noise and rise <= 0:
            return step  # while a convex f still falls here, it has fallen all the way
        if trial <= value + noise and rise <= 0.5 * abs(slope):
            return step
        # it rises here, so its slope crosses zero between 0 and here
        crossing = step * -slope / (rise - slope)
        step = min(max(crossing, 0.1 * step), 0.5 * step)
    return 0.0
