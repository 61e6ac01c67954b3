"""Where a minus sign and a number stand: in front, and of a sum not on the first term."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.ops import add, div, mul, neg, power
from chainrule.calculus.rewriting.signature import ADD, NEG


def numbered(number: Fraction, expr: Expr) -> Expr:
    """Put a number before an expression, and what it is divided by below."""
    if isinstance(expr, Number):
        return mul(Number(number), expr)
    written = div(mul(Number(abs(number.numerator)), expr), Number(number.denominator))
    return written if number > 0 else neg(written)


def raised(expr: Expr, exponent: int) -> Expr:
    """Raise to a power, the sign in front."""
    if isinstance(expr, Apply) and expr.op is NEG:
        raised = power(expr.args[0], exponent)
        return neg(raised) if exponent % 2 else raised
    return power(expr, exponent)


def is_sum(expr: Expr) -> bool:
    """Whether an expression is a sum of terms."""
    return isinstance(expr, Apply) and expr.op is ADD


def positive_first(terms: Iterable[Expr]) -> Expr:
    """Add terms up, positive ones first; of negative ones alone take the sign out."""
    ordered = sorted(terms, key=is_negative)
    if len(ordered) > 1 and is_negative(ordered[0]):
        return neg(add(*(neg(term) for term in ordered)))
    return add(*ordered)


def is_negative(term: Expr) -> bool:
    """Whether a term is written with a minus sign in front."""
    return (isinstance(term, Apply) and term.op is NEG) or (
        isinstance(term, Number) and term.value < 0
    )


def without_sign(expr: Expr) -> tuple[int, Expr]:
    """Split a leading minus sign off."""
    negative = isinstance(expr, Apply) and expr.op is NEG
    return (-1, expr.args[0]) if negative else (1, expr)
