"""The ratio of the normal density to its distribution function, which neither over nor underflows.

The slope of ``log(Phi(z))`` is phi(z)/Phi(z): 0/0 in float64 below z = -38, where it is about -z.
The slope of a probit likelihood has Phi(z) and 1 - Phi(z) below one fraction line. Both are written
with the inverse Mills ratio m(z) = phi(z)/Phi(z).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from chainrule.calculus.graph.node import Expr, Number, symbols
from chainrule.calculus.ops import add, div, exp, inverse_mills, mul, normal_cdf, power
from chainrule.calculus.rewriting.rule import Rule, is_op
from chainrule.calculus.rewriting.shortening import factors


def _ratio(expr: Expr) -> Expr | None:
    """Rewrite phi(u)/Phi(u), phi(u)/(1 - Phi(u)) or phi(u)/(Phi(u) (1 - Phi(u))) in a fraction."""
    if not is_op(expr, "div"):
        return None
    above, below = list(factors(expr.args[0])), list(factors(expr.args[1]))
    root = next((part for part in below if _is_root_of_two_pi(part)), None)
    if root is None:
        return None
    below.remove(root)
    for bell in above:
        rest = [part for part in above if part is not bell]
        for part in below:
            u = _argument(part)
            if u is None or not _is_bell(bell, u):
                continue
            others = [other for other in below if other is not part]
            opposite = next((other for other in others if _is_opposite(part, other)), None)
            if opposite is None:
                found = mul(1, inverse_mills(u), *rest)
            else:
                others.remove(opposite)
                found = _of_both(u, rest)
            share = div(found, mul(1, *others)) if others else found
            negative = is_op(expr.args[0], "neg") != is_op(expr.args[1], "neg")
            return -share if negative else share
    return None


def _of_both(u: Expr, rest: Sequence[Expr]) -> Expr:
    """Return phi(u)/(Phi(u) Phi(-u)) times other factors.

    A factor Phi(u) - y is (1 - y) Phi(u) - y Phi(-u): what it cancels is divided out first.
    """
    up, down = inverse_mills(u), inverse_mills(-u)
    share = normal_cdf(u)
    for factor in rest:
        for sign, term in ((1, share), (-1, -share)):
            if is_op(factor, "add") and term in factor.args:
                left = [part for part in factor.args if part is not term]
                y = add(*left) if sign < 0 else -add(*left)
                residual = (1 - y) * down - y * up
                others = [other for other in rest if other is not factor]
                return mul(sign, residual, *others)
    return mul(1, up + down, *rest)


def _argument(part: Expr) -> Expr | None:
    """Return u of Phi(u), and -u of 1 - Phi(u)."""
    if is_op(part, "normal_cdf"):
        return part.args[0]
    if is_op(part, "add") and len(part.args) == 2:
        for one, other in (part.args, part.args[::-1]):
            is_one = isinstance(one, Number) and one.value == 1
            if is_one and is_op(other, "neg") and is_op(other.args[0], "normal_cdf"):
                return -other.args[0].args[0]
    return None


def _is_opposite(part: Expr, other: Expr) -> bool:
    u, v = _argument(part), _argument(other)
    return u is not None and v is not None and (u is -v or v is -u)


def _is_bell(part: Expr, u: Expr) -> bool:
    """Whether a factor is e^(-u^2/2), for u or -u."""
    half = Fraction(1, 2)
    for square in (power(u, 2), power(-u, 2)):
        forms = -(square / 2), -square / 2, mul(-half, square), -mul(half, square)
        if any(part is exp(form) for form in forms):
            return True
    return False


def _is_root_of_two_pi(part: Expr) -> bool:
    """Whether a factor is the square root of 2 pi, of any shape."""
    while is_op(part, "broadcast"):
        (part,) = part.args
    if not is_op(part, "sqrt") or symbols(part):
        return False
    inner = part.args[0]
    parts = inner.args if is_op(inner, "mul") else ()
    numbers = [p.value for p in parts if isinstance(p, Number)]
    others = [p for p in parts if not isinstance(p, Number)]
    return numbers == [2] and len(others) == 1 and _is_pi(others[0])


def _is_pi(part: Expr) -> bool:
    while is_op(part, "broadcast"):
        (part,) = part.args
    return is_op(part, "pi")


NORMAL_RATIO = Rule(
    "inverse Mills ratio",
    "φ(z)/Φ(z) is 0/0 below z = -38, where it is about -z; the inverse Mills ratio is computed "
    "without the two",
    _ratio,
)
