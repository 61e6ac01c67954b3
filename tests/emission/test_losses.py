"""The emitted losses against definitions written down here, in 50 digits and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule.emission.samples import samples
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import TABLE, find_loss

Number = Any
DIGITS = 60


def xlog(x: Number, of: Number) -> Number:
    """x log(of), and 0 where x is 0."""
    return x * mpmath.log(of) if x else mpmath.mpf(0)


def huber(z: Number, y: Number) -> Number:
    d, delta = abs(z - y), mpmath.mpf("1.35")
    return d * d / 2 if d <= delta else delta * (d - delta / 2)


def tukey(z: Number, y: Number) -> Number:
    c = mpmath.mpf("4.685")
    share = min(((z - y) / c) ** 2, mpmath.mpf(1))
    return c**2 / 6 * (1 - (1 - share) ** 3)


def quantile(z: Number, y: Number) -> Number:
    residual, width = y - z, mpmath.mpf("0.1")
    check = residual / 2 if residual > 0 else -residual / 2
    return check + width * mpmath.log1p(mpmath.exp(-abs(residual) / width))


def tweedie(z: Number, y: Number) -> Number:
    """Half the deviance of McCullagh and Nelder at p = 3/2, less what depends on y alone."""
    mu = mpmath.exp(z)
    return 2 * (y / mpmath.sqrt(mu) + mpmath.sqrt(mu))


def cloglog(z: Number, y: Number) -> Number:
    """Bernoulli's, with 1 - p = e^(-e^z); beyond z = 20 that is below 1e-200000000, which is 0."""
    rest = mpmath.exp(-mpmath.exp(z)) if z < 20 else mpmath.mpf(0)
    return (1 - y) * mpmath.exp(z) - xlog(y, 1 - rest)


def bernoulli(p: Callable[[Number], Number], rest: Callable[[Number], Number]) -> Any:
    return lambda z, y: -xlog(y, p(z)) - xlog(1 - y, rest(z))


# Negative log-likelihoods and losses by their textbook definitions, up to terms in y alone.
DEFINITIONS: dict[str, Callable[[Number, Number], Number]] = {
    "squared": lambda z, y: (y - z) ** 2 / 2,
    "logistic": bernoulli(lambda z: 1 / (1 + mpmath.exp(-z)), lambda z: 1 / (1 + mpmath.exp(z))),
    "cloglog": cloglog,
    "probit": bernoulli(lambda z: mpmath.ncdf(z), lambda z: mpmath.ncdf(-z)),
    "poisson": lambda z, y: -(y * z - mpmath.exp(z)),
    "gamma": lambda z, y: y / mpmath.exp(z) + z,
    "tweedie": tweedie,
    # NB2 with alpha = 1: -(y log(mu/(1 + mu)) - log(1 + mu))
    "negative_binomial": lambda z, y: (
        mpmath.log1p(mpmath.exp(z)) - y * (z - mpmath.log1p(mpmath.exp(z)))
    ),
    # (y - mu)^2/(2 mu^2 y), less 1/(2 y)
    "inverse_gaussian": lambda z, y: (
        (y - mpmath.exp(z)) ** 2 / (2 * mpmath.exp(2 * z) * y) - 1 / (2 * y)
    ),
    "log_cosh": lambda z, y: mpmath.log(mpmath.cosh(z - y)),
    "huber": huber,
    "quantile": quantile,
    "squared_hinge": lambda z, y: max(1 - y * z, mpmath.mpf(0)) ** 2,
    "cauchy": lambda z, y: (
        mpmath.mpf("2.385") ** 2 / 2 * mpmath.log1p(((z - y) / mpmath.mpf("2.385")) ** 2)
    ),
    "tukey": tukey,
}


def test_every_loss_has_a_definition_here() -> None:
    assert set(TABLE) <= set(DEFINITIONS)


def precise(function: Callable[..., Number], *arguments: float) -> Number:
    """A value with 40 digits, computed with as many as it takes; 0 if it is below 1e-600."""
    known = None
    for digits in (DIGITS, 2 * DIGITS, 4 * DIGITS, 700, 1400, 9000, 18000):
        with mpmath.workdps(digits):
            try:
                found = function(*(mpmath.mpf(a) for a in arguments))
            except (ValueError, ZeroDivisionError):
                continue
            close = known is not None and abs(found - known) <= mpmath.mpf(10) ** -40 * abs(found)
            if close and (found or digits >= 700):
                return found
            known = found
    return known


def points(row: LossRow, count: int) -> Iterator[tuple[float, float]]:
    z, y = samples(row.targets)
    chosen = np.random.default_rng(0).permutation(len(z))[:count]
    return zip(z[chosen].tolist(), y[chosen].tolist(), strict=True)


def at_kink(name: str, z: float, y: float) -> bool:
    """Whether a point is so close to a kink of l' that a difference would straddle it."""
    kinks = {"huber": 1.35, "tukey": 4.685}
    if name == "squared_hinge":
        return abs(1 - z * y) < 1e-9
    return name in kinks and abs(abs(z - y) - kinks[name]) < 1e-9


@pytest.mark.parametrize("name", TABLE)
def test_the_loss_is_within_its_bound(name: str) -> None:
    row = find_loss(name)
    ratios = []
    for z, y in points(row, 300):
        at = np.array([z]), np.array([y])
        found, bound = row.kernels.terms(*at)[0][0], row.kernels.errors(*at)[0][0]
        true = precise(DEFINITIONS[name], z, y)
        if not np.isfinite(bound):
            assert abs(true) > 1e300, (z, y)
            continue
        assert abs(found - true) <= bound, (z, y)
        size = max(abs(found), 1.0, abs(z * y))
        ratios.append(bound / (2.0**-53 * size))
    assert np.median(ratios) < 100


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_differences_of_the_definition(name: str, order: int) -> None:
    row = find_loss(name)
    loss = DEFINITIONS[name]
    for z, y in points(row, 60):
        if at_kink(name, z, y) or not abs(z) < 800:
            continue
        at = np.array([z]), np.array([y])
        found, bound = row.kernels.terms(*at)[order][0], row.kernels.errors(*at)[order][0]
        if not np.isfinite(bound):
            continue
        with mpmath.workdps(900):
            step = mpmath.mpf(10) ** -100
            a, b = mpmath.mpf(z), mpmath.mpf(y)
            up, here, down = (loss(a + k * step, b) for k in (1, 0, -1))
            true = (up - down) / (2 * step) if order == 1 else (up - 2 * here + down) / step**2
            assert abs(found - true) <= bound + mpmath.mpf(10) ** -80 * (abs(true) + 1), (
                z,
                y,
                true,
            )
