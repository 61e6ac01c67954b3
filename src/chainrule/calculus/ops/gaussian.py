"""The standard normal distribution: its distribution function Φ, log Φ and the ratio φ/Φ.

Libraries of arrays do not share an error function, so float64 values come from one polynomial for
the inverse Mills ratio φ/Φ in the left tail; Φ and log Φ follow from it without cancellation. A
namespace that has Φ itself, as mpmath does under the name `ncdf`, is called instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from chainrule.calculus.graph.node import Expr
from chainrule.calculus.graph.op import Law, Op, Spelling
from chainrule.calculus.ops.constants import pi
from chainrule.calculus.ops.elementwise import lift, power
from chainrule.calculus.ops.functions import EXP, LOG, SQRT, apply, function

EXACT = "ncdf"
"""The name of Φ in namespaces that evaluate it themselves."""

ROOT_OF_TWO_PI = 2.5066282746310002

MIDPOINT = 4.5
TAIL = (
    -4.667845887893746e-10,
    2.4580958532929963e-10,
    5.417690627712938e-09,
    -7.460702913734561e-10,
    -3.5554665743335785e-08,
    -1.193456523348832e-08,
    1.8805942591256064e-07,
    1.6053275103821915e-07,
    -9.61266759717233e-07,
    -1.2581961162013746e-06,
    5.377587637560456e-06,
    7.998688074858116e-06,
    -3.5686459891778214e-05,
    -3.993893182964579e-05,
    0.00028084994938006345,
    1.599528939338186e-05,
    -0.002300449406542663,
    0.004383668136013047,
    0.010587028725654708,
    -0.08490282389410506,
    0.27919476586449943,
    -0.6345323932481048,
    1.1190905025319455,
    -1.6048882049011262,
    1.9131352239782862,
)
"""Coefficients, highest power first, of (t + 4.5) Φ(-t)/φ(t) in y = (t - 4.5)/(t + 4.5).

The Chebyshev series of degree 24 for t >= 0, computed with 40 digits and written in powers of y;
its error is below 3e-16 everywhere, and at t = infinity, where y = 1, its value is 1.
"""


def _special(name: str) -> Mapping[str, Spelling]:
    """Return the code for libraries that have this function among their special functions."""
    return MappingProxyType(
        {
            "torch": Spelling(lambda x, *, attrs: f"torch.special.{name}({x})"),
            "jax": Spelling(
                lambda x, *, attrs: f"jax.scipy.special.{name}({x})",
                imports=("import jax.scipy.special",),
            ),
        }
    )


_HORNER = "\n".join(
    f"    p = {'p' if k else TAIL[0]} * y + {coefficient}" for k, coefficient in enumerate(TAIL[1:])
)
"""The polynomial as lines of code, one multiplication each."""


def normal_density(x: Expr) -> Expr:
    """Return the density φ(x) of the standard normal distribution."""
    return apply(EXP, -(power(x, 2) / 2)) / apply(SQRT, 2 * pi())


def normal_cdf(x: Expr) -> Expr:
    """Return the standard normal distribution function Φ(x)."""
    return apply(NORMAL_CDF, x)


def log_normal_cdf(x: Expr) -> Expr:
    """Return log Φ(x), with all its digits in both tails."""
    return apply(LOG_NORMAL_CDF, x)


def inverse_mills(x: Expr) -> Expr:
    """Return φ(x)/Φ(x), the slope of log Φ."""
    return apply(INVERSE_MILLS, x)


def _density(xp: Any, x: Any) -> Any:  # noqa: ANN401
    """Return φ(x), with the same operations as `normal_density`."""
    ones = xp.full(x.shape, 1)
    return xp.exp(-(x**2 / 2)) / xp.sqrt(2 * xp.arccos(-ones))


def _tail(xp: Any, x: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return φ(t)/Φ(-t) and Φ(-t) at t = |x|."""
    t = xp.abs(x)
    y = 1 - 2 * MIDPOINT / (t + MIDPOINT)
    total = 0 * y + TAIL[0]
    for coefficient in TAIL[1:]:
        total = total * y + coefficient
    ratio = (t + MIDPOINT) / total
    return ratio, xp.exp(-(t * t / 2)) / (ROOT_OF_TWO_PI * ratio)


def _inverse_mills_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, EXACT):
        return _density(xp, x) / getattr(xp, EXACT)(x)
    ratio, below = _tail(xp, x)
    return xp.where(x > 0, ratio * below / (1 - below), ratio)


def _normal_cdf_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, EXACT):
        return getattr(xp, EXACT)(x)
    _, below = _tail(xp, x)
    return xp.where(x > 0, 1 - below, below)


def _log_normal_cdf_value(xp: Any, x: Any) -> Any:  # noqa: ANN401
    if hasattr(xp, EXACT):
        return xp.log(getattr(xp, EXACT)(x))
    ratio, below = _tail(xp, x)
    return xp.where(x > 0, xp.log1p(-below), -(x * x / 2) - xp.log(ROOT_OF_TWO_PI * ratio))


INVERSE_MILLS: Op = function(
    "inverse_mills",
    _inverse_mills_value,
    lambda x, out: -(out * (x + out)),
    code="inverse_mills({})",
    helper=f'''
def inverse_mills(z):
    """Return the standard normal density over its distribution function."""
    t = np.abs(z)
    y = 1 - {2 * MIDPOINT} / (t + {MIDPOINT})
{_HORNER}
    ratio = (t + {MIDPOINT}) / p
    above = np.exp(-(t * t / 2)) / {ROOT_OF_TWO_PI}
    return np.where(z > 0, above / (1 - above / ratio), ratio)
''',
    rule="rule of the inverse Mills ratio",
    because="the slope of φ/Φ is -(φ/Φ)(x + φ/Φ), because the slope of φ is -x φ",
    latex=r"\operatorname{mills}",
    laws=(
        Law(
            "it is φ/Φ",
            lambda x: apply(INVERSE_MILLS, x),
            lambda x: normal_density(x) / apply(NORMAL_CDF, x),
        ),
    ),
    mistakes=(
        (
            "sign",
            "the inverse Mills ratio decreases: its slope carries a minus sign",
            lambda x, out: out * (x + out),
        ),
        (
            "the argument dropped",
            "the slope is -m(x + m), and the x comes from the slope of the density",
            lambda x, out: -(out * out),
        ),
    ),
)

NORMAL_CDF: Op = function(
    "normal_cdf",
    _normal_cdf_value,
    lambda x, out: normal_density(x),
    code="normal_cdf({})",
    helper=f'''
def normal_cdf(z):
    """Return the normal distribution function; no digit is lost in the left tail."""
    below = np.exp(-(z * z / 2)) / ({ROOT_OF_TWO_PI} * inverse_mills(-np.abs(z)))
    return np.where(z > 0, 1 - below, below)
''',
    helpers=(INVERSE_MILLS,),
    targets=_special("ndtr"),
    rule="normal distribution rule",
    because="the slope of a distribution function is its density, e^(-x^2/2)/√(2π)",
    plain="Phi",
    glyph="Φ",
    latex=r"\Phi",
    spoken="the normal distribution function of",
    laws=(
        Law(
            "Φ(-x) = 1 - Φ(x)",
            lambda x: apply(NORMAL_CDF, -x),
            lambda x: 1 - apply(NORMAL_CDF, x),
        ),
        Law("Φ(0) = 1/2", lambda x: apply(NORMAL_CDF, x - x), lambda x: lift(1) / 2),
    ),
    mistakes=(
        (
            "the root of 2π dropped",
            "the density of the normal distribution has the factor 1/√(2π)",
            lambda x, out: apply(EXP, -(power(x, 2) / 2)),
        ),
        (
            "the half dropped",
            "the exponent of the normal density is -x^2/2, not -x^2",
            lambda x, out: apply(EXP, -power(x, 2)) / apply(SQRT, 2 * pi()),
        ),
        (
            "taken for the sigmoid",
            "a(1 - a) is the slope of the sigmoid; the slope of Φ is the normal density",
            lambda x, out: out * (1 - out),
        ),
    ),
)

LOG_NORMAL_CDF: Op = function(
    "log_normal_cdf",
    _log_normal_cdf_value,
    lambda x, out: apply(INVERSE_MILLS, x),
    code="log_normal_cdf({})",
    helper=f'''
def log_normal_cdf(z):
    """Return the logarithm of the normal distribution function, in both tails."""
    ratio = inverse_mills(-np.abs(z))
    left = -(z * z / 2) - np.log({ROOT_OF_TWO_PI} * ratio)
    tail = np.exp(-(z * z / 2)) / ({ROOT_OF_TWO_PI} * ratio)
    return np.where(z > 0, np.log1p(-tail), left)
''',
    helpers=(INVERSE_MILLS,),
    targets=_special("log_ndtr"),
    rule="log rule of the normal distribution",
    because="the slope of log Φ is φ/Φ, density over distribution: the inverse Mills ratio",
    latex=r"\operatorname{logcdf}",
    glyph="log_normal_cdf",
    spoken="the logarithm of the normal distribution function of",
    laws=(
        Law(
            "it is the logarithm of Φ",
            lambda x: apply(LOG_NORMAL_CDF, x),
            lambda x: apply(LOG, apply(NORMAL_CDF, x)),
        ),
    ),
    mistakes=(
        (
            "the inner slope dropped",
            "the density φ is missing: the slope of log Φ is φ/Φ, not 1/Φ",
            lambda x, out: 1 / apply(NORMAL_CDF, x),
        ),
        (
            "the distribution function dropped",
            "the slope of log Φ is φ/Φ; the division by Φ is missing",
            lambda x, out: normal_density(x),
        ),
    ),
)

ROWS_HERE = (INVERSE_MILLS, NORMAL_CDF, LOG_NORMAL_CDF)
"""The rows of this file, for the table."""

__all__ = [
    "INVERSE_MILLS",
    "LOG_NORMAL_CDF",
    "NORMAL_CDF",
    "ROWS_HERE",
    "inverse_mills",
    "log_normal_cdf",
    "normal_cdf",
    "normal_density",
]
