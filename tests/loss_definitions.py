"""Losses of one score z and one target y in multiple-precision arithmetic, from their definitions.

Value, first and second derivative in z are written out by hand from the textbook definition of each
loss and share no code with the package. Likelihoods are up to terms in y alone, so `least`, the
infimum over z, is part of the definition: value - least is half of the unit deviance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import mpmath
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Function = Callable[[Any, Any], Any]
Draw = Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class OracleLoss:
    """A loss, its derivatives in z, and how to draw targets for given scores.

    Attributes
    ----------
    name : str
        As in ``LinearModel(loss=name)``.
    formula : str
        l(z, y), for messages.
    value, first, second : callable
        (z, y) -> multiple-precision numbers.
    least : callable
        y -> the infimum of value(., y).
    draw : callable
        (generator, scores) -> targets in range.
    targets : {'real', 'positive', 'non-negative', 'counts', '0/1', '-1/1'}
    constants : mapping
        Values of the named constants of the formula.
    convex : bool
    jumps : tuple of float
        The arguments, z - y or y z, where the second derivative is discontinuous.
    """

    name: str
    formula: str
    value: Function
    first: Function
    second: Function
    least: Callable[[Any], Any]
    draw: Draw
    targets: str
    constants: Mapping[str, float] = field(default_factory=dict)
    convex: bool = True
    jumps: tuple[float, ...] = ()

    @property
    def is_binary(self) -> bool:
        return self.targets in ("0/1", "-1/1")

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={number:g}" for name, number in self.constants.items())
        return f"{self.name}({inside})" if inside else self.name


def _zero(y: Any) -> Any:
    return mpmath.mpf(0)


def _y_log_y(y: Any) -> Any:
    return y * mpmath.log(y) if y else mpmath.mpf(0)


def _around(spread: float) -> Draw:
    """Scores plus noise, a few of them far off."""

    def draw(rng: np.random.Generator, z: Array) -> Array:
        return np.asarray(z + spread * rng.standard_t(3, size=len(z)))

    return draw


def _counts(rng: np.random.Generator, z: Array) -> Array:
    return rng.poisson(np.exp(z)).astype(float)


def _positive(rng: np.random.Generator, z: Array) -> Array:
    return np.asarray(np.exp(z) * rng.gamma(2.0, 0.5, size=len(z)) + 1e-3)


def _with_zeros(rng: np.random.Generator, z: Array) -> Array:
    """A Poisson number of Gamma amounts: zero with positive probability."""
    return np.asarray(rng.gamma(np.maximum(rng.poisson(np.exp(z)), 1e-9), 0.7))


def _coins(low: float) -> Draw:
    def draw(rng: np.random.Generator, z: Array) -> Array:
        return np.where(rng.uniform(size=len(z)) < 1 / (1 + np.exp(-z)), 1.0, low)

    return draw


SQUARED: Final = OracleLoss(
    "squared",
    "(z - y)^2 / 2",
    lambda z, y: (z - y) ** 2 / 2,
    lambda z, y: z - y,
    lambda z, y: mpmath.mpf(1),
    _zero,
    _around(0.5),
    "real",
)

POISSON: Final = OracleLoss(
    "poisson",
    "exp(z) - y z",
    lambda z, y: mpmath.exp(z) - y * z,
    lambda z, y: mpmath.exp(z) - y,
    lambda z, y: mpmath.exp(z),
    lambda y: y - _y_log_y(y),
    _counts,
    "non-negative",
)

GAMMA: Final = OracleLoss(
    "gamma",
    "y exp(-z) + z",
    lambda z, y: y * mpmath.exp(-z) + z,
    lambda z, y: 1 - y * mpmath.exp(-z),
    lambda z, y: y * mpmath.exp(-z),
    lambda y: 1 + mpmath.log(y),
    _positive,
    "positive",
)

INVERSE_GAUSSIAN: Final = OracleLoss(
    "inverse_gaussian",
    "y exp(-2 z) / 2 - exp(-z)",
    lambda z, y: y * mpmath.exp(-2 * z) / 2 - mpmath.exp(-z),
    lambda z, y: mpmath.exp(-z) - y * mpmath.exp(-2 * z),
    lambda z, y: 2 * y * mpmath.exp(-2 * z) - mpmath.exp(-z),
    lambda y: -1 / (2 * y),
    _positive,
    "positive",
    convex=False,
)

LOG_COSH: Final = OracleLoss(
    "log_cosh",
    "log(cosh(z - y))",
    lambda z, y: mpmath.log(mpmath.cosh(z - y)),
    lambda z, y: mpmath.tanh(z - y),
    lambda z, y: mpmath.sech(z - y) ** 2,
    _zero,
    _around(1.0),
    "real",
)

SQUARED_HINGE: Final = OracleLoss(
    "squared_hinge",
    "max(0, 1 - y z)^2",
    lambda z, y: max(mpmath.mpf(0), 1 - y * z) ** 2,
    lambda z, y: -2 * y * max(mpmath.mpf(0), 1 - y * z),
    lambda z, y: mpmath.mpf(2) if y * z < 1 else mpmath.mpf(0),
    _zero,
    _coins(-1.0),
    "-1/1",
    jumps=(1.0,),
)


def _log_normal_cdf(x: Any) -> Any:
    """The logarithm of Phi; above 0 from its complement, which is next to nothing there."""
    if x > 0:
        return mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)
    return mpmath.log(mpmath.ncdf(x))


def _probit_first(z: Any, y: Any) -> Any:
    side = 2 * y - 1
    return -side * mpmath.npdf(z) / mpmath.ncdf(side * z)


PROBIT: Final = OracleLoss(
    "probit",
    "-y log(Phi(z)) - (1 - y) log(Phi(-z))",
    lambda z, y: -_log_normal_cdf((2 * y - 1) * z),
    _probit_first,
    # with r = phi(z) / Phi(z) for y = 1: -log Phi has the slope -r and the curvature r (r + z)
    lambda z, y: _probit_first(z, y) * (_probit_first(z, y) - z),
    _zero,
    _coins(0.0),
    "0/1",
)

CLOGLOG: Final = OracleLoss(
    "cloglog",
    "-y log(1 - exp(-exp(z))) + (1 - y) exp(z)",
    lambda z, y: -y * mpmath.log(-mpmath.expm1(-mpmath.exp(z))) + (1 - y) * mpmath.exp(z),
    lambda z, y: -y * mpmath.exp(z) / mpmath.expm1(mpmath.exp(z)) + (1 - y) * mpmath.exp(z),
    lambda z, y: y * _cloglog_second(mpmath.exp(z)) + (1 - y) * mpmath.exp(z),
    _zero,
    _coins(0.0),
    "0/1",
)


def _cloglog_second(u: Any) -> Any:
    """The derivative of -u / (exp(u) - 1) in z, where u = exp(z)."""
    return u * (u * mpmath.exp(u) - mpmath.expm1(u)) / mpmath.expm1(u) ** 2


def tweedie(p: float) -> OracleLoss:
    """Half the deviance of the power variance function mu^p, 1 < p < 2, with a log link."""

    def least(y: Any) -> Any:
        return y ** (2 - q) / ((2 - q) * (q - 1)) if y else mpmath.mpf(0)

    q = mpmath.mpf(p)  # the binary number that the engine is given
    return OracleLoss(
        "tweedie",
        "exp((2 - p) z) / (2 - p) + y exp((1 - p) z) / (p - 1)",
        lambda z, y: mpmath.exp((2 - q) * z) / (2 - q) + y * mpmath.exp((1 - q) * z) / (q - 1),
        lambda z, y: mpmath.exp((2 - q) * z) - y * mpmath.exp((1 - q) * z),
        lambda z, y: (2 - q) * mpmath.exp((2 - q) * z) + (q - 1) * y * mpmath.exp((1 - q) * z),
        least,
        _with_zeros,
        "non-negative",
        {"p": p},
    )


def negative_binomial(alpha: float) -> OracleLoss:
    """Counts of variance mu + alpha mu^2, alpha known, with a log link."""
    a = mpmath.mpf(alpha)
    return OracleLoss(
        "negative_binomial",
        "(y + 1/alpha) log(1 + alpha exp(z)) - y z",
        lambda z, y: (y + 1 / a) * mpmath.log1p(a * mpmath.exp(z)) - y * z,
        lambda z, y: (mpmath.exp(z) - y) / (1 + a * mpmath.exp(z)),
        lambda z, y: (1 + a * y) * mpmath.exp(z) / (1 + a * mpmath.exp(z)) ** 2,
        lambda y: (y + 1 / a) * mpmath.log(1 + a * y) - _y_log_y(y),
        _counts,
        "non-negative",
        {"alpha": alpha},
    )


def huber(delta: float) -> OracleLoss:
    """Squared within delta, linear beyond."""
    d = mpmath.mpf(delta)

    def value(z: Any, y: Any) -> Any:
        r = abs(z - y)
        return r**2 / 2 if r <= d else d * (r - d / 2)

    return OracleLoss(
        "huber",
        "(z - y)^2 / 2 if |z - y| <= delta else delta (|z - y| - delta / 2)",
        value,
        lambda z, y: max(-d, min(d, z - y)),
        lambda z, y: mpmath.mpf(1) if abs(z - y) <= d else mpmath.mpf(0),
        _zero,
        _around(1.0),
        "real",
        {"delta": delta},
        jumps=(-delta, delta),
    )


def quantile(tau: float, width: float) -> OracleLoss:
    """The check loss at tau, its corner smoothed by a softplus of a width."""
    t, h = mpmath.mpf(tau), mpmath.mpf(width)

    def share(z: Any, y: Any) -> Any:
        return 1 / (1 + mpmath.exp((y - z) / h))

    def least(y: Any) -> Any:
        return -h * (t * mpmath.log(t) + (1 - t) * mpmath.log(1 - t))

    return OracleLoss(
        "quantile",
        "tau (y - z) + width log(1 + exp((z - y) / width))",
        lambda z, y: t * (y - z) + h * mpmath.log1p(mpmath.exp((z - y) / h)),
        lambda z, y: share(z, y) - t,
        lambda z, y: share(z, y) * share(y, z) / h,
        least,
        _around(1.0),
        "real",
        {"tau": tau, "width": width},
    )


def cauchy(c: float) -> OracleLoss:
    """Logarithmic beyond a scale c."""
    k = mpmath.mpf(c)

    def square(z: Any, y: Any) -> Any:
        return ((z - y) / k) ** 2

    return OracleLoss(
        "cauchy",
        "c^2 / 2 log(1 + ((z - y) / c)^2)",
        lambda z, y: k**2 / 2 * mpmath.log(1 + square(z, y)),
        lambda z, y: (z - y) / (1 + square(z, y)),
        lambda z, y: (1 - square(z, y)) / (1 + square(z, y)) ** 2,
        _zero,
        _around(0.5),
        "real",
        {"c": c},
        convex=False,
    )


def tukey(c: float) -> OracleLoss:
    """The biweight: flat beyond c."""
    k = mpmath.mpf(c)

    def inside(z: Any, y: Any) -> Any:
        return max(mpmath.mpf(0), 1 - ((z - y) / k) ** 2)

    return OracleLoss(
        "tukey",
        "c^2 / 6 (1 - max(0, 1 - ((z - y) / c)^2)^3)",
        lambda z, y: k**2 / 6 * (1 - inside(z, y) ** 3),
        lambda z, y: (z - y) * inside(z, y) ** 2,
        lambda z, y: inside(z, y) * (inside(z, y) - 4 * ((z - y) / k) ** 2),
        _zero,
        _around(0.5),
        "real",
        {"c": c},
        convex=False,
    )


LOSSES: Final[dict[str, OracleLoss]] = {
    str(loss): loss
    for loss in (
        SQUARED,
        POISSON,
        GAMMA,
        tweedie(1.5),
        tweedie(1.2),
        negative_binomial(0.5),
        INVERSE_GAUSSIAN,
        LOG_COSH,
        huber(1.0),
        quantile(0.25, 0.5),
        SQUARED_HINGE,
        PROBIT,
        CLOGLOG,
        cauchy(2.0),
        tukey(4.685),
    )
}
