"""Running error analysis: the rounding error of one operation from the errors of its arguments.

For a computed value v and a bound e, the exact value is within e of v (Wilkinson; Higham, *Accuracy
and Stability of Numerical Algorithms*, 2nd ed., section 3.3). One arithmetic operation adds a unit
roundoff of its result, one elementary function `FUNCTION` of it, and either at most `TINY` where
the result underflows. The generated modules of losses call these functions in the order of their
own operations, so no bound on a loss is written by hand.

`scalar_roundings` compiles the same functions for numbers.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray

Real: TypeAlias = FloatArray | float

FUNCTION: Final = 4 * UNIT
"""Largest relative error of exp, log, tanh and the like: two units in the last place."""

TINY: Final = float(np.finfo(np.float64).tiny)
"""The least normal number: what underflow may cost, denormal numbers flushed or not."""

_GROWTH: Final = 1 + 2.0**-20
"""Covers the rounding of the bounds themselves."""


def _product(a: Real, b: Real) -> FloatArray:
    """Return a b, where 0 times infinity is 0."""
    return np.where((a == 0) | (b == 0), 0.0, a * b)


def added(value: Real, of_a: Real, of_b: Real) -> FloatArray:
    """Bound the error of a sum or difference."""
    return np.asarray(of_a + of_b + UNIT * np.abs(value))


def multiplied(value: Real, a: Real, of_a: Real, b: Real, of_b: Real) -> FloatArray:
    """Bound the error of a product; a factor that is exactly 0 makes it exact."""
    passed = (
        _product(np.abs(a), of_b) + _product(np.abs(b), of_a) + _product(np.asarray(of_a), of_b)
    )
    own = UNIT * np.abs(value) + TINY
    zero = ((a == 0) & (of_a == 0)) | ((b == 0) & (of_b == 0))
    return np.where(zero & (value == 0), 0.0, passed + own)


def divided(value: Real, of_a: Real, b: Real, of_b: Real) -> FloatArray:
    """Bound the error of a quotient; infinite where the divisor may be 0."""
    room = np.abs(b) - of_b
    passed = (of_a + _product(np.abs(value) + TINY, of_b)) / np.maximum(room, 0)
    return np.where(room > 0, passed + UNIT * np.abs(value) + TINY, np.inf)


def signed(x: Real, of_x: Real) -> FloatArray:
    """Bound the error of a sign: 0 where the argument's sign is certain, else 2."""
    return np.where((of_x > 0) & (of_x >= np.abs(x)), 2.0, 0.0)


def stepped(x: Real, of_x: Real) -> FloatArray:
    """Bound the error of a mask [x > 0]: 0 where the argument's sign is certain, else 1."""
    return np.asarray(signed(x, of_x) / 2)


def folded(x: Real, of_x: Real, of_decay: Real) -> FloatArray:
    """Bound the error of e^(min(x, 0)), taken as 1 or as a computed e^(-|x|) by the sign of x."""
    near = of_decay - np.expm1(-2 * np.asarray(of_x))
    certain = (np.abs(x) > of_x) | (np.asarray(of_x) == 0)
    return np.where(certain, np.where(x < 0, of_decay, 0.0), near)


def larger(of_a: Real, of_b: Real) -> FloatArray:
    """Bound the error of a maximum or minimum."""
    return np.maximum(of_a, of_b)


def exponential(value: Real, of_x: Real) -> FloatArray:
    """Bound the error of e^x."""
    return np.asarray(_product(value, np.expm1(of_x)) + FUNCTION * value + TINY * np.exp(of_x))


def exponential_to(value: Real, x: Real, of_x: Real, largest: float) -> FloatArray:
    """Bound the error of e^(min(x, largest)) as a value of e^x: infinite beyond the largest x."""
    return np.where(x + of_x <= largest, exponential(value, of_x), np.inf)


def exponential_minus_one(value: Real, of_x: Real) -> FloatArray:
    """Bound the error of e^x - 1."""
    passed = _product(value + 1 + FUNCTION, np.expm1(of_x))
    return np.asarray(passed + FUNCTION * np.abs(value) + TINY)


def logarithm(value: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of log(x); infinite where x may be 0."""
    passed = -np.log1p(-np.minimum(of_x / x, 1))
    return np.where(x > 0, passed + FUNCTION * np.abs(value), np.inf)


def logarithm_of_one_plus(value: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of log(1 + x); infinite where x may be -1."""
    passed = -np.log1p(-np.minimum(of_x / (1 + x) * _GROWTH, 1))
    return np.where(x > -1, passed + FUNCTION * np.abs(value) + TINY, np.inf)


def root(value: Real, of_x: Real) -> FloatArray:
    """Bound the error of a square root: |a - b| / (sqrt(a) + sqrt(b)) for sqrt(a), sqrt(b)."""
    passed = np.minimum(of_x / np.maximum(value, TINY), np.sqrt(of_x))
    return np.asarray(passed + UNIT * value)


def hypotenuse(value: Real, of_a: Real, of_b: Real) -> FloatArray:
    """Bound the error of sqrt(a^2 + b^2), whose slopes are at most 1."""
    return np.asarray(of_a + of_b + FUNCTION * value)


def hyperbolic_tangent(value: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of tanh(x), whose slope is at most min(1, 4 e^(-2|x|)) from x outward."""
    slope = np.minimum(1.0, 4 * np.exp(-2 * np.maximum(np.abs(x) - of_x, 0)))
    return np.asarray(_product(slope, of_x) + FUNCTION * np.abs(value) + TINY)


def log_gumbel_cdf(value: Real, of_x: Real) -> FloatArray:
    """Bound the error of log(1 - e^(-e^x)), whose slope is at most 1."""
    return np.asarray(of_x + 2 * FUNCTION * (1 + np.abs(value)))


def gumbel_mills(value: Real, power: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of u/(e^u - 1) at u = e^x, whose slope in x is at most 1.

    Beyond the largest u that is computed with, both the value and the truth are below 1e-280.
    """
    own = FUNCTION * (3 + power) * np.abs(value) + TINY
    return np.asarray(of_x + own + np.where(np.asarray(x) > 6.5, value, 0.0))


def log_normal_cdf(value: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of log Phi(x), whose slope is at most 1 + max(-x, 0)."""
    own = (3 * FUNCTION + 4 * UNIT * np.square(np.clip(x, 0, 40))) * np.abs(value) + TINY
    return np.asarray(of_x * (1 + np.maximum(of_x - x, 0)) + own)


def inverse_mills(value: Real, x: Real, of_x: Real) -> FloatArray:
    """Bound the error of phi(x)/Phi(x), whose slope is between -1 and 0."""
    growth = 1 + np.square(np.clip(x, 0, 40))
    return np.asarray(of_x + 3 * FUNCTION * growth * np.abs(value) + TINY)


def settled(bound: Real, like: Real) -> FloatArray:
    """Return a bound in the shape of the scores, rounded up; infinite where it is undefined."""
    spread = np.where(np.isnan(like), np.inf, bound)
    return np.where(np.isnan(spread), np.inf, spread * _GROWTH)
