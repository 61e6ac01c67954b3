"""Special functions: the error function, log Γ and its derivatives digamma and polygamma.

Libraries of arrays do not share them, so float64 values come from series: the error function from
its Taylor series near 0 and from the normal tail elsewhere, log Γ from Stirling's series after the
argument is moved up by the recurrence Γ(x + 1) = x Γ(x). A namespace that has a function itself, as
mpmath does, is called instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import factorial, pi, sqrt
from types import MappingProxyType
from typing import Any

from chainrule.calculus.graph.node import Apply, Expr
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op, Spelling
from chainrule.calculus.ops import constants
from chainrule.calculus.ops.elementwise import POSITIVE, lift, power
from chainrule.calculus.ops.functions import EXP, LOG, SQRT, apply, function
from chainrule.calculus.ops.gaussian import INVERSE_MILLS, NORMAL_CDF, normal_cdf

TAYLOR = tuple(2 / sqrt(pi) * (-1) ** n / (factorial(n) * (2 * n + 1)) for n in reversed(range(22)))
"""Coefficients of erf(x)/x in x^2, highest power first; exact to rounding for |x| <= 1."""

SHIFT = 12
"""How far log Γ moves its argument up, to where eight terms of Stirling's series are enough."""

BERNOULLI = tuple(
    Fraction(*b)
    for b in ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))
)
"""The Bernoulli numbers B_2, B_4, ..., B_16."""

_STIRLING = [float(b / (2 * k * (2 * k - 1))) for k, b in enumerate(BERNOULLI, 1)]
_DIGAMMA = [float(-b / (2 * k)) for k, b in enumerate(BERNOULLI, 1)]
_HALF_LOG_TWO_PI = 0.9189385332046728


def erf(x: Expr) -> Expr:
    """Return the error function of every entry."""
    return apply(ERF, x)


def lgamma(x: Expr) -> Expr:
    """Return log Γ of every entry, for positive ones."""
    return apply(LGAMMA, x)


def digamma(x: Expr) -> Expr:
    """Return the slope of log Γ at every entry."""
    return apply(DIGAMMA, x)


def polygamma(x: Expr, order: int) -> Expr:
    """Return the derivative of digamma of an order: 1 is trigamma."""
    return digamma(x) if order == 0 else Apply(POLYGAMMA, (x,), (order,))


def _spelled(torch: str, jax: str) -> Mapping[str, Spelling]:
    """Return the code for libraries that have the function; attributes come after the argument."""
    return MappingProxyType(
        {
            "torch": Spelling(lambda x, *, attrs: torch.format(x, *attrs)),
            "jax": Spelling(
                lambda x, *, attrs: jax.format(x, *attrs), imports=("import jax.scipy.special",)
            ),
        }
    )


def _horner(coefficients: list[float] | tuple[float, ...], value: str) -> str:
    """Return a polynomial as lines of code, one multiplication each."""
    first, *rest = coefficients
    lines = [f"    p = {'p' if k else first} * {value} + {c}" for k, c in enumerate(rest)]
    return "\n".join(lines)


def _polynomial(x: Any, coefficients: list[float] | tuple[float, ...]) -> Any:  # noqa: ANN401
    total = 0 * x + coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _erf_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, "erf"):
        return xp.erf(x)
    t = xp.minimum(xp.abs(x), 1)
    near = t * _polynomial(t * t, TAYLOR)
    tail = NORMAL_CDF.value(xp, -xp.abs(x) * sqrt(2), out_shape=x.shape, attrs=())
    return xp.sign(x) * xp.where(xp.abs(x) < 1, near, 1 - 2 * tail)


ERF: Op = function(
    "erf",
    _erf_value,
    lambda x, out: 2 * apply(EXP, -power(x, 2)) / apply(SQRT, constants.pi()),
    code="erf({})",
    helper=f'''
def erf(z):
    """Return the error function, with all its digits near 0."""
    t = np.minimum(np.abs(z), 1)
    y = t * t
{_horner(TAYLOR, "y")}
    far = 1 - 2 * normal_cdf(-np.abs(z) * {sqrt(2)})
    return np.sign(z) * np.where(np.abs(z) < 1, t * p, far)
''',
    helpers=(INVERSE_MILLS, NORMAL_CDF),
    targets=_spelled("torch.special.erf({})", "jax.scipy.special.erf({})"),
    rule="error function rule",
    because="erf is 2/√π times the integral of e^(-t^2), so that is its slope",
    latex=r"\operatorname{erf}",
    laws=(
        Law("it is odd", lambda x: apply(ERF, -x), lambda x: -apply(ERF, x)),
        Law(
            "erf x = 2Φ(√2 x) - 1",
            lambda x: apply(ERF, x),
            lambda x: 2 * normal_cdf(apply(SQRT, lift(2)) * x) - 1,
        ),
    ),
    mistakes=(
        (
            "the factor 2/√π dropped",
            "the error function has the factor 2/√π in front of its integral",
            lambda x, out: apply(EXP, -power(x, 2)),
        ),
        (
            "taken for the normal distribution function",
            "the slope of erf is 2 e^(-x^2)/√π; e^(-x^2/2)/√(2π) is that of Φ",
            lambda x, out: apply(EXP, -power(x, 2) / 2) / apply(SQRT, 2 * constants.pi()),
        ),
    ),
)


def _lgamma_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, "loggamma"):
        return xp.loggamma(x)
    y = x + SHIFT
    series = _polynomial(1 / (y * y), _STIRLING[::-1]) / y
    moved = sum(xp.log(x + k) for k in range(SHIFT))
    return (y - 0.5) * xp.log(y) - y + _HALF_LOG_TWO_PI + series - moved


def _digamma_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, "digamma"):
        return xp.digamma(x)
    y = x + SHIFT
    square = 1 / (y * y)
    series = _polynomial(square, _DIGAMMA[::-1]) * square
    return xp.log(y) - 1 / (2 * y) + series - sum(1 / (x + k) for k in range(SHIFT))


def _polygamma_value(xp: Any, x: Any, order: int) -> Any:  # noqa: ANN401
    if hasattr(xp, f"polygamma_{order}"):
        return getattr(xp, f"polygamma_{order}")(x)
    y = x + SHIFT
    total = factorial(order - 1) / y**order + factorial(order) / (2 * y ** (order + 1))
    for k, b in enumerate(BERNOULLI, 1):
        rising = factorial(2 * k + order - 1) // factorial(2 * k)
        total = total + float(b * rising) / y ** (2 * k + order)
    total = total + factorial(order) * sum(1 / (x + k) ** (order + 1) for k in range(SHIFT))
    return total if order % 2 else -total


def _moved_up(term: str) -> str:
    """Return the sum of a term over the places that the recurrence passes."""
    return " + ".join(term.format(f"z + {k}" if k else "z") for k in range(SHIFT))


LGAMMA: Op = function(
    "lgamma",
    _lgamma_value,
    lambda x, out: apply(DIGAMMA, x),
    code="lgamma({})",
    helper=f'''
def lgamma(z):
    """Return the logarithm of the gamma function of positive numbers, by Stirling's series."""
    y = z + {SHIFT}
    t = 1 / (y * y)
{_horner(_STIRLING[::-1], "t")}
    moved = {_moved_up("np.log({})")}
    return (y - 0.5) * np.log(y) - y + {_HALF_LOG_TWO_PI} + p / y - moved
''',
    targets=_spelled("torch.special.gammaln({})", "jax.scipy.special.gammaln({})"),
    rule="log-gamma rule",
    because="the slope of log Γ is named digamma, ψ: Γ'(x)/Γ(x)",
    latex=r"\operatorname{lgamma}",
    spoken="the logarithm of the gamma function of",
    domain=POSITIVE,
    corner="where its argument is not positive; log Γ is used for positive numbers only",
    laws=(
        Law(
            "log Γ(x + 1) = log Γ(x) + log x",
            lambda x: lgamma(x + 1),
            lambda x: lgamma(x) + apply(LOG, x),
        ),
        Law("log Γ(2) = 0", lambda x: lgamma(x - x + 2), lambda x: lift(0)),
    ),
    mistakes=(
        (
            "taken for the logarithm",
            "the slope of log Γ is digamma, not 1/x",
            lambda x, out: 1 / x,
        ),
    ),
)

DIGAMMA: Op = function(
    "digamma",
    _digamma_value,
    lambda x, out: polygamma(x, 1),
    code="digamma({})",
    helper=f'''
def digamma(z):
    """Return the slope of the logarithm of the gamma function, for positive numbers."""
    y = z + {SHIFT}
    t = 1 / (y * y)
{_horner(_DIGAMMA[::-1], "t")}
    moved = {_moved_up("1 / ({})")}
    return np.log(y) - 1 / (2 * y) + p * t - moved
''',
    targets=_spelled("torch.special.digamma({})", "jax.scipy.special.digamma({})"),
    rule="digamma rule",
    because="the slope of digamma is named trigamma, the polygamma function of order 1",
    glyph="ψ",
    latex=r"\psi",
    spoken="digamma of",
    domain=POSITIVE,
    corner="where its argument is not positive; digamma is used for positive numbers only",
    laws=(Law("ψ(x + 1) = ψ(x) + 1/x", lambda x: digamma(x + 1), lambda x: digamma(x) + 1 / x),),
    mistakes=(
        (
            "taken for the logarithm",
            "digamma is close to log x, but its slope is trigamma, not 1/x",
            lambda x, out: 1 / x,
        ),
    ),
)

POLYGAMMA: Op = Op(
    name="polygamma",
    shape=lambda shapes, attrs: shapes[0],
    value=lambda xp, x, *, out_shape, attrs: _polygamma_value(xp, x, attrs[0]),
    vjp=lambda g, out, args, attrs: (g * polygamma(args[0], attrs[0] + 1),),
    notation=Notation(
        Layout.FUNCTION,
        "polygamma",
        r"\operatorname{polygamma}",
        spoken="polygamma of",
        options=lambda attrs: f"{attrs[0]}",
    ),
    code=lambda x, *, attrs: f"polygamma({x}, {attrs[0]})",
    helper=f'''
def polygamma(z, order):
    """Return a derivative of digamma, for positive numbers: the first, the second, ..."""
    y = z + {SHIFT}
    below = 1.0
    for k in range(1, order):
        below = below * k
    whole = below * order
    total = below / y**order + whole / (2 * y ** (order + 1))
    rising = below
    bernoulli = {[float(b) for b in BERNOULLI]}
    for k in range({len(BERNOULLI)}):
        rising = rising * (2 * k + order) * (2 * k + 1 + order) / ((2 * k + 1) * (2 * k + 2))
        total = total + bernoulli[k] * rising / y ** (2 * k + 2 + order)
    for k in range({SHIFT}):
        total = total + whole / (z + k) ** (order + 1)
    return total * (2 * (order % 2) - 1)
''',
    targets=_spelled(
        "torch.special.polygamma(n={1}, input={0})", "jax.scipy.special.polygamma({1}, {0})"
    ),
    rule="polygamma rule",
    because="polygamma functions are the derivatives of digamma in turn: the order goes up by one",
    elementwise=True,
    domain=(POSITIVE,),
    corner="where its argument is not positive; polygamma is used for positive numbers only",
    laws=(
        Law(
            "trigamma(x + 1) = trigamma(x) - 1/x^2",
            lambda x: polygamma(x + 1, 1),
            lambda x: polygamma(x, 1) - 1 / power(x, 2),
        ),
    ),
    mistakes=(
        Mistake(
            "the order kept",
            "the derivative of a polygamma function has the next order",
            lambda g, out, args, attrs: (g * out,),
        ),
    ),
)

ROWS_HERE = (ERF, LGAMMA, DIGAMMA, POLYGAMMA)
"""The rows of this file, for the table."""

__all__ = [
    "DIGAMMA",
    "ERF",
    "LGAMMA",
    "POLYGAMMA",
    "ROWS_HERE",
    "digamma",
    "erf",
    "lgamma",
    "polygamma",
]
