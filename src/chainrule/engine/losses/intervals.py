"""Interval arithmetic on arrays: enclosures of values over intervals of arguments.

An interval is a pair of arrays, its ends. Every operation rounds outward, by more than what it
rounds. An end that has no value becomes infinite: an enclosure may be wide, but is never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from scipy import special

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.losses.roundings import TINY

Interval: TypeAlias = tuple[FloatArray, FloatArray]

_OUTWARD: Final = 8 * UNIT
_ROUGH: Final = 1e-9


def point(x: FloatArray | float) -> Interval:
    """Return the interval of one number."""
    return np.asarray(x, dtype=np.float64), np.asarray(x, dtype=np.float64)


def constant(x: float) -> Interval:
    """Return an interval around a constant that was rounded."""
    return _outward(*point(x))


def _outward(low: FloatArray, high: FloatArray, tiny: float = TINY) -> Interval:
    """Round outward; a sum that underflows is exact, so its `tiny` is 0."""
    down = low - _OUTWARD * np.abs(low) - tiny
    up = high + _OUTWARD * np.abs(high) + tiny
    return np.where(np.isnan(down), -np.inf, down), np.where(np.isnan(up), np.inf, up)


def added(a: Interval, b: Interval) -> Interval:
    """Enclose a + b."""
    return _outward(a[0] + b[0], a[1] + b[1], 0.0)


def subtracted(a: Interval, b: Interval) -> Interval:
    """Enclose a - b."""
    return _outward(a[0] - b[1], a[1] - b[0], 0.0)


def negated(a: Interval) -> Interval:
    """Enclose -a."""
    return -a[1], -a[0]


def multiplied(a: Interval, b: Interval) -> Interval:
    """Enclose a b; 0 times an infinite end is 0, for ends stand for finite numbers near them."""
    ends = [_times(x, y) for x in a for y in b]
    low, high = _outward(np.minimum.reduce(ends), np.maximum.reduce(ends))
    return np.where((a[0] >= 0) & (b[0] >= 0), np.maximum(low, 0), low), high


def squared(a: Interval) -> Interval:
    """Enclose a a."""
    low, high = absolute(a)
    return np.maximum(_outward(low * low, low)[0], 0), _outward(high, high * high)[1]


def divided(a: Interval, b: Interval) -> Interval:
    """Enclose a / b; everything where b may be 0."""
    ends = [np.divide(x, y) for x in a for y in b]
    ends = [np.where(np.isnan(end), 0.0, end) for end in ends]
    low, high = _outward(np.minimum.reduce(ends), np.maximum.reduce(ends))
    blocked = (b[0] <= 0) & (b[1] >= 0)
    low = np.where((a[0] >= 0) & (b[0] > 0), np.maximum(low, 0), low)
    unclear = blocked | (np.isinf(a[0]) | np.isinf(a[1])) & (np.isinf(b[0]) | np.isinf(b[1]))
    return np.where(unclear, -np.inf, low), np.where(unclear, np.inf, high)


def absolute(a: Interval) -> Interval:
    """Enclose |a|."""
    size = np.maximum(np.abs(a[0]), np.abs(a[1]))
    return np.where((a[0] <= 0) & (a[1] >= 0), 0.0, np.minimum(np.abs(a[0]), np.abs(a[1]))), size


def sign(a: Interval) -> Interval:
    """Enclose the sign of a."""
    return np.sign(a[0]), np.sign(a[1])


def step(a: Interval) -> Interval:
    """Enclose the mask [a > 0]."""
    return np.maximum(np.sign(a[0]), 0), np.maximum(np.sign(a[1]), 0)


def maximum(a: Interval, b: Interval) -> Interval:
    """Enclose max(a, b)."""
    return np.maximum(a[0], b[0]), np.maximum(a[1], b[1])


def minimum(a: Interval, b: Interval) -> Interval:
    """Enclose min(a, b)."""
    return np.minimum(a[0], b[0]), np.minimum(a[1], b[1])


def increasing(
    function: Callable[[FloatArray], FloatArray],
    a: Interval,
    least: float = -np.inf,
    largest: float = np.inf,
) -> Interval:
    """Enclose an increasing function between its least and its largest value."""
    low, high = _outward(function(a[0]), function(a[1]))
    return np.maximum(low, least), np.minimum(high, largest)


def exponential(a: Interval) -> Interval:
    """Enclose e^a."""
    return increasing(np.exp, a, 0.0)


def exponential_minus_one(a: Interval) -> Interval:
    """Enclose e^a - 1."""
    return increasing(np.expm1, a, -1.0)


def logarithm(a: Interval) -> Interval:
    """Enclose log(a), for the part of a that has one."""
    return increasing(np.log, maximum(a, point(0.0)))


def logarithm_of_one_plus(a: Interval) -> Interval:
    """Enclose log(1 + a), for the part of a that has one."""
    return increasing(np.log1p, maximum(a, point(-1.0)))


def root(a: Interval) -> Interval:
    """Enclose the square root of a, for the part of a that has one."""
    return increasing(np.sqrt, maximum(a, point(0.0)), 0.0)


def hypotenuse(a: Interval, b: Interval) -> Interval:
    """Enclose sqrt(a^2 + b^2), which increases with |a| and |b|."""
    (a_low, a_high), (b_low, b_high) = absolute(a), absolute(b)
    low, high = _outward(np.hypot(a_low, b_low), np.hypot(a_high, b_high))
    return np.maximum(low, 0), high


def hyperbolic_tangent(a: Interval) -> Interval:
    """Enclose tanh(a)."""
    return increasing(np.tanh, a, -1.0, 1.0)


def _special(function: Callable[[FloatArray], FloatArray], a: Interval, falls: bool) -> Interval:
    """Enclose a monotone function that errs by less than a thousandth of a millionth of itself."""
    ends = [function(end) for end in (a[::-1] if falls else a)]
    return (
        ends[0] - _ROUGH * (np.abs(ends[0]) + (not falls)) - TINY,
        ends[1] + _ROUGH * (np.abs(ends[1]) + (not falls)) + TINY,
    )


def log_gumbel_cdf(a: Interval) -> Interval:
    """Enclose log(1 - e^(-e^a))."""
    low, high = _special(_log_gumbel_cdf, a, falls=False)
    return low, np.minimum(high, 0)


def gumbel_mills(a: Interval) -> Interval:
    """Enclose u/(e^u - 1) at u = e^a, which falls from 1 to 0."""
    low, high = _special(_gumbel_mills, a, falls=True)
    return np.where(a[1] > 6.5, 0, np.maximum(low, 0)), np.minimum(high, 1)


def log_normal_cdf(a: Interval) -> Interval:
    """Enclose log Phi(a)."""
    low, high = _special(special.log_ndtr, a, falls=False)
    return low, np.minimum(high, 0)


def inverse_mills(a: Interval) -> Interval:
    """Enclose phi(a)/Phi(a)."""
    low, high = _special(_inverse_mills, a, falls=True)
    return np.maximum(low, 0), high


def _log_gumbel_cdf(x: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(x + 700, 0) + np.log(-np.expm1(-_power(x))))


def _gumbel_mills(x: FloatArray) -> FloatArray:
    return np.asarray(_power(x) / np.expm1(_power(x)))


def _power(x: FloatArray) -> FloatArray:
    return np.asarray(np.exp(np.clip(x, -700, 6.5)))


def _inverse_mills(x: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(2 / np.pi) / special.erfcx(-x / np.sqrt(2)))


def within(a: Interval, low: float, high: float) -> Interval:
    """Cut an enclosure to bounds that are proven otherwise."""
    return np.clip(a[0], low, high), np.clip(a[1], low, high)


def self_concordant(
    a: Interval, constant: float, value: FloatArray, error: FloatArray, half: FloatArray
) -> Interval:
    """Cut an enclosure of l'' over an interval by |l'''| <= M l''.

    The logarithm of l'' has slope at most M, so l'' stays within exp(+-M half) of its value at the
    middle (Bach 2010).

    Parameters
    ----------
    a : Interval
    constant : float
        M.
    value, error : ndarray
        l'' at the middle of the interval, and a bound on its error.
    half : ndarray
        Half the width of the interval.
    """
    factor = np.exp(constant * half) * (1 + _OUTWARD)
    high = (value + error) * factor
    low = np.maximum(value - error, 0) / factor
    known = np.isfinite(value) & np.isfinite(error) & ~np.isnan(high)
    return (
        np.where(known, np.maximum(a[0], low * (1 - _OUTWARD)), a[0]),
        np.where(known, np.minimum(a[1], high * (1 + _OUTWARD) + TINY), a[1]),
    )


def _times(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def settled(a: Interval, low: float, high: float, like: FloatArray) -> Interval:
    """Return an enclosure within proven bounds, in the shape of the scores."""
    ends = within(a, low, high)
    return np.broadcast_to(ends[0], np.shape(like)), np.broadcast_to(ends[1], np.shape(like))
