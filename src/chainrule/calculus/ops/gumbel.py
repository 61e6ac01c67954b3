"""The Gumbel distribution of minima, F(x) = 1 - e^(-e^x): log F and the ratio of density to F.

It is the inverse of the complementary log-log link. Both functions keep their digits in the left
tail, where F(x) is close to e^x and e^x itself underflows at last.
"""

from __future__ import annotations

from typing import Any

from chainrule.calculus.graph.node import Expr
from chainrule.calculus.graph.op import Law, Op
from chainrule.calculus.ops.functions import EXP, EXPM1, LOG, apply, function

LOWEST, HIGHEST = -700, 6.5
"""Below the first F(x) is e^x to the last digit; above the second 1 - F(x) is below 1e-288."""

_EXACT = "ncdf"
"""A namespace that has this evaluates with any number of digits, and needs no limits."""


def log_gumbel_cdf(x: Expr) -> Expr:
    """Return log(1 - e^(-e^x))."""
    return apply(LOG_GUMBEL_CDF, x)


def gumbel_mills(x: Expr) -> Expr:
    """Return e^x/(e^(e^x) - 1), the slope of log F."""
    return apply(GUMBEL_MILLS, x)


def _power(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, _EXACT):
        return xp.exp(x)
    low, high = xp.full(x.shape, LOWEST), xp.full(x.shape, HIGHEST)
    return xp.exp(xp.minimum(xp.maximum(x, low), high))


def _log_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    inner = xp.log(-xp.expm1(-_power(xp, x)))
    return inner if hasattr(xp, _EXACT) else inner + xp.minimum(x - LOWEST, xp.full(x.shape, 0))


def _mills_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    power = _power(xp, x)
    return power / xp.expm1(power)


GUMBEL_MILLS: Op = function(
    "gumbel_mills",
    _mills_value,
    lambda x, out: out * (1 - out - apply(EXP, x)),
    code="gumbel_mills({})",
    helper=f'''
def gumbel_mills(z):
    """Return e^z/(e^(e^z) - 1), the density over the distribution function of a minimum."""
    t = np.exp(np.minimum(np.maximum(z, {LOWEST}), {HIGHEST}))
    return t / np.expm1(t)
''',
    rule="rule of the ratio of the Gumbel distribution",
    because="with u = e^x the slope of r = u/(e^u - 1) is r(1 - r - u), by the quotient rule",
    latex=r"\operatorname{gumbelmills}",
    laws=(
        Law(
            "it is e^x/(e^(e^x) - 1)",
            lambda x: apply(GUMBEL_MILLS, x),
            lambda x: apply(EXP, x) / apply(EXPM1, apply(EXP, x)),
        ),
    ),
    mistakes=(
        (
            "a term of the quotient rule dropped",
            "the slope is r(1 - r - u); the r inside comes from the denominator",
            lambda x, out: out * (1 - apply(EXP, x)),
        ),
    ),
)

LOG_GUMBEL_CDF: Op = function(
    "log_gumbel_cdf",
    _log_value,
    lambda x, out: apply(GUMBEL_MILLS, x),
    code="log_gumbel_cdf({})",
    helper=f'''
def log_gumbel_cdf(z):
    """Return log(1 - e^(-e^z)), also where e^z underflows."""
    t = np.exp(np.minimum(np.maximum(z, {LOWEST}), {HIGHEST}))
    return np.log(-np.expm1(-t)) + np.minimum(z - ({LOWEST}), 0)
''',
    rule="log rule of the Gumbel distribution",
    because="with u = e^x the slope of log(1 - e^(-u)) is u e^(-u)/(1 - e^(-u)) = u/(e^u - 1)",
    latex=r"\operatorname{loggumbelcdf}",
    glyph="log_gumbel_cdf",
    spoken="the logarithm of the Gumbel distribution function of",
    laws=(
        Law(
            "it is log(1 - e^(-e^x))",
            lambda x: apply(LOG_GUMBEL_CDF, x),
            lambda x: apply(LOG, 1 - apply(EXP, -apply(EXP, x))),
        ),
    ),
    mistakes=(
        (
            "the inner slope dropped",
            "the slope of e^x is missing: the answer is e^x/(e^(e^x) - 1)",
            lambda x, out: 1 / apply(EXPM1, apply(EXP, x)),
        ),
    ),
)

ROWS_HERE = (GUMBEL_MILLS, LOG_GUMBEL_CDF)
"""The rows of this file, for the table."""
