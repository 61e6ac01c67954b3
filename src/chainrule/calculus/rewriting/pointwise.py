"""Identities for losses of one score: known functions are recognised, and digits are kept.

`RECOGNISED` names a function that was written out (``log(1 + exp(u))`` is a softplus), so that its
derivatives stay short. `DIGITS` rewrites what loses digits or overflows. Every rule is an identity
of real numbers wherever both sides are defined.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol
from chainrule.calculus.ops import (
    absolute,
    add,
    apply,
    cosh,
    div,
    exp,
    expm1,
    lift,
    log,
    log1p,
    log_gumbel_cdf,
    mul,
    sigmoid,
    softplus,
    sqrt,
    tanh,
)
from chainrule.calculus.ops.functions import SIGN
from chainrule.calculus.rewriting.normal_ratio import NORMAL_RATIO
from chainrule.calculus.rewriting.rule import Rule, identity, is_op
from chainrule.calculus.rewriting.shortening import factors
from chainrule.calculus.rewriting.stabilisation import (
    COMPLEMENT,
    EVEN,
    LOG_OF_NORMAL,
    LOG_OF_SIGMOID,
    NORMAL_COMPLEMENT,
)

_U = Symbol("?u")


LOG_OF_ONE = identity("log of one", log(lift(1)), lift(0), "log 1 = 0")
EXP_OF_LOG = identity(
    "exponential of a logarithm",
    exp(log(_U)),
    _U,
    "the exponential undoes the logarithm, and rounds nothing",
)
EXP_OF_MINUS_LOG = identity(
    "exponential of a negative logarithm",
    exp(-log(_U)),
    1 / _U,
    "e^(-log u) = 1/u",
)
SOFTPLUS_SEEN = identity(
    "softplus",
    log(1 + exp(_U)),
    softplus(_U),
    "log(1 + e^u) is the softplus of u, which can be computed without overflow",
)
SOFTPLUS_SEEN_TOO = identity(
    "softplus of log1p",
    log1p(exp(_U)),
    softplus(_U),
    "log1p(e^u) is the softplus of u, which can be computed without overflow",
)
SIGMOID_SEEN = identity(
    "sigmoid",
    1 / (1 + exp(_U)),
    sigmoid(-_U),
    "1/(1 + e^u) is the sigmoid of -u, which can be computed without overflow",
)


def _in_fraction(name: str, because: str, share: Callable[[Expr, Expr], Expr | None]) -> Rule:
    """Make a rule for one factor above and one below a fraction line."""

    def becomes(expr: Expr) -> Expr | None:
        if not is_op(expr, "div"):
            return None
        above, below = list(factors(expr.args[0])), list(factors(expr.args[1]))
        for numerator in above:
            for denominator in below:
                found = share(numerator, denominator)
                if found is not None:
                    above[above.index(numerator)] = found
                    below.remove(denominator)
                    return div(mul(1, *above), mul(1, *below))
        return None

    return Rule(name, because, becomes)


def _tanh_of(numerator: Expr, denominator: Expr) -> Expr | None:
    if is_op(numerator, "sinh") and is_op(denominator, "cosh"):
        same = numerator.args[0] is denominator.args[0]
        return tanh(numerator.args[0]) if same else None
    return None


def _sigmoid_of(numerator: Expr, denominator: Expr) -> Expr | None:
    if is_op(numerator, "exp") and denominator in (1 + numerator, numerator + 1):
        return sigmoid(numerator.args[0])
    return None


GUMBEL_SEEN = identity(
    "logarithm of the Gumbel distribution function",
    log(1 - exp(-exp(_U))),
    log_gumbel_cdf(_U),
    "1 - e^(-e^u) is a distribution function; its logarithm is close to u where e^u underflows",
)
TANH_SEEN = _in_fraction("tanh", "sinh u / cosh u is tanh u, which never overflows", _tanh_of)
SIGMOID_OF_SHARE = _in_fraction(
    "share of an exponential",
    "e^u/(1 + e^u) is the sigmoid of u, which never overflows",
    _sigmoid_of,
)

COMPLEMENT_OF_EXP = identity(
    "one minus an exponential",
    1 - exp(_U),
    -expm1(_U),
    "1 - e^u cancels near u = 0; expm1 keeps every digit",
)
EXP_MINUS_ONE = identity(
    "exponential minus one",
    exp(_U) - 1,
    expm1(_U),
    "e^u - 1 cancels near u = 0; expm1 keeps every digit",
)
LOG_OF_COSH = identity(
    "log of cosh",
    log(cosh(_U)),
    add(absolute(_U), log1p(expm1(-(2 * absolute(_U))) / 2)),
    "cosh u = e^|u| (1 + e^(-2|u|))/2: nothing overflows, and near 0 nothing but |u| cancels",
)
SECH_SQUARED = identity(
    "one minus a square of tanh",
    1 - tanh(_U) ** 2,
    4 * exp(-(2 * absolute(_U))) / (1 + exp(-(2 * absolute(_U)))) ** 2,
    "1 - tanh^2 u cancels for large |u|; 4 e^(-2|u|)/(1 + e^(-2|u|))^2 keeps every digit",
)
ROOT_MINUS_ONE = identity(
    "root minus one",
    sqrt(1 + _U) - 1,
    _U / (1 + sqrt(1 + _U)),
    "sqrt(1 + u) - 1 cancels near u = 0; times its conjugate it does not",
)
LOG_OF_ONE_PLUS = identity(
    "log1p",
    log(1 + _U),
    log1p(_U),
    "1 + u loses the digits of a small u; log1p keeps them",
)
SQUARE_OF_SIZE = identity(
    "square of an absolute value",
    absolute(_U) ** 2,
    _U**2,
    "|u|^2 = u^2, which has a slope at 0 too",
)
SIGN_TIMES_SIZE = identity(
    "sign times absolute value",
    apply(SIGN, _U) * absolute(_U),
    _U,
    "|u| with the sign of u is u",
)


def _common_fraction(expr: Expr) -> Expr | None:
    """Rewrite ``1 - (d/sqrt(1 + d^2))^2``, in which all digits cancel for large d."""
    if not is_op(expr, "add") or len(expr.args) != 2:
        return None
    for one, other in (expr.args, expr.args[::-1]):
        if not (isinstance(one, Number) and one.value == 1 and is_op(other, "neg")):
            continue
        square = other.args[0]
        if not (isinstance(square, Apply) and is_op(square, "power")):
            continue
        ratio = square.args[0]
        if square.attrs[0] != Fraction(2) or not is_op(ratio, "div"):
            continue
        root = ratio.args[1]
        if is_op(root, "sqrt") and root.args[0] in (
            1 + ratio.args[0] ** 2,
            ratio.args[0] ** 2 + 1,
        ):
            return 1 / root.args[0]
    return None


RATIO_OF_ROOT = Rule(
    "one minus a squared share of a root",
    "1 - d^2/(1 + d^2) = 1/(1 + d^2), in which nothing cancels",
    _common_fraction,
)

RECOGNISED = (
    LOG_OF_ONE,
    SQUARE_OF_SIZE,
    SIGN_TIMES_SIZE,
    SOFTPLUS_SEEN,
    SOFTPLUS_SEEN_TOO,
    SIGMOID_SEEN,
    SIGMOID_OF_SHARE,
    TANH_SEEN,
    GUMBEL_SEEN,
    NORMAL_COMPLEMENT,
    LOG_OF_NORMAL,
    NORMAL_RATIO,
    RATIO_OF_ROOT,
)
"""Names for functions that were written out."""

INVERSES = (EXP_OF_LOG, EXP_OF_MINUS_LOG)
"""Functions that undo each other."""

DIGITS = (
    COMPLEMENT,
    LOG_OF_SIGMOID,
    LOG_OF_COSH,
    SECH_SQUARED,
    ROOT_MINUS_ONE,
    COMPLEMENT_OF_EXP,
    EXP_MINUS_ONE,
    LOG_OF_ONE_PLUS,
    EVEN,
)
"""From there to forms that keep their digits."""
