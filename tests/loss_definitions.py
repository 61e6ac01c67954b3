"""Every shipped loss once more, from its textbook definition: the only place that a new loss needs.

A definition is the loss in multiple-precision arithmetic, the targets it takes, and what is known
of it from outside: the literature's bounds of its curvature, where it has a minimum. It shares no
code with the package. Likelihoods are up to terms in y alone, so `least`, the infimum over z, is
part of the definition: value - least is half of the unit deviance.

To add one, append it to `_SHIPPED` with the constants that the package takes by default. All tests
of losses are parametrised over this table, and one test holds the README to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import mpmath
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Function = Callable[[Any, Any], Any]
Draw = Callable[[np.random.Generator, Array], Array]

INFINITY: Final = float("inf")
_DIGITS: Final = 1500
_STEP: Final = 400


@dataclass(frozen=True)
class TargetKind:
    """Targets of one kind: a few that a loss takes, and a few that it must refuse."""

    taken: tuple[float, ...]
    refused: tuple[float, ...] = ()


TARGETS: Final[Mapping[str, TargetKind]] = {
    "real": TargetKind((-2e3, -5.0, -0.3, 0.0, 1.0, 1e3)),
    "positive": TargetKind((1e-6, 0.2, 1.0, 40.0, 1e6), (0.0, -1.0)),
    "non-negative": TargetKind((0.0, 1e-6, 1.0, 7.0, 1e6), (-1e-9,)),
    "0/1": TargetKind((0.0, 1.0), (-0.1, 1.1)),
    "-1/1": TargetKind((-1.0, 1.0), (-2.0, 0.0, 0.5)),
}


@dataclass(frozen=True)
class LossDefinition:
    """A loss, what is known of it, and how to draw targets for given scores.

    Attributes
    ----------
    name : str
        As in ``LinearModel(loss=name)``.
    title : str
        As the README calls it.
    value : callable
        (z, y) -> l in multiple precision.
    least : callable
        y -> the infimum of value(., y).
    draw : callable
        (generator, scores) -> targets in range.
    targets : str
        A key of `TARGETS`.
    curvature : tuple of float
        The greatest lower and the least upper bound of l''.
    self_concordance : float or None
        The least M with |l'''| <= M l'', where there is one.
    convex : bool
    has_minimum : bool
        Whether l grows without end on both sides, for every target.
    falls_down, falls_up : tuple of float
        The targets for which l falls for ever as z decreases, or increases.
    jumps : tuple of float
        The arguments, z - y or y z, where the second derivative is discontinuous.
    constants : mapping
        Values of the named constants of the formula.
    slope, bend : callable, optional
        The derivatives in z, where they are written out; by default differences of `value`.
    """

    name: str
    title: str
    value: Function
    least: Callable[[Any], Any]
    draw: Draw
    targets: str
    curvature: tuple[float, float]
    self_concordance: float | None = None
    convex: bool = True
    has_minimum: bool = False
    falls_down: tuple[float, ...] = ()
    falls_up: tuple[float, ...] = ()
    jumps: tuple[float, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    slope: Function | None = None
    bend: Function | None = None

    @property
    def is_binary(self) -> bool:
        return self.targets in ("0/1", "-1/1")

    def first(self, z: Any, y: Any) -> Any:
        """The first derivative in z."""
        if self.slope is not None:
            return self.slope(z, y)
        with mpmath.workdps(_DIGITS):
            h = mpmath.mpf(10) ** -_STEP
            found = (self.value(z + h, y) - self.value(z - h, y)) / (2 * h)
        return +found  # in the precision of the caller

    def second(self, z: Any, y: Any) -> Any:
        """The second derivative in z."""
        if self.bend is not None:
            return self.bend(z, y)
        with mpmath.workdps(_DIGITS):
            h = mpmath.mpf(10) ** -_STEP
            up, here, down = (self.value(z + k * h, y) for k in (1, 0, -1))
            found = (up - 2 * here + down) / h**2
        return +found

    def is_at_jump(self, z: Any, y: Any, within: float) -> Any:
        """Whether a score is closer to a jump of l'' than that."""
        argument = y * z if self.targets == "-1/1" else z - y
        return np.any([np.abs(argument - jump) < within for jump in self.jumps], axis=0)

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={number:g}" for name, number in self.constants.items())
        return f"{self.name}({inside})" if inside else self.name


def number(constant: float) -> Fraction:
    """The number that the decimal digits of a constant mean."""
    return Fraction(repr(constant))


def _zero(y: Any) -> Any:
    return mpmath.mpf(0)


def _y_log_y(y: Any) -> Any:
    return y * mpmath.log(y) if y else mpmath.mpf(0)


def _binary_entropy(y: Any) -> Any:
    return -_y_log_y(y) - _y_log_y(1 - y)


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


SQUARED: Final = LossDefinition(
    "squared",
    "squared",
    value=lambda z, y: (z - y) ** 2 / 2,
    least=_zero,
    draw=_around(0.5),
    targets="real",
    curvature=(1.0, 1.0),
    self_concordance=0.0,
    has_minimum=True,
    slope=lambda z, y: z - y,
    bend=lambda z, y: mpmath.mpf(1),
)


def _share(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


LOGISTIC: Final = LossDefinition(
    "logistic",
    "logistic",
    value=lambda z, y: y * mpmath.log1p(mpmath.exp(-z)) + (1 - y) * mpmath.log1p(mpmath.exp(z)),
    least=_binary_entropy,
    draw=_coins(0.0),
    targets="0/1",
    curvature=(0.0, 0.25),
    self_concordance=1.0,
    falls_down=(0.0,),
    falls_up=(1.0,),
    slope=lambda z, y: (1 - y) * _share(z) - y * _share(-z),
    bend=lambda z, y: _share(z) * _share(-z),
)

POISSON: Final = LossDefinition(
    "poisson",
    "Poisson",
    value=lambda z, y: mpmath.exp(z) - y * z,
    least=lambda y: y - _y_log_y(y),
    draw=_counts,
    targets="non-negative",
    curvature=(0.0, INFINITY),
    self_concordance=1.0,
    falls_down=(0.0,),
    slope=lambda z, y: mpmath.exp(z) - y,
    bend=lambda z, y: mpmath.exp(z),
)

GAMMA: Final = LossDefinition(
    "gamma",
    "Gamma",
    value=lambda z, y: y * mpmath.exp(-z) + z,
    least=lambda y: 1 + mpmath.log(y),
    draw=_positive,
    targets="positive",
    curvature=(0.0, INFINITY),
    self_concordance=1.0,
    has_minimum=True,
    slope=lambda z, y: 1 - y * mpmath.exp(-z),
    bend=lambda z, y: y * mpmath.exp(-z),
)

INVERSE_GAUSSIAN: Final = LossDefinition(
    "inverse_gaussian",
    "inverse Gaussian",
    value=lambda z, y: y * mpmath.exp(-2 * z) / 2 - mpmath.exp(-z),
    least=lambda y: -1 / (2 * y),
    draw=_positive,
    targets="positive",
    curvature=(-INFINITY, INFINITY),
    convex=False,
    slope=lambda z, y: mpmath.exp(-z) - y * mpmath.exp(-2 * z),
    bend=lambda z, y: 2 * y * mpmath.exp(-2 * z) - mpmath.exp(-z),
)

LOG_COSH: Final = LossDefinition(
    "log_cosh",
    "log-cosh",
    value=lambda z, y: mpmath.log(mpmath.cosh(z - y)),
    least=_zero,
    draw=_around(1.0),
    targets="real",
    curvature=(0.0, 1.0),
    self_concordance=2.0,
    has_minimum=True,
    slope=lambda z, y: mpmath.tanh(z - y),
    bend=lambda z, y: mpmath.sech(z - y) ** 2,
)

SQUARED_HINGE: Final = LossDefinition(
    "squared_hinge",
    "squared hinge",
    value=lambda z, y: max(mpmath.mpf(0), 1 - y * z) ** 2,
    least=_zero,
    draw=_coins(-1.0),
    targets="-1/1",
    curvature=(0.0, 2.0),
    jumps=(1.0,),
    slope=lambda z, y: -2 * y * max(mpmath.mpf(0), 1 - y * z),
    bend=lambda z, y: mpmath.mpf(2) if y * z < 1 else mpmath.mpf(0),
)


def _log_normal_cdf(x: Any) -> Any:
    """The logarithm of Phi; above 0 from its complement, which is next to nothing there."""
    if x > 0:
        return mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)
    return mpmath.log(mpmath.ncdf(x))


def _mills(x: Any) -> Any:
    return mpmath.npdf(x) / mpmath.ncdf(x)


PROBIT: Final = LossDefinition(
    "probit",
    "probit",
    value=lambda z, y: -y * _log_normal_cdf(z) - (1 - y) * _log_normal_cdf(-z),
    least=_binary_entropy,
    draw=_coins(0.0),
    targets="0/1",
    curvature=(0.0, 1.0),
    falls_down=(0.0,),
    falls_up=(1.0,),
    slope=lambda z, y: (1 - y) * _mills(-z) - y * _mills(z),
    bend=lambda z, y: y * _mills(z) * (_mills(z) + z) + (1 - y) * _mills(-z) * (_mills(-z) - z),
)


def _log_gumbel_cdf(z: Any) -> Any:
    """The logarithm of 1 - e^(-e^z); beyond z = 20 the power is below 1e-200000000: next to 0."""
    return mpmath.log(-mpmath.expm1(-mpmath.exp(z))) if z < 20 else mpmath.mpf(0)


def _cloglog_bend(u: Any) -> Any:
    """The derivative of -u / (exp(u) - 1) in z, where u = exp(z)."""
    return u * (u * mpmath.exp(u) - mpmath.expm1(u)) / mpmath.expm1(u) ** 2


CLOGLOG: Final = LossDefinition(
    "cloglog",
    "complementary log-log",
    value=lambda z, y: -y * _log_gumbel_cdf(z) + (1 - y) * mpmath.exp(z),
    least=_binary_entropy,
    draw=_coins(0.0),
    targets="0/1",
    curvature=(0.0, INFINITY),
    falls_down=(0.0,),
    falls_up=(1.0,),
    slope=lambda z, y: -y * mpmath.exp(z) / mpmath.expm1(mpmath.exp(z)) + (1 - y) * mpmath.exp(z),
    bend=lambda z, y: y * _cloglog_bend(mpmath.exp(z)) + (1 - y) * mpmath.exp(z),
)


def tweedie(p: float) -> LossDefinition:
    """Half the deviance of the power variance function mu^p, 1 < p < 2, with a log link."""
    q = number(p)

    def least(y: Any) -> Any:
        return y ** (2 - q) / ((2 - q) * (q - 1)) if y else mpmath.mpf(0)

    return LossDefinition(
        "tweedie",
        "Tweedie",
        value=lambda z, y: (
            mpmath.exp((2 - q) * z) / (2 - q) + y * mpmath.exp((1 - q) * z) / (q - 1)
        ),
        least=least,
        draw=_with_zeros,
        targets="non-negative",
        curvature=(0.0, INFINITY),
        self_concordance=float(max(q - 1, 2 - q)),
        falls_down=(0.0,),
        constants={"p": p},
        slope=lambda z, y: mpmath.exp((2 - q) * z) - y * mpmath.exp((1 - q) * z),
        bend=lambda z, y: (2 - q) * mpmath.exp((2 - q) * z) + (q - 1) * y * mpmath.exp((1 - q) * z),
    )


def negative_binomial(alpha: float) -> LossDefinition:
    """Counts of variance mu + alpha mu^2, alpha known, with a log link."""
    a = number(alpha)
    return LossDefinition(
        "negative_binomial",
        "negative binomial",
        value=lambda z, y: (y + 1 / a) * mpmath.log1p(a * mpmath.exp(z)) - y * z,
        least=lambda y: (y + 1 / a) * mpmath.log(1 + a * y) - _y_log_y(y),
        draw=_counts,
        targets="non-negative",
        curvature=(0.0, INFINITY),
        self_concordance=1.0,
        falls_down=(0.0,),
        constants={"alpha": alpha},
        slope=lambda z, y: (mpmath.exp(z) - y) / (1 + a * mpmath.exp(z)),
        bend=lambda z, y: (1 + a * y) * mpmath.exp(z) / (1 + a * mpmath.exp(z)) ** 2,
    )


def huber(delta: float) -> LossDefinition:
    """Squared within delta, linear beyond."""
    d = number(delta)

    def value(z: Any, y: Any) -> Any:
        r = abs(z - y)
        return r**2 / 2 if r <= d else d * (r - d / 2)

    return LossDefinition(
        "huber",
        "Huber",
        value=value,
        least=_zero,
        draw=_around(1.0),
        targets="real",
        curvature=(0.0, 1.0),
        has_minimum=True,
        jumps=(-delta, delta),
        constants={"delta": delta},
        slope=lambda z, y: mpmath.mpf(1) * max(-d, min(d, z - y)),
        bend=lambda z, y: mpmath.mpf(1) if abs(z - y) <= d else mpmath.mpf(0),
    )


def quantile(tau: float, width: float) -> LossDefinition:
    """The check loss at tau, its corner smoothed by a softplus of a width."""
    t, h = number(tau), number(width)

    def least(y: Any) -> Any:
        return -h * (t * mpmath.log(t) + (1 - t) * mpmath.log(1 - t))

    return LossDefinition(
        "quantile",
        "smoothed quantile",
        value=lambda z, y: t * (y - z) + h * mpmath.log1p(mpmath.exp((z - y) / h)),
        least=least,
        draw=_around(1.0),
        targets="real",
        curvature=(0.0, float(1 / (4 * h))),
        self_concordance=float(1 / h),
        has_minimum=True,
        constants={"tau": tau, "width": width},
        slope=lambda z, y: _share((z - y) / h) - t,
        bend=lambda z, y: _share((z - y) / h) * _share((y - z) / h) / h,
    )


def cauchy(c: float) -> LossDefinition:
    """Logarithmic beyond a scale c."""
    k = number(c)

    def square(z: Any, y: Any) -> Any:
        return ((z - y) / k) ** 2

    return LossDefinition(
        "cauchy",
        "Cauchy",
        value=lambda z, y: k**2 / 2 * mpmath.log1p(square(z, y)),
        least=_zero,
        draw=_around(0.5),
        targets="real",
        curvature=(-0.125, 1.0),
        convex=False,
        constants={"c": c},
        slope=lambda z, y: (z - y) / (1 + square(z, y)),
        bend=lambda z, y: (1 - square(z, y)) / (1 + square(z, y)) ** 2,
    )


def tukey(c: float) -> LossDefinition:
    """The biweight: flat beyond c."""
    k = number(c)

    def inside(z: Any, y: Any) -> Any:
        return max(mpmath.mpf(0), 1 - ((z - y) / k) ** 2)

    return LossDefinition(
        "tukey",
        "Tukey",
        value=lambda z, y: k**2 / 6 * (1 - inside(z, y) ** 3),
        least=_zero,
        draw=_around(0.5),
        targets="real",
        curvature=(-0.8, 1.0),
        convex=False,
        jumps=(-c, c),
        constants={"c": c},
        slope=lambda z, y: (z - y) * inside(z, y) ** 2,
        bend=lambda z, y: inside(z, y) * (inside(z, y) - 4 * ((z - y) / k) ** 2),
    )


_SHIPPED: Final = (
    SQUARED,
    LOGISTIC,
    POISSON,
    GAMMA,
    tweedie(1.5),
    negative_binomial(1.0),
    INVERSE_GAUSSIAN,
    LOG_COSH,
    huber(1.35),
    quantile(0.5, 0.1),
    SQUARED_HINGE,
    PROBIT,
    CLOGLOG,
    cauchy(2.385),
    tukey(4.685),
)
_OTHER_CONSTANTS: Final = (
    tweedie(1.2),
    negative_binomial(0.5),
    huber(1.0),
    quantile(0.25, 0.5),
    cauchy(2.0),
)

DEFINITIONS: Final[Mapping[str, LossDefinition]] = {loss.name: loss for loss in _SHIPPED}
"""By name, with the constants that the package takes by default."""

LOSSES: Final[Mapping[str, LossDefinition]] = {
    str(loss): loss for loss in (*_SHIPPED, *_OTHER_CONSTANTS)
}
"""By name and constants, some with others than by default."""
